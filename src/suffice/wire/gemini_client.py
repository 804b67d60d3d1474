"""Gemini answers, written for a client: neutral events into the chunks of a stream or one body.

Invariants: never a comment, clients of this dialect break on them; the finish reason and the closing bracket are written for
`Done` alone; every call carries its id and its signature in a seal, as clients drop ids and keep signatures.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from suffice.errors import SufficeError, WireError
from suffice.values.usage import Usage
from suffice.wire import errors, gemini_seal
from suffice.wire.codec import ClientContext
from suffice.wire.gemini_answer import DIALECT, STOPS
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
FINISH: dict[StopReason, str] = {
    "end": "STOP",
    "stop_sequence": "STOP",
    "pause": "STOP",
    "tool_calls": "STOP",
    # As in the other dialects. OTHER makes opencode ask for one more turn without an end.
    "other": "STOP",
    "length": "MAX_TOKENS",
    "context_length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
}


class GeminiEncoder:
    """`codec.StreamEncoder` of the Gemini dialect, as an event stream or as a JSON array sent piece by piece."""

    def __init__(self, context: ClientContext, *, array: bool = False) -> None:
        self._context = context
        self._array = array
        self._before, self._after = (b"[", b"") if array else (b"data: ", b"\r\n\r\n")
        self._tail = b""
        self._text = b""
        self._stop: Stop | None = None
        self._usage: Usage | None = None
        self._over = False

    def feed(self, event: Event) -> bytes:
        """Return the bytes for `event`."""
        kind = type(event)
        if kind is TextDelta and self._text:
            return self._text + _json(event.text) + self._tail  # type: ignore[union-attr]
        if self._over:
            return b""
        if isinstance(event, Start):
            self._begin(event)
            return b""
        if isinstance(event, UsageReport):
            self._usage = event.usage
            return b""
        if isinstance(event, Stop):
            self._stop = event
            return b""
        if isinstance(event, Done):
            return self._finish()
        part = part_of(event)
        return b"" if part is None else self._chunk([part])

    def _begin(self, event: Start) -> None:
        if self._tail:
            return
        head = head_of(event, self._context)
        self._tail = b'}],"role":"model"},"index":0}],' + _json(head)[1:] + self._after

    def _chunk(self, parts: list[dict[str, Any]]) -> bytes:
        if not self._tail:
            self._begin(Start())
        out = self._before + b'{"candidates":[{"content":{"parts":' + _json(parts)[:-2] + self._tail
        self._opened()
        return out

    def _opened(self) -> None:
        if self._array:
            self._before = b",\r\n"
        self._text = self._before + b'{"candidates":[{"content":{"parts":[{"text":'

    def _finish(self) -> bytes:
        if not self._tail:
            self._begin(Start())
        candidate = {"content": {"parts": [{"text": ""}], "role": "model"}, **finish_of(self._stop), "index": 0}
        head = self._tail[self._tail.index(b'"index":0}],') + len(b'"index":0}],') : len(self._tail) - len(self._after)]
        chunk = b'{"candidates":[' + _json(candidate) + b"],"
        if self._usage is not None:
            chunk += b'"usageMetadata":' + _json(usage_row(self._usage)) + b","
        self._over, self._text = True, b""
        return self._before + chunk + head + self._after + (b"]" if self._array else b"")

    def keep_alive(self) -> bytes:
        """Return nothing: clients of this dialect take no filler."""
        return b""

    def fail(self, error: SufficeError) -> bytes:
        """Return the error object that ends the stream."""
        if self._over:
            return b""
        self._over, self._text = True, b""
        body = errors.body(errors.GEMINI, error, self._context.request_id)
        return self._before + body + self._after + (b"]" if self._array else b"")


def head_of(start: Start, context: ClientContext) -> dict[str, Any]:
    """Return the fields that every chunk of an answer carries."""
    return {
        "modelVersion": start.model or context.request.model,
        "responseId": start.id or context.response_id,
    }


def finish_of(stop: Stop | None) -> dict[str, Any]:
    """Return the finish reason, in the provider's own word where it speaks this dialect, and its details."""
    if stop is None:
        return {"finishReason": "STOP"}
    own = STOPS.get(stop.native) == stop.reason or (stop.dialect == DIALECT and stop.reason == "other" and stop.native)
    native = stop.native if own else FINISH[stop.reason]
    details = stop.details if stop.dialect == DIALECT and isinstance(stop.details, dict) else {}
    return {"finishReason": native, **({} if "blockReason" in details else details)}


def part_of(event: Event) -> dict[str, Any] | None:
    """Return the part that an event becomes, None when it becomes none."""
    if isinstance(event, TextDelta | RefusalDelta):
        return {"text": event.text} if event.text else None
    if isinstance(event, ReasoningDelta):
        return {"text": event.text, "thought": True} if event.text else None
    if isinstance(event, ReasoningEnd):
        # Encrypted state of other dialects is remembered by the call's id instead.
        if not event.signature:
            return None
        return {"text": "", "thought": True, "thoughtSignature": gemini_seal.pack(event.issuer, event.signature)}
    if isinstance(event, ToolReady):
        return call_part(event.call)
    if isinstance(event, OpaqueBlock) and event.dialect == DIALECT and isinstance(event.value, dict):
        return event.value
    return None


def call_part(call: ToolCall) -> dict[str, Any]:
    """Return a whole call as one part."""
    name = f"{call.namespace}__{call.name}" if call.namespace else call.name
    text = call.arguments if call.kind == "function" else _json({"input": call.arguments}).decode()
    row = {"id": call.id, "name": name, "args": msgspec.Raw(text.encode() or b"{}")}
    return {"functionCall": row, "thoughtSignature": gemini_seal.pack(call.issuer, call.signature, call.id)}


def usage_row(usage: Usage) -> dict[str, Any]:
    """Return usage as Gemini counts it: the prompt with its cached part, candidates without thoughts."""
    out = {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": usage.output_tokens,
        "totalTokenCount": usage.prompt_tokens + usage.completion_tokens,
    }
    if usage.cache_read_tokens:
        out["cachedContentTokenCount"] = usage.cache_read_tokens
    if usage.reasoning_tokens:
        out["thoughtsTokenCount"] = usage.reasoning_tokens
    return out


def encode_response(events: Iterable[Event], context: ClientContext) -> bytes:
    """Return the body of a whole answer. Raises WireError for a Failure or when Done is missing."""
    parts: list[dict[str, Any]] = []
    start, stop, usage, done = Start(), None, None, False
    for event in events:
        if isinstance(event, Failure):
            raise WireError(event.message)
        if isinstance(event, Start):
            start = event
        elif isinstance(event, Stop):
            stop = event
        elif isinstance(event, UsageReport):
            usage = event.usage
        elif (part := part_of(event)) is not None:
            _append(parts, part)
        done = done or isinstance(event, Done)
    if not done:
        raise WireError("the provider's answer is not complete")
    content = {"parts": parts or [{"text": ""}], "role": "model"}
    body: dict[str, Any] = {"candidates": [{"content": content, **finish_of(stop), "index": 0}]}
    if usage is not None:
        body["usageMetadata"] = usage_row(usage)
    return _json(body | head_of(start, context))


def _append(parts: list[dict[str, Any]], part: dict[str, Any]) -> None:
    """Add a part; text joins the text before it, and a signature the thought it belongs to."""
    last = parts[-1] if parts else {}
    alike = "text" in part and "text" in last and part.get("thought") == last.get("thought")
    if alike and "thoughtSignature" not in last:
        parts[-1] = {**last, **part, "text": last["text"] + part["text"]}
        return
    parts.append(part)
