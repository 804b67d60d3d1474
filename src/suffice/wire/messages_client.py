"""Anthropic Messages answers, written for a client: neutral events into the events of a stream or one message.

Invariants: every event has its `event:` line and a type that the published dialect knows; blocks never overlap; input tokens
exclude the cache; `message_delta` and `message_stop` are written for `Done` alone. State of thinking that another dialect's
provider issued leaves sealed (`wire.reasoning`), so that it comes back with its owner's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from suffice.errors import SufficeError, WireError
from suffice.values.usage import Usage
from suffice.wire import errors, reasoning
from suffice.wire.codec import ClientContext
from suffice.wire.messages_request import DIALECT
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningEnd,
    RefusalDelta,
    Start,
    Stop,
    StopReason,
    TextDelta,
    ToolCall,
    ToolReady,
    UsageReport,
)

_json = msgspec.json.Encoder().encode
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
STOP_REASONS: dict[StopReason, str] = {
    "end": "end_turn",
    "other": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "stop_sequence": "stop_sequence",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
    "context_length": "model_context_window_exceeded",
}


class MessagesEncoder:
    """`codec.StreamEncoder` of the Messages dialect."""

    def __init__(self, context: ClientContext) -> None:
        self._context = context
        self._begun = False
        self._index = -1
        self._open = ""
        self._text = b""
        self._usage: Usage | None = None
        self._stop = Stop(reason="end")
        self._over = False

    def feed(self, event: Event) -> bytes:
        """Return the bytes for `event`."""
        if self._text and type(event) is TextDelta:
            return self._text + _json(event.text) + b"}}\n\n"
        if self._over:
            return b""
        if isinstance(event, UsageReport):
            self._usage = event.usage
            return b""
        if isinstance(event, Stop):
            self._stop = event
            return b""
        if isinstance(event, Start):
            return self._begin(event)
        return self._begin(Start()) + self._content(event)

    def _begin(self, start: Start) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        message: dict[str, Any] = {
            "id": start.id or self._context.response_id,
            "type": "message",
            "role": "assistant",
            "model": start.model or self._context.request.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "container": None,
            "usage": usage_row(self._usage or Usage()),
        }
        return _event("message_start", {"message": message})

    def _content(self, event: Event) -> bytes:
        if isinstance(event, TextDelta | RefusalDelta):
            if not event.text:
                return b""
            out = self._switch("text", {"type": "text", "text": "", "citations": None})
            if not self._text:
                head = {"type": "content_block_delta", "index": self._index}
                self._text = (
                    b"event: content_block_delta\ndata: " + _json(head)[:-1] + b',"delta":{"type":"text_delta","text":'
                )
            return out + self._text + _json(event.text) + b"}}\n\n"
        if isinstance(event, ReasoningDelta):
            out = self._switch("thinking", {"type": "thinking", "thinking": "", "signature": ""})
            return out + self._delta({"type": "thinking_delta", "thinking": event.text})
        if isinstance(event, ReasoningEnd):
            return self._end_thinking(event)
        if isinstance(event, ToolReady):
            return self._call(event.call)
        if isinstance(event, OpaqueBlock) and event.dialect == DIALECT:
            return self._switch("opaque", event.value, fresh=True) + self._close()
        if isinstance(event, Done):
            return self._finish()
        return b""

    def _switch(self, kind: str, block: Any, *, fresh: bool = False) -> bytes:
        """Open a block of `kind` unless one is open already."""
        if self._open == kind and not fresh:
            return b""
        out = self._close()
        self._index += 1
        self._open = kind
        return out + _event("content_block_start", {"index": self._index, "content_block": block})

    def _close(self) -> bytes:
        if not self._open:
            return b""
        self._open, self._text = "", b""
        return _event("content_block_stop", {"index": self._index})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _event("content_block_delta", {"index": self._index, "delta": delta})

    def _end_thinking(self, event: ReasoningEnd) -> bytes:
        sealed = _state(event)
        if self._open == "thinking":
            out = self._delta({"type": "signature_delta", "signature": sealed}) if sealed else b""
            return out + self._close()
        if not (event.encrypted or event.signature):
            return b""
        return self._switch("opaque", {"type": "redacted_thinking", "data": sealed}, fresh=True) + self._close()

    def _call(self, call: ToolCall) -> bytes:
        row = call_block(call)
        arguments = _json(row["input"]).decode() if call.kind == "custom" else call.arguments
        out = self._switch("tool", {**row, "input": {}}, fresh=True)
        return out + self._delta({"type": "input_json_delta", "partial_json": arguments}) + self._close()

    def _finish(self) -> bytes:
        self._over = True
        out = self._close()
        delta = {
            "stop_reason": STOP_REASONS[self._stop.reason],
            "stop_sequence": self._stop.sequence or None,
            "stop_details": self._stop.details if self._stop.dialect == DIALECT else None,
        }
        usage = usage_row(self._usage or Usage())
        out += _event("message_delta", {"delta": delta, "usage": usage})
        return out + b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

    def keep_alive(self) -> bytes:
        """Return a ping event."""
        return b"" if self._over else PING

    def fail(self, error: SufficeError) -> bytes:
        """Return the error event that ends the stream; no `message_stop` follows."""
        self._over, self._text = True, b""
        return errors.frame(errors.MESSAGES, error, self._context.request_id)


def _event(name: str, fields: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + _json({"type": name, **fields}) + b"\n\n"


def _state(event: ReasoningEnd) -> str:
    """Return the opaque string of a block; that of a provider known by name is sealed."""
    if event.encrypted:
        return reasoning.seal(event.issuer, event.encrypted, item_id=event.item_id, encrypted=True)
    return reasoning.seal(event.issuer, event.signature, item_id=event.item_id)


def call_block(call: ToolCall) -> dict[str, Any]:
    """Return a whole call as a content block."""
    name = f"{call.namespace}__{call.name}" if call.namespace else call.name
    value = {"input": call.arguments} if call.kind == "custom" else msgspec.json.decode(call.arguments or "{}")
    return {"type": "tool_use", "id": call.id, "name": name, "input": value, "caller": {"type": "direct"}}


def usage_row(usage: Usage) -> dict[str, Any]:
    """Return usage as Messages counts it: input without the cache."""
    written = usage.cache_write_tokens + usage.cache_write_1h_tokens + usage.cache_write_12h_tokens
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens + usage.cache_write_12h_tokens,
        },
        "output_tokens": usage.completion_tokens,
        "server_tool_use": None,
        "service_tier": None,
        "inference_geo": None,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
    }


def encode_response(events: Iterable[Event], context: ClientContext) -> bytes:
    """Return the body of a whole message. Raises WireError for a Failure or when Done is missing."""
    content: list[dict[str, Any]] = []
    thought: list[str] = []
    start, stop, usage, done = Start(), Stop(reason="end"), Usage(), False
    for event in events:
        if isinstance(event, Failure):
            raise WireError(event.message)
        if isinstance(event, ReasoningDelta):
            thought.append(event.text)
            continue
        if isinstance(event, ReasoningEnd):
            content += _thinking_block(event, thought)
            thought = []
        elif isinstance(event, TextDelta | RefusalDelta):
            if content and content[-1]["type"] == "text" and "citations" in content[-1]:
                content[-1]["text"] += event.text
            elif event.text:
                content.append({"type": "text", "text": event.text, "citations": None})
        elif isinstance(event, ToolReady):
            content.append(call_block(event.call))
        elif isinstance(event, OpaqueBlock) and event.dialect == DIALECT:
            content.append(event.value)
        elif isinstance(event, Start):
            start = event
        elif isinstance(event, Stop):
            stop = event
        elif isinstance(event, UsageReport):
            usage = event.usage
        done = done or isinstance(event, Done)
    if not done:
        raise WireError("the provider's answer is not complete")
    body = {
        "id": start.id or context.response_id,
        "type": "message",
        "role": "assistant",
        "model": start.model or context.request.model,
        "content": content,
        "stop_reason": STOP_REASONS[stop.reason],
        "stop_sequence": stop.sequence or None,
        "stop_details": stop.details if stop.dialect == DIALECT else None,
        "container": None,
        "usage": usage_row(usage),
    }
    return _json(body)


def _thinking_block(event: ReasoningEnd, thought: list[str]) -> list[dict[str, Any]]:
    if thought:
        return [{"type": "thinking", "thinking": "".join(thought), "signature": _state(event)}]
    if event.encrypted or event.signature:
        return [{"type": "redacted_thinking", "data": _state(event)}]
    return []


def count_tokens_body(input_tokens: int) -> bytes:
    """Return the answer of `/v1/messages/count_tokens`."""
    return _json({"input_tokens": input_tokens})
