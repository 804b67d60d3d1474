"""Anthropic Messages answers, read: a provider's stream or whole message into neutral events.

Usage in `message_delta` is cumulative and replaces what `message_start` said, field by field. A second `message_start`
(a provider that began anew) drops the calls that were open. Invariant: `Done` comes for `message_stop` alone.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.wire import usage
from suffice.wire.codec import Target
from suffice.wire.frames import Frames
from suffice.wire.messages_request import DIALECT
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningEnd,
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

STOPS: dict[str, StopReason] = {
    "end_turn": "end",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_length",
}
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: Any = None
    stop_sequence: Any = None
    stop_details: Any = None


class _Event(msgspec.Struct):
    type: str = ""
    index: int = 0
    delta: _Delta | None = None
    content_block: Any = None
    message: Any = None
    usage: Any = None
    error: Any = None


class _Open:
    """One content block being put together."""

    __slots__ = ("json", "kind", "signature", "tool", "value")

    def __init__(self, kind: str, value: dict[str, Any]) -> None:
        self.kind, self.value = kind, value
        self.signature = ""
        self.json: list[str] = []
        self.tool = 0


_decode = msgspec.json.Decoder(_Event).decode
_decode_any = msgspec.json.Decoder().decode


class MessagesDecoder(PayloadDecoder):
    """`codec.StreamDecoder` of the Messages dialect."""

    def __init__(self, target: Target) -> None:
        super().__init__(Frames())
        self._issuer = target.issuer
        self._blocks: dict[int, _Open] = {}
        self._report: dict[str, Any] = {}
        self._tools = 0
        self._begun = False
        self._stop: Stop | None = None
        self._over = False

    def _payload(self, payload: bytes, out: list[Event]) -> None:
        if self._over:
            return
        try:
            event = _decode(payload)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            if payload == b"[DONE]":
                return
            raise WireError("the provider sent an event that is not JSON of the messages dialect") from None
        kind = event.type
        if kind == "content_block_delta":
            if event.delta is not None:
                self._delta(event.index, event.delta, out)
        elif kind == "content_block_start":
            self._open(event.index, event.content_block, out)
        elif kind == "content_block_stop":
            self._close_block(event.index, out)
        elif kind == "message_start":
            fresh = not self._begun
            self._start(event.message, out)
            if fresh:
                self._given(event.message, out)
        elif kind == "message_delta":
            self._message_delta(event, out)
        elif kind == "message_stop":
            if self._begun:
                self._finish(out)
        elif kind == "error":
            self._over = True
            out.append(failure(event.error))

    def _start(self, message: Any, out: list[Event], *, partial: bool = True) -> None:
        if not isinstance(message, dict):
            raise WireError("message_start has no message")
        # The calls still open are of the broken first try; their numbers are given anew, so the pump forgets them.
        self._tools -= sum(block.kind == "tool_use" for block in self._blocks.values())
        if self._tools:
            raise WireError("the provider began its answer anew after a whole tool call")
        self._blocks = {}
        self._count(message.get("usage"), out, partial=partial)
        if not self._begun:
            self._begun = True
            out.append(Start(id=str(message.get("id") or ""), model=str(message.get("model") or "")))

    def _given(self, message: dict[str, Any], out: list[Event]) -> None:
        """Read the blocks that are whole at the begin already: calls that code of the provider's own makes come so."""
        content = message.get("content")
        for index, value in enumerate(content if isinstance(content, list) else ()):
            self._open(index, value, out)
            self._close_block(index, out)

    def _count(self, report: Any, out: list[Event], *, partial: bool = False) -> None:
        if isinstance(report, dict):
            self._report |= {k: v for k, v in report.items() if v is not None}
            found = usage.from_anthropic(self._report)
            if found is not None:
                out.append(UsageReport(usage=found, partial=partial))

    def _open(self, index: int, value: Any, out: list[Event]) -> None:
        if not isinstance(value, dict):
            raise WireError("content_block_start has no block")
        kind = value.get("type")
        if not isinstance(kind, str) or not kind:
            # It may have been a tool call: leaving it out would make another answer of this one.
            raise WireError("a content block has no type")
        block = self._blocks[index] = _Open(kind, value)
        if kind == "tool_use":
            block.tool, self._tools = self._tools, self._tools + 1
            out.append(ToolStart(index=block.tool, id=str(value.get("id") or ""), name=str(value.get("name") or "")))
            if value.get("input"):
                out.append(ToolDelta(index=block.tool, text=msgspec.json.encode(value["input"]).decode()))
        elif kind == "text" and isinstance(value.get("text"), str) and value["text"]:
            out.append(TextDelta(text=value["text"]))
        elif kind == "thinking":
            block.signature = str(value.get("signature") or "")
            if isinstance(value.get("thinking"), str) and value["thinking"]:
                out.append(ReasoningDelta(text=value["thinking"], issuer=self._issuer))

    def _delta(self, index: int, delta: _Delta, out: list[Event]) -> None:
        kind = delta.type
        if kind == "text_delta":
            out.append(TextDelta(text=delta.text))
            return
        block = self._blocks.get(index)
        if block is None:
            raise WireError("a delta came for a content block that was not opened")
        if kind == "thinking_delta":
            out.append(ReasoningDelta(text=delta.thinking, issuer=self._issuer))
        elif kind == "signature_delta":
            block.signature += delta.signature
        elif kind == "input_json_delta" and block.kind == "tool_use":
            if delta.partial_json:
                out.append(ToolDelta(index=block.tool, text=delta.partial_json))
        elif kind == "input_json_delta":
            block.json.append(delta.partial_json)

    def _close_block(self, index: int, out: list[Event]) -> None:
        block = self._blocks.pop(index, None)
        if block is None:
            return
        if block.kind == "tool_use":
            out.append(ToolEnd(index=block.tool))
        elif block.kind == "thinking":
            out.append(ReasoningEnd(signature=block.signature, issuer=self._issuer))
        elif block.kind == "redacted_thinking":
            out.append(ReasoningEnd(encrypted=str(block.value.get("data") or ""), issuer=self._issuer))
        elif block.kind != "text":
            out.append(OpaqueBlock(dialect=DIALECT, value=_with_input(block)))

    def _message_delta(self, event: _Event, out: list[Event]) -> None:
        self._count(event.usage, out)
        delta = event.delta
        if delta is not None and delta.stop_reason:
            native = str(delta.stop_reason)
            self._stop = Stop(
                reason=STOPS.get(native, "other"),
                native=native,
                sequence=str(delta.stop_sequence or ""),
                details=delta.stop_details,
                dialect=DIALECT,
            )

    def _finish(self, out: list[Event]) -> None:
        self._over = True
        for index in [i for i, block in self._blocks.items() if block.kind != "tool_use"]:
            self._close_block(index, out)
        out += (self._stop or Stop(reason="end", dialect=DIALECT), Done())

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole message."""
        try:
            message = _decode_any(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise WireError("the provider's answer is not JSON") from None
        if not isinstance(message, dict):
            raise WireError("the provider's answer is not a JSON object")
        if message.get("type") == "error" or (message.get("error") and "content" not in message):
            return [failure(message.get("error"))]
        if not isinstance(message.get("content"), list):
            raise WireError("the provider's answer has no content")
        out: list[Event] = []
        self._start(message, out, partial=False)
        for index, value in enumerate(message["content"]):
            self._open(index, value, out)
            self._close_block(index, out)
        delta = _Delta(
            stop_reason=message.get("stop_reason"),
            stop_sequence=message.get("stop_sequence"),
            stop_details=message.get("stop_details"),
        )
        self._message_delta(_Event(delta=delta), out)
        self._finish(out)
        return out


def failure(error: Any) -> Failure:
    """Return the failure that an error object of the dialect tells."""
    value = error if isinstance(error, dict) else {"message": str(error or "the provider reported an error")}
    kind = str(value.get("type") or "")
    message = str(value.get("message") or "the provider reported an error")
    return Failure(message=message, type=kind, status=_STATUS.get(kind, 0), value=value)


def _with_input(block: _Open) -> dict[str, Any]:
    text = "".join(block.json)
    if not text:
        return block.value
    try:
        return {**block.value, "input": _decode_any(text)}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise WireError("the input of a server tool is not JSON") from None
