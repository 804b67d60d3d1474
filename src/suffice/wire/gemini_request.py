"""Gemini requests, read: JSON into `neutral.Request`.

The model and the wish to stream stand in the path of this dialect (`wire.gemini_paths`), so the caller sets them. Field names
may come in camel or snake case. Calls and results often carry no ids: ids are made from the order of the calls, which is
the same in every later turn, or come back inside a seal (`wire.gemini_seal`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.wire import fields, gemini_seal
from suffice.wire.gemini_config import read_config, read_tool_choice
from suffice.wire.gemini_keys import camel
from suffice.wire.gemini_schema import from_gemini
from suffice.wire.neutral import (
    File,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Request,
    ServerTool,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

DIALECT = "gemini"
_KNOWN = frozenset({"model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig"})
_DECLARED = frozenset({"name", "description", "parameters", "parametersJsonSchema"})
_encode = msgspec.json.Encoder().encode


def decode_request(body: bytes) -> Request:
    """Return the neutral request of a generateContent body; `model` "" unless the body names one. Raises RequestError."""
    return from_object(fields.decode_object(body))


def from_object(decoded: dict[str, Any]) -> Request:
    """Return the neutral request of a decoded body. Raises RequestError."""
    top = camel(decoded)
    config = read_config(fields.mapping(top.get("generationConfig"), "generationConfig"))
    choice, tool_rest = read_tool_choice(fields.mapping(top.get("toolConfig"), "toolConfig"))
    extra = {k: v for k, v in top.items() if k not in _KNOWN and v is not None}
    if config.rest:
        extra["generationConfig"] = config.rest
    if tool_rest:
        extra["toolConfig"] = tool_rest
    return Request(
        dialect=DIALECT,
        model=fields.text(top.get("model"), "model").removeprefix("models/"),
        system=_system(top.get("systemInstruction")),
        messages=tuple(_Conversation().read(fields.rows(top.get("contents"), "contents"))),
        tools=_tools(top),
        tool_choice=choice,
        max_output_tokens=config.max_output_tokens,
        sampling=config.sampling,
        reasoning=config.reasoning,
        output=config.output,
        choices=config.choices,
        logprobs=config.logprobs,
        extra=extra,
    )


def _system(value: Any) -> tuple[Message, ...]:
    if isinstance(value, str):
        return (Message(role="system", parts=(Text(text=value),)),)
    content = fields.mapping(value, "systemInstruction")
    parts = tuple(
        Text(text=fields.text(row.get("text"), "systemInstruction.parts.text"))
        for row in fields.rows(content.get("parts"), "systemInstruction.parts")
        if "text" in row
    )
    return (Message(role="system", parts=parts),) if parts else ()


def _tools(top: dict[str, Any]) -> tuple[Tool | ServerTool, ...]:
    out: list[Tool | ServerTool] = []
    for row in map(camel, fields.rows(top.get("tools"), "tools")):
        for declared in fields.rows(row.pop("functionDeclarations", None), "tools.functionDeclarations"):
            out.append(_function(camel(declared)))
        out += [ServerTool(dialect=DIALECT, value={name: value}, name=name) for name, value in row.items()]
    return tuple(out)


def _function(row: dict[str, Any]) -> Tool:
    name = fields.text(row.get("name"), "tools.functionDeclarations.name")
    if not name:
        raise RequestError("tools.functionDeclarations.name is missing", param="tools.functionDeclarations.name")
    extra = {k: v for k, v in row.items() if k not in _DECLARED}
    if row.get("parametersJsonSchema") is not None:
        schema = fields.mapping(row["parametersJsonSchema"], "tools.functionDeclarations.parametersJsonSchema")
    elif row.get("parameters") is not None:
        given = fields.mapping(row["parameters"], "tools.functionDeclarations.parameters")
        schema = from_gemini(given)
        # Kept, so that a request that goes back to this dialect has the client's own words.
        extra["parameters"] = given
    else:
        schema = None
    description = fields.text(row.get("description"), "tools.functionDeclarations.description")
    return Tool(name=name, description=description, schema=schema, extra=extra)


class _Conversation:
    """Reads contents in order and gives calls and results their ids."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[ToolCall] = []

    def read(self, rows: list[dict[str, Any]]) -> list[Message]:
        """Return the messages; results stand in a `tool` message of their own before what the user says with them."""
        out: list[Message] = []
        for content in rows:
            role = content.get("role") or "user"
            if role not in ("user", "model", "function", "tool"):
                raise RequestError("contents.role must be user or model", param="contents.role")
            parts = [
                p for row in fields.rows(content.get("parts"), "contents.parts") for p in self._part(camel(row), role)
            ]
            if role == "model":
                out.append(Message(role="assistant", parts=_joined(parts)))
                continue
            results = tuple(p for p in parts if isinstance(p, ToolResult))
            rest = tuple(p for p in parts if not isinstance(p, ToolResult))
            if results and out and out[-1].role == "tool":
                out[-1] = msgspec.structs.replace(out[-1], parts=(*out[-1].parts, *results))
            elif results:
                out.append(Message(role="tool", parts=results))
            if rest or not results:
                out.append(Message(role="user", parts=rest))
        return out

    def _part(self, row: dict[str, Any], role: str) -> list[Part]:
        signature = fields.text(row.get("thoughtSignature"), "contents.parts.thoughtSignature")
        issuer, state, call_id = gemini_seal.unpack(signature, DIALECT)
        if isinstance(row.get("functionCall"), dict):
            return [self._call(camel(row["functionCall"]), issuer, state, call_id)]
        if isinstance(row.get("functionResponse"), dict):
            return [self._result(camel(row["functionResponse"]))]
        if "text" in row:
            text = fields.text(row["text"], "contents.parts.text")
            if row.get("thought") is True:
                return [Reasoning(text=text, signature=state, issuer=issuer or DIALECT, summary=True)]
            found: list[Part] = [Text(text=text)] if text else []
            if state and role == "model":
                found.append(Reasoning(signature=state, issuer=issuer))
            return found
        for name in ("inlineData", "fileData"):
            if isinstance(row.get(name), dict):
                return [_media(camel(row[name]))]
        return [Opaque(dialect=DIALECT, value=row)]

    def _call(self, row: dict[str, Any], issuer: str, state: str, sealed_id: str) -> ToolCall:
        name = fields.text(row.get("name"), "contents.parts.functionCall.name")
        if not name:
            raise RequestError("contents.parts.functionCall.name is missing", param="contents.parts.functionCall.name")
        arguments = fields.mapping(row.get("args"), "contents.parts.functionCall.args")
        self._count += 1
        call = ToolCall(
            id=fields.text(row.get("id"), "contents.parts.functionCall.id") or sealed_id or f"call_{self._count}",
            name=name,
            arguments=_encode(arguments).decode(),
            signature=state,
            issuer=issuer,
        )
        self._waiting.append(call)
        return call

    def _result(self, row: dict[str, Any]) -> ToolResult:
        name = fields.text(row.get("name"), "contents.parts.functionResponse.name")
        call_id = fields.text(row.get("id"), "contents.parts.functionResponse.id")
        # By id, else by name and order, else by order alone.
        found = next((c for c in self._waiting if call_id and c.id == call_id), None)
        if found is None and not call_id:
            found = next((c for c in self._waiting if c.name == name), None)
        if found is not None:
            self._waiting.remove(found)
        self._count += found is None
        response = row.get("response")
        parts: list[Text | Image | File | Opaque] = [_answer(response)]
        for part in map(camel, fields.rows(row.get("parts"), "contents.parts.functionResponse.parts")):
            media = part.get("inlineData") or part.get("fileData")
            parts.append(_media(camel(media)) if isinstance(media, dict) else Opaque(dialect=DIALECT, value=part))
        return ToolResult(
            call_id=call_id or (found.id if found else f"call_{self._count}"),
            parts=tuple(parts),
            is_error=isinstance(response, dict) and set(response) == {"error"},
            name=name or (found.name if found else ""),
        )


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    """Return a model's parts with the pieces of one thought put together: the signature comes last, often with no text."""
    out: list[Part] = []
    for part in parts:
        last = out[-1] if out else None
        if isinstance(part, Reasoning) and isinstance(last, Reasoning) and not last.signature:
            text = last.text + part.text
            out[-1] = msgspec.structs.replace(part, text=text, issuer=part.issuer if part.signature else last.issuer)
        elif not isinstance(part, ToolResult):
            out.append(part)
    return tuple(out)


def _answer(response: Any) -> Text:
    """Return a tool's answer as text: the one string under `output`, `result` or `error`, else the JSON."""
    if isinstance(response, dict) and len(response) == 1:
        key, value = next(iter(response.items()))
        if key in ("output", "result", "error") and isinstance(value, str):
            return Text(text=value) if key != "result" else Text(text=value, extra={DIALECT: response})
    if isinstance(response, dict) and set(response) == {"name", "content"} and isinstance(response["content"], str):
        return Text(text=response["content"], extra={DIALECT: response})  # the form of the AI SDK
    if response is None:
        return Text(text="")
    return Text(text=_encode(response).decode(), extra={DIALECT: response})


def _media(row: dict[str, Any]) -> Image | File:
    media_type = fields.text(row.get("mimeType"), "contents.parts.mimeType")
    data = fields.text(row.get("data"), "contents.parts.inlineData.data")
    url = fields.text(row.get("fileUri"), "contents.parts.fileData.fileUri")
    if media_type.startswith("image/"):
        return Image(data=data, url=url, media_type=media_type)
    name = fields.text(row.get("displayName"), "contents.parts.displayName")
    return File(name=name, data=data, url=url, media_type=media_type)
