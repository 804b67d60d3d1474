"""OpenAI chat requests, read: JSON into `neutral.Request`.

Reads what any client of the dialect sends, old and new spellings. What it does not know stays in `extra` or `Opaque` with
the dialect's name. A field of the wrong type is a RequestError (400) that names it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.wire import fields, reasoning
from suffice.wire.neutral import (
    CacheHints,
    File,
    Image,
    Message,
    Opaque,
    OutputFormat,
    Part,
    Reasoning,
    ReasoningRequest,
    Refusal,
    Request,
    Sampling,
    ServerTool,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

DIALECT = "chat"
DETAILS_ID = "reasoning_details"
_TURN = "role content name tool_calls tool_call_id refusal reasoning_content reasoning reasoning_details function_call"
_TOP = (
    "model messages tools functions tool_choice function_call parallel_tool_calls max_tokens max_completion_tokens "
    "temperature top_p stop seed presence_penalty frequency_penalty reasoning_effort response_format verbosity "
    "prompt_cache_key prompt_cache_retention logprobs top_logprobs n metadata user stream stream_options service_tier"
)
_TURN_KEYS = frozenset(_TURN.split())
_KNOWN = frozenset(_TOP.split())


def decode_request(body: bytes) -> Request:
    """Return the neutral request of a chat body. Raises RequestError."""
    top = fields.decode_object(body)
    messages = _Conversation().read(fields.rows(top.get("messages"), "messages"))
    lead = 0
    while lead < len(messages) and messages[lead].role in ("system", "developer"):
        lead += 1
    options = fields.mapping(top.get("stream_options"), "stream_options")
    stream = bool(fields.flag(top.get("stream"), "stream"))
    asked = fields.flag(top.get("logprobs"), "logprobs")
    return Request(
        dialect=DIALECT,
        model=fields.text(top.get("model"), "model"),
        system=tuple(messages[:lead]),
        messages=tuple(messages[lead:]),
        tools=_tools(top),
        tool_choice=_tool_choice(top),
        parallel_tools=fields.flag(top.get("parallel_tool_calls"), "parallel_tool_calls"),
        max_output_tokens=_limit(top),
        sampling=_sampling(top),
        reasoning=_reasoning(top),
        output=_output(top),
        verbosity=fields.text(top.get("verbosity"), "verbosity"),
        cache=CacheHints(
            key=fields.text(top.get("prompt_cache_key"), "prompt_cache_key"),
            retention=fields.text(top.get("prompt_cache_retention"), "prompt_cache_retention"),
        ),
        logprobs=(fields.whole(top.get("top_logprobs"), "top_logprobs", 0) or 0) if asked else None,
        choices=fields.whole(top.get("n"), "n", 1) or 1,
        metadata=fields.mapping(top.get("metadata"), "metadata"),
        user=fields.text(top.get("user"), "user"),
        stream=stream,
        include_usage=not stream or bool(options.get("include_usage")),
        service_tier=fields.text(top.get("service_tier"), "service_tier"),
        extra={k: v for k, v in top.items() if k not in _KNOWN and v is not None},
    )


def _limit(top: dict[str, Any]) -> int:
    found = [limit for key in ("max_completion_tokens", "max_tokens") if (limit := fields.whole(top.get(key), key, 0))]
    return min(found, default=0)


def _sampling(top: dict[str, Any]) -> Sampling:
    return Sampling(
        temperature=fields.number(top.get("temperature"), "temperature"),
        top_p=fields.number(top.get("top_p"), "top_p"),
        stop=fields.texts(top.get("stop"), "stop"),
        seed=fields.whole(top.get("seed"), "seed"),
        presence_penalty=fields.number(top.get("presence_penalty"), "presence_penalty"),
        frequency_penalty=fields.number(top.get("frequency_penalty"), "frequency_penalty"),
    )


def _reasoning(top: dict[str, Any]) -> ReasoningRequest | None:
    effort = fields.text(top.get("reasoning_effort"), "reasoning_effort")
    if not effort:
        return None
    return ReasoningRequest(mode="off") if effort == "none" else ReasoningRequest(effort=effort)


def _output(top: dict[str, Any]) -> OutputFormat | None:
    wanted = fields.mapping(top.get("response_format"), "response_format")
    kind = wanted.get("type")
    if kind == "json_object":
        return OutputFormat(kind="json")
    if kind != "json_schema":
        return None
    inner = fields.mapping(wanted.get("json_schema"), "response_format.json_schema")
    return OutputFormat(
        kind="schema",
        schema=fields.mapping(inner.get("schema"), "response_format.json_schema.schema"),
        name=fields.text(inner.get("name"), "response_format.json_schema.name"),
        description=fields.text(inner.get("description"), "response_format.json_schema.description"),
        strict=fields.flag(inner.get("strict"), "response_format.json_schema.strict"),
    )


def _tools(top: dict[str, Any]) -> tuple[Tool | ServerTool, ...]:
    out: list[Tool | ServerTool] = []
    for row in fields.rows(top.get("tools"), "tools"):
        kind = row.get("type", "function")
        if kind == "function":
            inner = fields.mapping(row.get("function"), "tools.function")
            out.append(_function(inner, cache_ttl(row)))
        elif kind == "custom":
            inner = fields.mapping(row.get("custom"), "tools.custom")
            out.append(
                Tool(
                    name=_required(inner.get("name"), "tools.custom.name"),
                    description=fields.text(inner.get("description"), "tools.custom.description"),
                    kind="custom",
                    grammar=_grammar(inner.get("format")),
                    cache_ttl=cache_ttl(row),
                )
            )
        else:
            out.append(ServerTool(dialect=DIALECT, value=row, name=str(row.get("name") or kind)))
    out += [_function(row, None) for row in fields.rows(top.get("functions"), "functions")]
    return tuple(out)


def _function(inner: dict[str, Any], mark: str | None) -> Tool:
    schema = inner.get("parameters")
    return Tool(
        name=_required(inner.get("name"), "tools.function.name"),
        description=fields.text(inner.get("description"), "tools.function.description"),
        schema=None if schema is None else fields.mapping(schema, "tools.function.parameters"),
        strict=fields.flag(inner.get("strict"), "tools.function.strict"),
        cache_ttl=mark,
    )


def _required(value: Any, where: str) -> str:
    name = fields.text(value, where)
    if not name:
        raise RequestError(f"{where} is missing", param=where)
    return name


def _grammar(form: Any) -> dict[str, Any] | None:
    found = fields.mapping(form, "tools.custom.format")
    if found.get("type") != "grammar":
        return None
    inner = found.get("grammar")
    inner = inner if isinstance(inner, dict) else found
    return {"syntax": str(inner.get("syntax") or ""), "definition": str(inner.get("definition") or "")}


def _tool_choice(top: dict[str, Any]) -> ToolChoice | None:
    choice = top.get("tool_choice", top.get("function_call"))
    if choice is None:
        return None
    if isinstance(choice, str):
        if choice in ("auto", "none"):
            return ToolChoice(mode="none" if choice == "none" else "auto")
        if choice in ("required", "any"):
            return ToolChoice(mode="required")
    if isinstance(choice, dict):
        kind = str(choice.get("type") or "function")
        nested = choice.get(kind)
        inner: dict[str, Any] = nested if isinstance(nested, dict) else choice
        if kind == "allowed_tools":
            rows = fields.rows(inner.get("tools"), "tool_choice.allowed_tools.tools")
            found = [row.get("function", row.get("custom", row)) for row in rows]
            names = [r.get("name") for r in found if isinstance(r, dict)]
            named = tuple(n for n in names if isinstance(n, str))
            return ToolChoice(mode="allowed", names=named, required=inner.get("mode") == "required")
        if kind in ("function", "custom") and isinstance(inner.get("name"), str):
            return ToolChoice(mode="tool", name=inner["name"], kind="custom" if kind == "custom" else "function")
    raise RequestError("tool_choice must be auto, none, required or an object that names a tool", param="tool_choice")


def cache_ttl(row: dict[str, Any]) -> str | None:
    """Return the lifetime of a `cache_control` mark on `row` ("" the default one), or None when there is no mark."""
    mark = row.get("cache_control")
    if not isinstance(mark, dict):
        return None
    ttl = mark.get("ttl")
    return ttl if isinstance(ttl, str) else ""


class _Conversation:
    """Reads messages in order; remembers which calls were of custom tools, as results do not say it."""

    def __init__(self) -> None:
        self._calls: dict[str, ToolCall] = {}
        self._last_call = ""

    def read(self, rows: list[dict[str, Any]]) -> list[Message]:
        """Return the messages, consecutive tool results in one."""
        out: list[Message] = []
        for row in rows:
            role = row.get("role")
            if role in ("tool", "function"):
                result = self._result(row)
                if out and out[-1].role == "tool":
                    out[-1] = msgspec.structs.replace(out[-1], parts=(*out[-1].parts, result))
                else:
                    out.append(Message(role="tool", parts=(result,)))
            elif role == "assistant":
                out.append(self._assistant(row))
            elif role in ("system", "developer", "user"):
                out.append(
                    Message(
                        role=role,
                        parts=tuple(content_parts(row.get("content"))),
                        name=fields.text(row.get("name"), "messages.name"),
                        extra={k: v for k, v in row.items() if k not in _TURN_KEYS} if len(row) > 2 else {},
                    )
                )
            else:
                raise RequestError(
                    "messages.role must be system, developer, user, assistant or tool", param="messages.role"
                )
        return out

    def _result(self, row: dict[str, Any]) -> ToolResult:
        call_id = fields.text(row.get("tool_call_id"), "messages.tool_call_id") or self._last_call
        call = self._calls.get(call_id)
        parts = tuple(p for p in content_parts(row.get("content")) if isinstance(p, Text | Image | File | Opaque))
        name = fields.text(row.get("name"), "messages.name") or (call.name if call else "")
        return ToolResult(
            call_id=call_id, parts=parts, name=name, kind=call.kind if call else "function", cache_ttl=cache_ttl(row)
        )

    def _assistant(self, row: dict[str, Any]) -> Message:
        parts: list[Part] = list(_thoughts(row))
        parts += content_parts(row.get("content"))
        if isinstance(row.get("refusal"), str) and row["refusal"]:
            parts.append(Refusal(text=row["refusal"]))
        for call in fields.rows(row.get("tool_calls"), "messages.tool_calls"):
            parts.append(self._call(call))
        old = row.get("function_call")
        if isinstance(old, dict):
            parts.append(self._call({"id": f"call_{len(self._calls)}", "function": old}))
        extra = {k: v for k, v in row.items() if k not in _TURN_KEYS and v is not None}
        return Message(
            role="assistant", parts=tuple(parts), name=fields.text(row.get("name"), "messages.name"), extra=extra
        )

    def _call(self, row: dict[str, Any]) -> ToolCall:
        call_id = fields.text(row.get("id"), "messages.tool_calls.id")
        custom = row.get("type") == "custom"
        inner = fields.mapping(row.get("custom" if custom else "function"), "messages.tool_calls")
        arguments = inner.get("input" if custom else "arguments")
        if isinstance(arguments, dict):
            arguments = msgspec.json.encode(arguments).decode()
        state = row.get("extra_content")
        google = state.get("google") if isinstance(state, dict) else None
        signature = google.get("thought_signature") if isinstance(google, dict) else None
        issuer, opened = reasoning.unseal(signature, DIALECT) if isinstance(signature, str) else ("", "")
        call = ToolCall(
            id=call_id,
            name=_required(inner.get("name"), "messages.tool_calls.function.name"),
            arguments=fields.text(arguments, "messages.tool_calls.function.arguments"),
            kind="custom" if custom else "function",
            signature=opened,
            issuer=issuer if opened else "",
        )
        self._calls[call_id] = call
        self._last_call = call_id
        return call


def _thoughts(row: dict[str, Any]) -> list[Part]:
    text = row.get("reasoning_content") or row.get("reasoning")
    out: list[Part] = [Reasoning(text=text, issuer=DIALECT)] if isinstance(text, str) and text else []
    details = row.get("reasoning_details")
    if isinstance(details, list) and details:
        encoded = msgspec.json.encode(details).decode()
        out.append(Reasoning(encrypted=encoded, issuer=DIALECT, item_id=DETAILS_ID))
    return out


def content_parts(content: Any, where: str = "messages.content") -> list[Part]:
    """Return the parts of a message's `content`: null, a string, or an array of typed parts."""
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [Text(text=content)]
    return [part for row in fields.rows(content, where) for part in _part(row, where)]


