"""Cohere's own chat (v2), the provider's side.

Its requests are near OpenAI's chat, so `chat_upstream` writes them and the differences are put in its words here. Its streams
name every event; `message-end` is the terminator. The plan that a model tells before its calls is read as thinking.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.wire import chat_upstream, efforts, usage
from suffice.wire.codec import Encoded, StreamDecoder, Target
from suffice.wire.frames import Frames
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    Loss,
    ReasoningDelta,
    ReasoningEnd,
    Request,
    Start,
    Stop,
    StopReason,
    TextDelta,
    ToolDelta,
    ToolEnd,
    ToolStart,
    UsageReport,
)
from suffice.wire.payload_decoder import PayloadDecoder

DIALECT = "cohere"
STOPS: dict[str, StopReason] = {
    "COMPLETE": "end",
    "STOP_SEQUENCE": "stop_sequence",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
}
_FAILED_STOPS = frozenset({"ERROR", "TIMEOUT"})
_RENAMED = {"top_p": "p", "stop": "stop_sequences"}
_KEPT = frozenset(
    {
        "model",
        "messages",
        "tools",
        "max_tokens",
        "temperature",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "stream",
    }
)
_MAX_STOP = 5


def encode_request(request: Request, target: Target) -> Encoded:
    """Return the body for /v2/chat."""
    plain = msgspec.structs.replace(
        target, max_tokens_field="max_tokens", stream_options=False, developer_role=False, custom_tools=False
    )
    plain = msgspec.structs.replace(
        plain, max_stop=target.max_stop or _MAX_STOP, parallel_tool_calls=False, cache_key=""
    )
    # Thinking has another form here, the rest of the request is the same.
    encoded = chat_upstream.encode_request(msgspec.structs.replace(request, reasoning=None), plain)
    source = msgspec.json.decode(encoded.body)
    losses = [loss for loss in encoded.losses if loss.field != "top_k"]
    body: dict[str, Any] = {}
    for name, value in source.items():
        if name in _KEPT:
            body[name] = value
        elif name in _RENAMED:
            body[_RENAMED[name]] = value
        elif name == "tool_choice":
            _tool_choice(value, body, losses)
        elif name == "response_format":
            body[name] = _response_format(value)
        else:
            losses.append(Loss(kind="dropped", field=name, why="no such field here"))
    if request.sampling.top_k is not None:
        body["k"] = request.sampling.top_k
    if request.parallel_tools is False and request.tools:
        losses.append(Loss(kind="dropped", field="parallel_tool_calls", why="cannot be switched off here"))
    _thinking(request, target, body, losses)
    return Encoded(body=msgspec.json.encode(body), losses=tuple(losses), emulation=encoded.emulation)


def _tool_choice(value: Any, body: dict[str, Any], losses: list[Loss]) -> None:
    if value in ("required", "none"):
        body["tool_choice"] = value.upper()
    elif isinstance(value, dict):
        name = value.get("function", {}).get("name")
        # One tool cannot be named; offering only that one and demanding a call says the same.
        body["tools"] = [tool for tool in body.get("tools", ()) if tool.get("function", {}).get("name") == name]
        body["tool_choice"] = "REQUIRED"
        losses.append(Loss(kind="emulated", field="tool_choice", why="only the named tool is offered"))


def _response_format(value: dict[str, Any]) -> dict[str, Any]:
    inner = value.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, dict) else None
    return {"type": "json_object"} | ({"json_schema": schema} if schema else {})


def _thinking(request: Request, target: Target, body: dict[str, Any], losses: list[Loss]) -> None:
    asked = request.reasoning
    if asked is None:
        return
    if not target.reasoning:
        losses.append(Loss(kind="dropped", field="reasoning", why="the model does not think"))
    elif asked.mode == "off":
        body["thinking"] = {"type": "disabled"}
    else:
        row: dict[str, Any] = {"type": "enabled"}
        if asked.effort or asked.budget_tokens is not None:
            row["token_budget"] = efforts.budget_of(asked)
        body["thinking"] = row


class CohereDecoder(PayloadDecoder):
    """`codec.StreamDecoder` of Cohere's chat."""

    def __init__(self, target: Target) -> None:
        super().__init__(Frames())
        self._target = target
        self._begun = False
        self._thinking = False
        self._over = False
        self._calls: dict[int, tuple[int, list[str]]] = {}
        self._count = 0

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole answer. Raises WireError."""
        decoded = _object(body)
        message = decoded.get("message")
        if not isinstance(message, dict) or not decoded.get("finish_reason"):
            raise WireError("the provider's answer has no message or no finish reason")
        out: list[Event] = []
        self._start(decoded, out)
        self._think(message.get("tool_plan"), out)
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            self._content(block, out)
        calls = message.get("tool_calls")
        for index, call in enumerate(calls if isinstance(calls, list) else ()):
            self._open(index, call, out)
            self._end(index, out)
        self._stopped(decoded, out)
        return out

    def _payload(self, payload: bytes, out: list[Event]) -> None:
        if self._over or not payload or payload == b"[DONE]":
            return
        event = _object(payload)
        kind = event.get("type")
        delta = event.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        message = delta.get("message")
        message = message if isinstance(message, dict) else {}
        index = event.get("index")
        index = index if isinstance(index, int) else 0
        self._start(event, out)
        if kind in ("content-delta", "content-start"):
            self._content(message.get("content"), out)
        elif kind == "tool-plan-delta":
            self._think(message.get("tool_plan"), out)
        elif kind == "tool-call-start":
            self._open(index, message.get("tool_calls"), out)
        elif kind == "tool-call-delta":
            self._grow(index, message.get("tool_calls"))
        elif kind == "tool-call-end":
            self._end(index, out)
        elif kind == "message-end":
            self._stopped(delta, out)

    def _start(self, event: dict[str, Any], out: list[Event]) -> None:
        if not self._begun:
            self._begun = True
            out.append(Start(id=str(event.get("id") or ""), model=self._target.model))

    def _content(self, block: Any, out: list[Event]) -> None:
        if not isinstance(block, dict):
            return
        self._think(block.get("thinking"), out)
        if isinstance(block.get("text"), str) and block["text"]:
            self._end_thinking(out)
            out.append(TextDelta(text=block["text"]))

    def _think(self, text: Any, out: list[Event]) -> None:
        if isinstance(text, str) and text:
            self._thinking = True
            out.append(ReasoningDelta(text=text, issuer=self._target.issuer))

    def _end_thinking(self, out: list[Event]) -> None:
        if self._thinking:
            self._thinking = False
            out.append(ReasoningEnd(issuer=self._target.issuer))

    def _open(self, index: int, call: Any, out: list[Event]) -> None:
        row = call if isinstance(call, dict) else {}
        inner = row.get("function")
        inner = inner if isinstance(inner, dict) else {}
        self._end_thinking(out)
        self._calls[index] = (self._count, [])
        out.append(ToolStart(index=self._count, id=str(row.get("id") or ""), name=str(inner.get("name") or "")))
        self._count += 1
        self._grow(index, row)

    def _grow(self, index: int, call: Any) -> None:
        if index not in self._calls:
            raise WireError("the provider sent arguments of a call that did not begin")
        inner = call.get("function") if isinstance(call, dict) else None
        text = inner.get("arguments") if isinstance(inner, dict) else None
        if isinstance(text, str):
            self._calls[index][1].append(text)

    def _end(self, index: int, out: list[Event]) -> None:
        found = self._calls.pop(index, None)
        if found is None:
            return
        number, pieces = found
        text = "".join(pieces)
        # A call without arguments comes as "null".
        if text.strip() not in ("", "null"):
            out.append(ToolDelta(index=number, text=text))
        out.append(ToolEnd(index=number))

    def _stopped(self, event: dict[str, Any], out: list[Event]) -> None:
        self._over = True
        native = str(event.get("finish_reason") or "")
        found = usage.from_cohere(event.get("usage"))
        if found is not None:
            out.append(UsageReport(usage=found))
        if native in _FAILED_STOPS or not native:
            message = str(event.get("error") or f"the provider stopped with {native or 'no reason'}")
            out.append(Failure(message=message, type="server_error", code=native.lower() or "no_finish_reason"))
            return
        self._end_thinking(out)
        reason = STOPS.get(native, "other")
        if reason != "length":
            for index in sorted(self._calls):
                self._end(index, out)
        out += (Stop(reason=reason, native=native), Done())


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise WireError("the provider sent an event that is not a JSON object")
    return value


class Cohere:
    """`codec.ProviderCodec` of Cohere's chat. Has no state."""

    dialect = DIALECT

    def encode_request(self, request: Request, target: Target) -> Encoded:
        """Return the upstream body."""
        return encode_request(request, target)

    def stream_decoder(self, target: Target) -> StreamDecoder:
        """Return a fresh reader of one stream."""
        return CohereDecoder(target)

    def decode_response(self, body: bytes, target: Target) -> list[Event]:
        """Return the events of a whole answer. Raises WireError."""
        return CohereDecoder(target).whole(body)


CODEC = Cohere()
