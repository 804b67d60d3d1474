"""Gemini requests, written: `neutral.Request` into the body of generateContent for a provider of the dialect.

Model and streaming go into the path, which the caller writes. Signatures go back on the call they came with; from Gemini 3 on
a call without one is refused, so calls of other providers get the word that Google documents for that case.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.wire import reasoning
from suffice.wire.codec import Encoded, Target
from suffice.wire.disguise import Disguise, wrap_input
from suffice.wire.gemini_config import JSON_SCHEMA_FIELD, write_config, write_tool_choice
from suffice.wire.gemini_keys import generation
from suffice.wire.gemini_request import DIALECT
from suffice.wire.gemini_schema import to_gemini
from suffice.wire.neutral import (
    File,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Request,
    ServerTool,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

FOREIGN_CALL = "skip_thought_signature_validator"
_MEDIA = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}
_OWN_TOP = frozenset({"generationConfig", "toolConfig"})
_encode = msgspec.json.Encoder().encode


def encode_request(request: Request, target: Target) -> Encoded:
    """Return the upstream body for `request`."""
    return _Writer(request, target).write()


class _Writer:
    def __init__(self, request: Request, target: Target) -> None:
        self._request, lost = reasoning.for_issuer(request, (target.issuer, DIALECT))
        self._target = target
        self._own = request.dialect == DIALECT
        self._disguise = Disguise(request.tools)
        self._names: dict[str, str] = {}
        self._strict = generation(target.model) >= 3
        if lost:
            self._disguise.dropped("reasoning", "issued by another provider")

    def write(self) -> Encoded:
        request, disguise = self._request, self._disguise
        system = [row for m in request.system for p in m.parts if (row := self._part(p)) is not None]
        contents = [row for m in request.messages if (row := self._content(m)) is not None]
        tools = self._tools()
        tool_config = write_tool_choice(request, disguise, own=self._own) if tools else {}
        config, instruction = write_config(request, self._target, disguise, own=self._own)
        if instruction:
            system.append({"text": instruction})
        body: dict[str, Any] = {}
        if system:
            body["systemInstruction"] = {"parts": system}
        if tools:
            body["tools"] = tools
        if tool_config:
            body["toolConfig"] = tool_config
        body["contents"] = contents
        if config:
            body["generationConfig"] = config
        self._rest(body)
        for name in self._target.unsupported:
            if body.pop(name, None) is not None:
                disguise.dropped(name, "the provider does not take it")
        return Encoded(body=_encode(body), losses=tuple(disguise.losses), emulation=disguise.emulation())

    def _rest(self, body: dict[str, Any]) -> None:
        request, disguise = self._request, self._disguise
        if request.parallel_tools is False and request.tools:
            disguise.dropped("parallel_tool_calls", "cannot be switched off here")
        said = {
            "verbosity": request.verbosity,
            "user": request.user,
            "metadata": request.metadata,
            "service_tier": request.service_tier,
        }
        for name, value in said.items():
            if value:
                disguise.dropped(name, "no such field here")
        for name, value in request.extra.items():
            if not self._own:
                disguise.dropped(name, "belongs to the client's dialect")
            elif name not in _OWN_TOP:
                body[name] = value

    # --- contents ---

    def _content(self, message: Message) -> dict[str, Any] | None:
        role = "model" if message.role == "assistant" else "user"
        if message.role in ("system", "developer"):
            self._disguise.emulated("messages.system", "instructions inside a conversation go as the user's words")
        parts: list[dict[str, Any]] = []
        unsigned = True
        for part in message.parts:
            if isinstance(part, ToolCall):
                parts.append(self._call(part, first=unsigned))
                unsigned = False
            elif isinstance(part, ToolResult):
                parts += self._result(part)
            elif (row := self._part(part)) is not None:
                parts.append(row)
        # An empty turn is refused, and says nothing.
        return {"role": role, "parts": parts} if parts else None

    def _call(self, call: ToolCall, *, first: bool) -> dict[str, Any]:
        name = self._disguise.name(call.name, call.namespace)
        self._names[call.id] = name
        text = wrap_input(call.arguments) if call.kind == "custom" else call.arguments
        row: dict[str, Any] = {"name": name, "args": self._object(text)}
        if call.id and "functionCall.id" not in self._target.unsupported:
            row["id"] = call.id
        out: dict[str, Any] = {"functionCall": row}
        if call.signature:
            out["thoughtSignature"] = call.signature
        elif first and self._strict:
            out["thoughtSignature"] = FOREIGN_CALL
        return out

    def _object(self, text: str) -> Any:
        """Return arguments as an object; a broken one of an earlier turn is kept as text, so that the history can be sent."""
        try:
            value = msgspec.json.decode(text) if text.strip() else {}
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            return msgspec.Raw(text.encode()) if text.strip() else {}
        self._disguise.emulated("tool_calls.arguments", "not a JSON object; sent as one string")
        return {"arguments": text}

    def _result(self, result: ToolResult) -> list[dict[str, Any]]:
        texts = [p for p in result.parts if isinstance(p, Text)]
        if len(texts) == 1 and self._own and DIALECT in texts[0].extra:
            response = texts[0].extra[DIALECT]
        else:
            response = {"error" if result.is_error else "output": "\n".join(p.text for p in texts)}
        if not isinstance(response, dict):
            response = {"output": response}
        name = self._disguise.name(result.name) if result.name else self._names.get(result.call_id, "tool")
        row: dict[str, Any] = {"name": name, "response": response}
        if result.call_id and "functionCall.id" not in self._target.unsupported:
            row["id"] = result.call_id
        out: list[dict[str, Any]] = [{"functionResponse": row}]
        media = [found for p in result.parts if not isinstance(p, Text) and (found := self._part(p)) is not None]
        if media:
            if not self._own:
                self._disguise.emulated("tool_result.image", "sent beside the result")
            out += media
        return out

    def _part(self, part: Part) -> dict[str, Any] | None:
        if isinstance(part, Text):
            return {"text": part.text} if part.text else None
        if isinstance(part, Image):
            return self._image(part)
        if isinstance(part, File):
            return self._file(part)
        if isinstance(part, Reasoning):
            return _thought(part)
        if isinstance(part, Refusal):
            return {"text": part.text} if part.text else None
        if isinstance(part, Opaque):
            if part.dialect == DIALECT and isinstance(part.value, dict):
                return part.value
            kind = part.value.get("type") if isinstance(part.value, dict) else "part"
            self._disguise.dropped(f"messages.{kind}", "only its own dialect knows it")
        return None

    def _image(self, part: Image) -> dict[str, Any]:
        if not self._target.images:
            self._disguise.dropped("messages.image", "the model does not take images")
            return {"text": "[image omitted]"}
        if part.data:
            return {"inlineData": {"mimeType": part.media_type or "image/png", "data": part.data}}
        ending = part.url.partition("?")[0].rpartition(".")[2].lower()
        media_type = part.media_type or _MEDIA.get(ending, "image/jpeg")
        return {"fileData": {"mimeType": media_type, "fileUri": part.url}}

    def _file(self, part: File) -> dict[str, Any] | None:
        if part.text:
            self._disguise.emulated("messages.file", "its text is sent inline")
            return {"text": f"<document name={part.name!r}>\n{part.text}\n</document>"}
        if part.data:
            return {"inlineData": {"mimeType": part.media_type or "application/octet-stream", "data": part.data}}
        if part.url:
            kind = {"mimeType": part.media_type} if part.media_type else {}
            return {"fileData": {**kind, "fileUri": part.url}}
        self._disguise.dropped("messages.file", "known to another provider only")
        return None

    # --- tools ---

    def _tools(self) -> list[dict[str, Any]]:
        declared: list[dict[str, Any]] = []
        others: list[dict[str, Any]] = []
        for tool in self._request.tools:
            if isinstance(tool, Tool):
                declared.append(self._declaration(tool))
            elif isinstance(tool, ServerTool) and tool.dialect == DIALECT:
                others.append(tool.value)
            else:
                self._disguise.dropped(f"tools.{tool.name or 'server'}", "only its own dialect runs it")
        return [*([{"functionDeclarations": declared}] if declared else []), *others]

    def _declaration(self, tool: Tool) -> dict[str, Any]:
        if tool.kind == "custom":
            name, description, schema = self._disguise.custom(tool)
        else:
            name, description = self._disguise.name(tool.name, tool.namespace), tool.description
            schema = tool.schema or {}
        row: dict[str, Any] = {"name": name}
        if description:
            row["description"] = description
        if self._own and tool.extra:
            row |= tool.extra
        if "parameters" not in row and schema:
            self._schema(row, name, schema)
        return row

    def _schema(self, row: dict[str, Any], name: str, schema: dict[str, Any]) -> None:
        converted, lost = to_gemini(schema)
        if lost and JSON_SCHEMA_FIELD not in self._target.unsupported:
            row[JSON_SCHEMA_FIELD] = schema
            return
        for keyword in lost:
            self._disguise.dropped(f"tools.{name}.{keyword}", "not in Gemini's schema form")
        # An object without properties is refused; no parameters at all means the same.
        if converted.get("properties") or converted.get("type") != "OBJECT":
            row["parameters"] = converted


def _thought(part: Reasoning) -> dict[str, Any] | None:
    if not part.text and not part.signature:
        return None
    row: dict[str, Any] = {"text": part.text}
    if part.text:
        row["thought"] = True
    if part.signature:
        row["thoughtSignature"] = part.signature
    return row
