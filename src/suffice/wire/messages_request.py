"""Anthropic Messages requests, read: JSON into `neutral.Request`. Unknown fields and blocks stay, tagged with the dialect."""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.wire import fields, reasoning
from suffice.wire.chat_request import cache_ttl
from suffice.wire.neutral import (
    File,
    Image,
    Message,
    Opaque,
    OutputFormat,
    Part,
    ReasoningRequest,
    Request,
    Sampling,
    ServerTool,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

DIALECT = "messages"
_TOP = (
    "model messages system max_tokens tools tool_choice thinking output_config metadata temperature top_p top_k "
    "stop_sequences stream service_tier output_format"
)
_KNOWN = frozenset(_TOP.split())
_TOOL_KEYS = frozenset(("name", "description", "input_schema", "type", "strict", "cache_control"))
_TEXT_KEYS = frozenset(("type", "text", "cache_control"))


def decode_request(body: bytes) -> Request:
    """Return the neutral request of a Messages body. Raises RequestError."""
    top = fields.decode_object(body)
    config = fields.mapping(top.get("output_config"), "output_config")
    metadata = fields.mapping(top.get("metadata"), "metadata")
    choice = fields.mapping(top.get("tool_choice"), "tool_choice")
    single = fields.flag(choice.get("disable_parallel_tool_use"), "tool_choice.disable_parallel_tool_use")
    system = tuple(
        Message(role="system", parts=(part,))
        for part in _content(top.get("system"), "system")
        if isinstance(part, Text)
    )
    extra = {k: v for k, v in top.items() if k not in _KNOWN and v is not None}
    more = {k: v for k, v in config.items() if k not in ("effort", "format")}
    return Request(
        dialect=DIALECT,
        model=fields.text(top.get("model"), "model"),
        system=system,
        messages=tuple(_messages(fields.rows(top.get("messages"), "messages"))),
        tools=tuple(_tool(row) for row in fields.rows(top.get("tools"), "tools")),
        tool_choice=_choice(choice),
        parallel_tools=None if single is None else not single,
        max_output_tokens=fields.whole(top.get("max_tokens"), "max_tokens", 0) or 0,
        sampling=Sampling(
            temperature=fields.number(top.get("temperature"), "temperature"),
            top_p=fields.number(top.get("top_p"), "top_p"),
            top_k=fields.whole(top.get("top_k"), "top_k"),
            stop=fields.texts(top.get("stop_sequences"), "stop_sequences"),
        ),
        reasoning=_reasoning(top.get("thinking"), config),
        output=_output(config.get("format") or top.get("output_format")),
        metadata={k: v for k, v in metadata.items() if k != "user_id"},
        user=fields.text(metadata.get("user_id"), "metadata.user_id"),
        stream=bool(fields.flag(top.get("stream"), "stream")),
        service_tier=fields.text(top.get("service_tier"), "service_tier"),
        extra=extra | ({"output_config": more} if more else {}),
    )


def _reasoning(thinking: Any, config: dict[str, Any]) -> ReasoningRequest | None:
    asked = fields.mapping(thinking, "thinking")
    effort = fields.text(config.get("effort"), "output_config.effort")
    kind = asked.get("type")
    if kind is None and not effort:
        return None
    if kind == "disabled":
        return ReasoningRequest(mode="off", effort=effort)
    return ReasoningRequest(
        mode="adaptive" if kind == "adaptive" else "on",
        effort=effort,
        budget_tokens=fields.whole(asked.get("budget_tokens"), "thinking.budget_tokens", 0),
        summary=fields.text(asked.get("display"), "thinking.display"),
    )


def _output(form: Any) -> OutputFormat | None:
    wanted = fields.mapping(form, "output_config.format")
    if wanted.get("type") != "json_schema":
        return None
    return OutputFormat(kind="schema", schema=fields.mapping(wanted.get("schema"), "output_config.format.schema"))


def _tool(row: dict[str, Any]) -> Tool | ServerTool:
    name = fields.text(row.get("name"), "tools.name")
    if row.get("type") not in (None, "custom"):
        return ServerTool(dialect=DIALECT, value=row, name=name or str(row["type"]))
    if not name:
        raise RequestError("tools.name is missing", param="tools.name")
    schema = row.get("input_schema")
    return Tool(
        name=name,
        description=fields.text(row.get("description"), "tools.description"),
        schema=None if schema is None else fields.mapping(schema, "tools.input_schema"),
        strict=fields.flag(row.get("strict"), "tools.strict"),
        cache_ttl=cache_ttl(row),
        extra={k: v for k, v in row.items() if k not in _TOOL_KEYS},
    )


def _choice(choice: dict[str, Any]) -> ToolChoice | None:
    kind = choice.get("type")
    if kind is None:
        return None
    if kind == "tool":
        return ToolChoice(mode="tool", name=fields.text(choice.get("name"), "tool_choice.name"))
    if kind == "any":
        return ToolChoice(mode="required")
    if kind in ("auto", "none"):
        return ToolChoice(mode="none" if kind == "none" else "auto")
    raise RequestError("tool_choice.type must be auto, any, tool or none", param="tool_choice.type")


def _messages(rows: list[dict[str, Any]]) -> list[Message]:
    out: list[Message] = []
    names: dict[str, str] = {}
    for row in rows:
        role = row.get("role")
        parts = _content(row.get("content"), "messages.content")
        if role == "assistant":
            names |= {p.id: p.name for p in parts if isinstance(p, ToolCall)}
            out.append(Message(role="assistant", parts=tuple(parts)))
            continue
        if role not in ("user", "system"):
            raise RequestError("messages.role must be user or assistant", param="messages.role")
        results = [
            msgspec.structs.replace(p, name=names.get(p.call_id, "")) for p in parts if isinstance(p, ToolResult)
        ]
        rest = tuple(p for p in parts if not isinstance(p, ToolResult))
        if results and out and out[-1].role == "tool":
            out[-1] = msgspec.structs.replace(out[-1], parts=(*out[-1].parts, *results))
        elif results:
            out.append(Message(role="tool", parts=tuple(results)))
        if rest or not results:
            out.append(Message(role="system" if role == "system" else "user", parts=rest))
    return out


def _content(content: Any, where: str) -> list[Part]:
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [Text(text=content)]
    return [_block(row, where) for row in fields.rows(content, where)]


def _block(row: dict[str, Any], where: str) -> Part:
    kind = row.get("type")
    mark = cache_ttl(row)
    if kind == "text":
        extra = {k: v for k, v in row.items() if k not in _TEXT_KEYS and v is not None} if len(row) > 2 else {}
        return Text(text=fields.text(row.get("text"), f"{where}.text"), cache_ttl=mark, extra=extra)
    if kind == "tool_use":
        return ToolCall(
            id=fields.text(row.get("id"), f"{where}.id"),
            name=fields.text(row.get("name"), f"{where}.name"),
            arguments=msgspec.json.encode(fields.mapping(row.get("input"), f"{where}.input")).decode(),
            cache_ttl=mark,
        )
    if kind == "tool_result":
        inner = _content(row.get("content"), f"{where}.content")
        return ToolResult(
            call_id=fields.text(row.get("tool_use_id"), f"{where}.tool_use_id"),
            parts=tuple(p for p in inner if isinstance(p, Text | Image | File | Opaque)),
            is_error=bool(fields.flag(row.get("is_error"), f"{where}.is_error")),
            cache_ttl=mark,
        )
    if kind == "thinking":
        signature = fields.text(row.get("signature"), f"{where}.signature")
        return reasoning.unsealed(fields.text(row.get("thinking"), f"{where}.thinking"), signature, DIALECT)
    if kind == "redacted_thinking":
        found = reasoning.unsealed("", fields.text(row.get("data"), f"{where}.data"), DIALECT)
        return msgspec.structs.replace(found, encrypted=found.encrypted or found.signature, signature="")
    if kind in ("image", "document") and isinstance(row.get("source"), dict):
        return _source(kind, row, mark, where)
    if not isinstance(kind, str):
        raise RequestError(f"{where}.type must be a string", param=f"{where}.type")
    return Opaque(dialect=DIALECT, value=row, cache_ttl=mark)


def _source(kind: str, row: dict[str, Any], mark: str | None, where: str) -> Part:
    source = row["source"]
    way = source.get("type")
    media = fields.text(source.get("media_type"), f"{where}.source.media_type")
    data = fields.text(source.get("data"), f"{where}.source.data") if way in ("base64", "text") else ""
    url = fields.text(source.get("url"), f"{where}.source.url")
    plain = kind == "document" and set(row) <= {"type", "source", "title", "cache_control"}
    if kind == "image" and way in ("base64", "url"):
        return Image(url=url, data=data, media_type=media, cache_ttl=mark)
    if plain and way in ("base64", "url", "text"):
        name = fields.text(row.get("title"), f"{where}.title")
        if way == "text":
            return File(name=name, text=data, media_type=media, cache_ttl=mark)
        return File(name=name, url=url, data=data, media_type=media, cache_ttl=mark)
    return Opaque(dialect=DIALECT, value=row, cache_ttl=mark)
