"""OpenAI Responses requests, read: JSON into `neutral.Request`.

`input` is a flat list of items; here it becomes turns: what the model said between two inputs (thinking, text, calls) is one
assistant message, consecutive results are one tool message. Sealed reasoning is opened, other state keeps no issuer but the
dialect's. A field of the wrong type, a result without its call and a reference nobody resolved are RequestErrors (400).
Must not: resolve `previous_response_id` (that is `gateway.responses_state`'s part, done before).
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.wire import fields, responses_tools
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
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from suffice.wire.reasoning import SEAL
from suffice.wire.responses_tools import DIALECT
from suffice.wire.sealed import Sealer

# Marks the system message that came in as `instructions`, so that it goes out there again.
INSTRUCTIONS = "instructions"
# The issuer under whose name the gateway seals its own compactions; no provider has it.
COMPACTION = "suffice/compaction"
ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
_TOP = (
    "model input instructions tools tool_choice parallel_tool_calls max_output_tokens temperature top_p top_logprobs "
    "presence_penalty frequency_penalty reasoning text metadata user stream service_tier prompt_cache_key "
    "prompt_cache_retention"
)
_KNOWN = frozenset(_TOP.split())
_ROLES: dict[str, Role] = {"system": "system", "developer": "developer", "user": "user", "assistant": "assistant"}


def decode_request(body: bytes, sealer: Sealer) -> Request:
    """Return the neutral request of a Responses body. Raises RequestError."""
    top = fields.decode_object(body)
    conversation = _Conversation(sealer)
    messages = conversation.read(top.get("input"))
    instructions = fields.text(top.get("instructions"), "instructions")
    if instructions:
        messages.insert(0, Message(role="system", parts=(Text(text=instructions),), extra={INSTRUCTIONS: True}))
    lead = 0
    while lead < len(messages) and messages[lead].role in ("system", "developer"):
        lead += 1
    include = fields.texts(top.get("include"), "include")
    wanted = fields.mapping(top.get("text"), "text")
    asked = fields.whole(top.get("top_logprobs"), "top_logprobs", 0)
    return Request(
        dialect=DIALECT,
        model=fields.text(top.get("model"), "model"),
        system=tuple(messages[:lead]),
        messages=tuple(messages[lead:]),
        tools=(*responses_tools.read(fields.rows(top.get("tools"), "tools")), *conversation.loaded),
        tool_choice=responses_tools.read_choice(top.get("tool_choice")),
        parallel_tools=fields.flag(top.get("parallel_tool_calls"), "parallel_tool_calls"),
        max_output_tokens=fields.whole(top.get("max_output_tokens"), "max_output_tokens", 0) or 0,
        sampling=Sampling(
            temperature=fields.number(top.get("temperature"), "temperature"),
            top_p=fields.number(top.get("top_p"), "top_p"),
            presence_penalty=fields.number(top.get("presence_penalty"), "presence_penalty"),
            frequency_penalty=fields.number(top.get("frequency_penalty"), "frequency_penalty"),
        ),
        reasoning=_reasoning(fields.mapping(top.get("reasoning"), "reasoning"), ENCRYPTED in include),
        output=_output(fields.mapping(wanted.get("format"), "text.format")),
        verbosity=fields.text(wanted.get("verbosity"), "text.verbosity"),
        cache=CacheHints(
            key=fields.text(top.get("prompt_cache_key"), "prompt_cache_key"),
            retention=fields.text(top.get("prompt_cache_retention"), "prompt_cache_retention"),
        ),
        logprobs=(asked or 0) if asked or LOGPROBS in include else None,
        metadata=fields.mapping(top.get("metadata"), "metadata"),
        user=fields.text(top.get("user"), "user"),
        stream=bool(fields.flag(top.get("stream"), "stream")),
        service_tier=fields.text(top.get("service_tier"), "service_tier"),
        extra=_extra(top, include),
    )


def _extra(top: dict[str, Any], include: tuple[str, ...]) -> dict[str, Any]:
    extra = {k: v for k, v in top.items() if k not in _KNOWN and v is not None}
    for key in ("store", "background"):
        fields.flag(extra.get(key), key)
    for key in ("previous_response_id", "truncation", "safety_identifier"):
        fields.text(extra.get(key), key)
    fields.whole(extra.get("max_tool_calls"), "max_tool_calls", 0)
    if "include" in extra:
        extra["include"] = list(include)
    choice = top.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") not in ("function", "custom", "allowed_tools"):
        extra["tool_choice"] = choice
    return extra


def _reasoning(asked: dict[str, Any], encrypted: bool) -> ReasoningRequest | None:
    effort = fields.text(asked.get("effort"), "reasoning.effort")
    summary = fields.text(asked.get("summary"), "reasoning.summary") or fields.text(
        asked.get("generate_summary"), "reasoning.generate_summary"
    )
    if effort == "none":
        return ReasoningRequest(mode="off")
    if not effort and not summary:
        return None
    return ReasoningRequest(effort=effort, summary=summary, include_encrypted=encrypted)


def _output(form: dict[str, Any]) -> OutputFormat | None:
    kind = form.get("type")
    if kind == "json_object":
        return OutputFormat(kind="json")
    if kind != "json_schema":
        return None
    name = fields.text(form.get("name"), "text.format.name")
    schema = form.get("schema")
    if not isinstance(schema, dict):
        raise RequestError("text.format.schema must be an object", param="text.format.schema")
    return OutputFormat(
        kind="schema",
        schema=schema,
        name=name,
        description=fields.text(form.get("description"), "text.format.description"),
        strict=fields.flag(form.get("strict"), "text.format.strict"),
    )


class _Conversation:
    """Reads items in order and groups them into turns."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._messages: list[Message] = []
        self._open: list[Part] = []
        self._role: Role = "assistant"
        self._calls: dict[str, ToolCall] = {}
        self.loaded: list[Tool] = []

    def read(self, value: Any) -> list[Message]:
        """Return the turns of `input`: a text, a list of items, or nothing."""
        if value is None or value == "":
            return []
        if isinstance(value, str):
            return [Message(role="user", parts=(Text(text=value),))]
        for at, item in enumerate(fields.rows(value, "input")):
            self._item(item, f"input[{at}]")
        self._close()
        return self._messages

    def _close(self) -> None:
        if self._open:
            self._messages.append(Message(role=self._role, parts=tuple(self._open)))
            self._open = []

    def _add(self, role: Role, part: Part) -> None:
        if role != self._role:
            self._close()
            self._role = role
        self._open.append(part)

    def _item(self, item: dict[str, Any], where: str) -> None:
        kind = item.get("type") or ("message" if "role" in item else "item_reference")
        if kind == "message":
            self._message(item, where)
        elif kind == "reasoning":
            self._add("assistant", self._thought(item, where))
        elif kind in ("function_call", "custom_tool_call", "tool_search_call"):
            self._call(kind, item, where)
        elif kind in ("function_call_output", "custom_tool_call_output", "tool_search_output"):
            self._result(kind, item, where)
        elif kind == "compaction":
            self._compaction(item)
        elif kind == "item_reference":
            raise RequestError(
                f"the item {str(item.get('id'))[:80]!r} is not known here",
                hint="send the item itself, or continue a stored response of this key",
                code="item_not_found",
                param=where,
            )
        else:
            # Items of tools that a provider runs: they stay where they stood, for providers of this dialect.
            self._add("assistant", _opaque(item))

    def _message(self, item: dict[str, Any], where: str) -> None:
        role = _ROLES.get(fields.text(item.get("role"), f"{where}.role"))
        if role is None:
            raise RequestError(f"{where}.role is not known", param=f"{where}.role")
        parts = list(content(item.get("content"), f"{where}.content"))
        if role == "assistant":
            extra = {key: item[key] for key in ("phase",) if isinstance(item.get(key), str)}
            for part in parts:
                if extra and isinstance(part, Text):
                    part = msgspec.structs.replace(part, extra=extra)
                self._add("assistant", part)
            return
        self._close()
        self._messages.append(Message(role=role, parts=tuple(parts)))

    def _thought(self, item: dict[str, Any], where: str) -> Reasoning:
        state = fields.text(item.get("encrypted_content"), f"{where}.encrypted_content")
        opened = self._sealer.unseal(state) if state else None
        if opened is not None and opened.issuer != COMPACTION:
            return opened
        if state.startswith(SEAL):
            state = ""  # ours, but damaged, forged or of another tenant: nobody could read it
        summary = _texts(item.get("summary"), f"{where}.summary")
        plain = _texts(item.get("content"), f"{where}.content")
        return Reasoning(
            text=plain or summary,
            encrypted=state,
            issuer=(self._sealer.issuer_of(state) if state else "") or DIALECT,
            item_id=fields.text(item.get("id"), f"{where}.id"),
            summary=bool(summary and not plain),
        )

    def _call(self, kind: str, item: dict[str, Any], where: str) -> None:
        call_id = fields.text(item.get("call_id"), f"{where}.call_id") or fields.text(item.get("id"), f"{where}.id")
        if not call_id:
            if kind == "tool_search_call":
                self._add("assistant", _opaque(item))  # one that the provider ran itself
                return
            raise RequestError(f"{where}.call_id is missing", param=f"{where}.call_id")
        if kind == "custom_tool_call":
            text = fields.text(item.get("input"), f"{where}.input")
        elif kind == "tool_search_call":
            text = msgspec.json.encode(item.get("arguments") or {}).decode()
        else:
            text = fields.text(item.get("arguments"), f"{where}.arguments")
        name = responses_tools.SEARCH if kind == "tool_search_call" else fields.text(item.get("name"), f"{where}.name")
        call = ToolCall(
            id=call_id,
            name=name,
            arguments=text,
            kind="custom" if kind == "custom_tool_call" else "function",
            namespace=fields.text(item.get("namespace"), f"{where}.namespace"),
        )
        self._calls[call_id] = call
        self._add("assistant", call)

    def _result(self, kind: str, item: dict[str, Any], where: str) -> None:
        call_id = fields.text(item.get("call_id"), f"{where}.call_id")
        call = self._calls.get(call_id)
        if kind == "tool_search_output":
            rows = fields.rows(item.get("tools"), f"{where}.tools")
            self.loaded += responses_tools.loaded(rows)
            if call is None:
                self._add("assistant", _opaque(item))
                return
            parts: tuple[Any, ...] = (Text(text=responses_tools.found(rows), extra={"tools": rows}),)
        else:
            parts = tuple(content(item.get("output"), f"{where}.output"))
        if call is None:
            raise RequestError(
                f"No tool call found for function call output with call_id {call_id[:80]}.",
                hint="send the call before its output, or continue the response that made it",
                param=f"{where}.call_id",
            )
        result = ToolResult(
            call_id=call_id, parts=parts, name=call.name, kind=call.kind, is_error=item.get("status") == "failed"
        )
        self._add("tool", result)

    def _compaction(self, item: dict[str, Any]) -> None:
        """A compaction of our own is plain text under a seal; another provider's only that provider can read."""
        opened = self._sealer.unseal(str(item.get("encrypted_content") or ""))
        if opened is None or opened.issuer != COMPACTION:
            self._add("assistant", _opaque(item))
            return
        self._close()
        self._messages.append(Message(role="user", parts=(Text(text=opened.text),)))