def _part(row: dict[str, Any], where: str) -> list[Part]:
    kind = row.get("type")
    mark = cache_ttl(row)
    if kind == "text":
        return [Text(text=fields.text(row.get("text"), f"{where}.text"), cache_ttl=mark)]
    if kind == "image_url":
        image = row.get("image_url")
        image = {"url": image} if isinstance(image, str) else fields.mapping(image, f"{where}.image_url")
        url = fields.text(image.get("url"), f"{where}.image_url.url")
        media, data = split_data_url(url)
        detail = fields.text(image.get("detail"), f"{where}.image_url.detail")
        return [Image(url="" if data else url, data=data, media_type=media, detail=detail, cache_ttl=mark)]
    if kind == "refusal":
        return [Refusal(text=fields.text(row.get("refusal"), f"{where}.refusal"))]
    if kind == "thinking":
        inner = row.get("thinking")
        text = inner if isinstance(inner, str) else "".join(str(p.get("text") or "") for p in fields.rows(inner, where))
        return [Reasoning(text=text, issuer=DIALECT)]
    if kind == "file" and isinstance(row.get("file"), dict):
        file = row["file"]
        media, data = split_data_url(fields.text(file.get("file_data"), f"{where}.file.file_data"))
        return [
            File(
                name=fields.text(file.get("filename"), f"{where}.file.filename"),
                data=data,
                media_type=media,
                file_id=fields.text(file.get("file_id"), f"{where}.file.file_id"),
                issuer=DIALECT if file.get("file_id") else "",
                cache_ttl=mark,
            )
        ]
    if not isinstance(kind, str):
        raise RequestError(f"{where}.type must be a string", param=f"{where}.type")
    return [Opaque(dialect=DIALECT, value=row, cache_ttl=mark)]


def split_data_url(url: str) -> tuple[str, str]:
    """Return (media type, base64 data) of a data URL, ("", "") of any other."""
    if not url.startswith("data:"):
        return "", ""
    head, comma, data = url[5:].partition(",")
    if not comma or not head.endswith(";base64"):
        return "", ""
    return head[: -len(";base64")].partition(";")[0], data
