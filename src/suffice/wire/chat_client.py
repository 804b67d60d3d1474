"""OpenAI chat answers, written for a client: neutral events into the chunks of a stream or one body.

Invariants: usage stands only in its own last chunk, and only when the client asked (`"usage":null` before); every tool delta
has an index; the finish reason, usage and `[DONE]` are written for `Done` alone, so never after a cut stream.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from suffice.errors import SufficeError, WireError
from suffice.values.usage import Usage
from suffice.wire import errors, reasoning, sse
from suffice.wire.codec import ClientContext
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    ReasoningDelta,
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
    "end": "stop",
    "stop_sequence": "stop",
    "pause": "stop",
    "other": "stop",
    "length": "length",
    "context_length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}


class ChatEncoder:
    """`codec.StreamEncoder` of the chat dialect."""

    def __init__(self, context: ClientContext) -> None:
        self._context = context
        self._tail = b"}\n\n"
        if context.request.include_usage:
            self._tail = b',"usage":null}\n\n'
        self._head = b""
        self._text = b""
        self._usage: Usage | None = None
        self._stop: Stop | None = None
        self._over = False

    def feed(self, event: Event) -> bytes:
        """Return the bytes for `event`."""
        kind = type(event)
        if kind is TextDelta and self._text and event.logprobs is None:  # type: ignore[union-attr]
            return self._text + _json(event.text) + b'},"logprobs":null,"finish_reason":null}]' + self._tail  # type: ignore[union-attr]
        if self._over:
            return b""
        if isinstance(event, Start):
            return self._begin(event)
        if isinstance(event, UsageReport):
            self._usage = event.usage
            return b""
        if isinstance(event, Stop):
            self._stop = event
            return b""
        begun = b"" if self._head else self._begin(Start())
        if isinstance(event, TextDelta):
            extra = {"content": event.logprobs} if event.logprobs is not None else None
            return begun + self._delta({"content": event.text}, extra)
        if isinstance(event, ReasoningDelta):
            return begun + self._delta({"reasoning_content": event.text}) if event.text else begun
        if isinstance(event, RefusalDelta):
            return begun + self._delta({"refusal": event.text})
        if isinstance(event, ToolReady):
            return begun + self._call(event.index, event.call)
        if isinstance(event, Done):
            return begun + self._finish()
        return b""

    def _begin(self, event: Start) -> bytes:
        if self._head:
            return b""
        context = self._context
        head = {
            "id": event.id or context.response_id,
            "object": "chat.completion.chunk",
            "created": event.created_s or context.created_s,
            "model": event.model or context.request.model,
        }
        self._head = b"data: " + _json(head)[:-1] + b',"choices":['
        self._text = self._head + b'{"index":0,"delta":{"content":'
        return self._delta({"role": "assistant", "content": ""})

    def _delta(self, delta: dict[str, Any], logprobs: Any = None, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return self._head + _json(choice) + b"]" + self._tail

    def _call(self, index: int, call: ToolCall) -> bytes:
        """Write a whole call as the two deltas every client knows: name with empty arguments, then the arguments."""
        row = call_row(call)
        inner = "custom" if call.kind == "custom" else "function"
        field = "input" if call.kind == "custom" else "arguments"
        text = row[inner].pop(field)
        first = {"index": index, **row, inner: {**row[inner], field: ""}}
        second = {"index": index, inner: {field: text}}
        return self._delta({"tool_calls": [first]}) + self._delta({"tool_calls": [second]})

    def _finish(self) -> bytes:
        self._over = True
        reason = FINISH[self._stop.reason] if self._stop else "stop"
        out = self._delta({}, finish=reason)
        if self._context.request.stream and self._context.request.include_usage and self._usage is not None:
            out += self._head + b'],"usage":' + _json(usage_row(self._usage)) + b"}\n\n"
        self._text = b""
        return out + b"data: [DONE]\n\n"

    def keep_alive(self) -> bytes:
        """Return a comment."""
        return b"" if self._over else sse.COMMENT

    def fail(self, error: SufficeError) -> bytes:
        """Return the error event that ends the stream; no `[DONE]` follows."""
        self._over, self._text = True, b""
        return errors.frame(errors.CHAT, error, self._context.request_id)


def call_row(call: ToolCall) -> dict[str, Any]:
    """Return a call as chat writes it in a message."""
    name = f"{call.namespace}__{call.name}" if call.namespace else call.name
    row: dict[str, Any]
    if call.kind == "custom":
        row = {"id": call.id, "type": "custom", "custom": {"name": name, "input": call.arguments}}
    else:
        row = {"id": call.id, "type": "function", "function": {"name": name, "arguments": call.arguments or "{}"}}
    if call.signature:
        sealed = reasoning.seal(call.issuer, call.signature)
        row["extra_content"] = {"google": {"thought_signature": sealed}}
    return row


def usage_row(usage: Usage) -> dict[str, Any]:
    """Return usage as chat counts it: the prompt with its cached part, the completion with its reasoning."""
    written = usage.cache_write_tokens + usage.cache_write_1h_tokens + usage.cache_write_12h_tokens
    details = {"cached_tokens": usage.cache_read_tokens, "audio_tokens": 0}
    if written:
        details["cache_write_tokens"] = written
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": details,
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def encode_response(events: Iterable[Event], context: ClientContext) -> bytes:
    """Return the body of a whole answer. Raises WireError for a Failure or when Done is missing."""
    text: list[str] = []
    refusal: list[str] = []
    thought: list[str] = []
    calls: list[dict[str, Any]] = []
    logprobs: list[Any] = []
    start, stop, usage, done = Start(), Stop(reason="end"), None, False
    for event in events:
        if isinstance(event, Failure):
            raise WireError(event.message)
        if isinstance(event, TextDelta):
            text.append(event.text)
            logprobs += event.logprobs if isinstance(event.logprobs, list) else []
        elif isinstance(event, RefusalDelta):
            refusal.append(event.text)
        elif isinstance(event, ReasoningDelta):
            thought.append(event.text)
        elif isinstance(event, ToolReady):
            calls.append(call_row(event.call))
        elif isinstance(event, Start):
            start = event
        elif isinstance(event, Stop):
            stop = event
        elif isinstance(event, UsageReport):
            usage = event.usage
        done = done or isinstance(event, Done)
    if not done:
        raise WireError("the provider's answer is not complete")
    message: dict[str, Any] = {"role": "assistant", "content": "".join(text) if text or not calls else None}
    message["refusal"] = "".join(refusal) or None
    message["annotations"] = []
    if thought:
        message["reasoning_content"] = "".join(thought)
    if calls:
        message["tool_calls"] = calls
    choice = {
        "index": 0,
        "message": message,
        "logprobs": {"content": logprobs, "refusal": None} if logprobs else None,
        "finish_reason": FINISH[stop.reason],
    }
    body: dict[str, Any] = {
        "id": start.id or context.response_id,
        "object": "chat.completion",
        "created": start.created_s or context.created_s,
        "model": start.model or context.request.model,
        "choices": [choice],
    }
    if usage is not None:
        body["usage"] = usage_row(usage)
    return _json(body)