def _opaque(item: dict[str, Any]) -> Opaque:
    return Opaque(dialect=DIALECT, value=item)


def _texts(value: Any, where: str) -> str:
    rows = fields.rows(value, where)
    return "\n\n".join(text for row in rows if (text := fields.text(row.get("text"), f"{where}.text")))


def content(value: Any, where: str) -> list[Any]:
    """Return the parts of a message's content or of a tool's output: a text, or an array of typed parts."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [Text(text=value)]
    return [_part(row, where) for row in fields.rows(value, where)]


def _part(row: dict[str, Any], where: str) -> Part:
    kind = row.get("type")
    if kind in ("input_text", "output_text", "text", "summary_text", "reasoning_text"):
        return Text(text=fields.text(row.get("text"), f"{where}.text"))
    if kind == "refusal":
        return Refusal(text=fields.text(row.get("refusal"), f"{where}.refusal"))
    if kind == "input_image":
        return _image(row, where)
    if kind == "input_file":
        return _file(row, where)
    if kind == "input_audio":
        inner = fields.mapping(row.get("input_audio"), f"{where}.input_audio")
        return File(
            data=fields.text(inner.get("data"), f"{where}.data"),
            media_type="audio/" + (fields.text(inner.get("format"), f"{where}.format") or "wav"),
        )
    return _opaque(row)


def _image(row: dict[str, Any], where: str) -> Part:
    address = row.get("image_url")
    url = fields.text(address.get("url") if isinstance(address, dict) else address, f"{where}.image_url")
    detail = fields.text(row.get("detail"), f"{where}.detail")
    if not url:
        return _opaque(row)
    media_type, data = _data_url(url)
    return Image(url="" if data else url, data=data, media_type=media_type, detail=detail)


def _file(row: dict[str, Any], where: str) -> File:
    text = fields.text(row.get("file_data"), f"{where}.file_data")
    media_type, data = _data_url(text)
    file_id = fields.text(row.get("file_id"), f"{where}.file_id")
    return File(
        name=fields.text(row.get("filename"), f"{where}.filename"),
        data=data or text,
        media_type=media_type or ("application/pdf" if text else ""),
        url=fields.text(row.get("file_url"), f"{where}.file_url"),
        file_id=file_id,
        issuer=DIALECT if file_id else "",
    )


def _data_url(text: str) -> tuple[str, str]:
    """Return (media type, base64 data) of a data URL, or two empty strings."""
    if not text.startswith("data:"):
        return "", ""
    head, _, data = text[5:].partition(",")
    kind, _, coding = head.partition(";")
    return (kind, data) if coding.endswith("base64") else ("", "")
