"""Holding the action of a chat stream: text flows, and from the first tool call on everything waits until it was judged.

A client cannot act on half a tool call, so holding one costs nothing but what its check takes. This works on bytes that a
`StreamReader` made for a client of the chat dialect: whole events, whichever provider they came from. It is pure. Invariant:
what was released and what is held are together, in order, the bytes that came in.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suffice.values.usage import Usage
from suffice.wire import sse
from suffice.wire.chat_relay import Answer

# A tool call inside a string has escaped quotes and is no match; an empty list is no call.
_CALL = re.compile(rb'"tool_calls"\s*:\s*\[\s*\{|"function_call"\s*:\s*\{')
_TEXT = re.compile(rb'"(?:content|reasoning_content|reasoning)"\s*:\s*"[^"]')
_USAGE = re.compile(rb'"choices"\s*:\s*\[\s*\]')
_BOUNDARY = re.compile(rb"(?<=\n\n)|(?<=\n\r\n)|(?<=\r\r)")
_DONE = b"data: [DONE]\n\n"


class ChatHold:
    """The gate between a reader and a client. `holding` is true from the first tool call on, `spoke` once text was released."""

    def __init__(self) -> None:
        self.holding = False
        self.spoke = False
        self._held: list[bytes] = []

    def feed(self, events: bytes) -> bytes:
        """Return those of `events` (whole events) that may go on now."""
        if not self.holding and _CALL.search(events) is None:
            self._listen(events)
            return events
        if self.holding:
            self._held.append(events)
            return b""
        pieces = _BOUNDARY.split(events)
        first = next((at for at, piece in enumerate(pieces) if _CALL.search(piece) is not None), 0)
        self.holding = True
        self._held.append(b"".join(pieces[first:]))
        free = b"".join(pieces[:first])
        self._listen(free)
        return free

    @property
    def held(self) -> bytes:
        """What waits, byte for byte."""
        return b"".join(self._held)

    @property
    def tells_usage(self) -> bool:
        """True when the held part has a usage report of its own, which is then owed for whatever takes its place."""
        return _USAGE.search(self.held) is not None

    def _listen(self, events: bytes) -> None:
        self.spoke = self.spoke or _TEXT.search(events) is not None


def comment(text: str) -> bytes:
    """Return an SSE comment, which clients pass over: the place where the chat dialect can be marked."""
    return b": " + " ".join(text.split()).encode() + b"\n\n"


def continuation(head: Answer, action: Answer, *, spoke: bool, usage: Usage | None) -> bytes:
    """Return the end of a stream that began with `head` and goes on with the tool calls of `action`.

    The chunks keep the stream's id and name the model that made the calls. With `spoke`, text of `head` has been seen and
    the text of `action` is left out: two models' prose is never mixed. `usage` is reported when given.
    """
    first: dict[str, Any] = {
        "id": head.response_id or action.response_id,
        "object": "chat.completion.chunk",
        "created": 0,
    }
    first["model"] = action.model or head.model
    chunks: list[dict[str, Any]] = []
    if not spoke and action.text:
        chunks.append(_choice({"role": "assistant", "content": action.text}))
    for index, (call_id, name, arguments) in enumerate(action.tool_calls):
        call = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        chunks.append(_choice({"tool_calls": [call]}))
    chunks.append(_choice({}, action.finish_reason or ("tool_calls" if action.tool_calls else "stop")))
    if usage is not None:
        chunks.append({"choices": [], "usage": _report(usage)})
    return b"".join(sse.encode(msgspec.json.encode({**first, **chunk})) for chunk in chunks) + _DONE


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _report(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
