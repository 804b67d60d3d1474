"""Holding the tool calls of a Messages stream (`wire/hold.py` says how).

Tools that the provider runs itself are no action of the client and flow. It is pure.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suffice.values.usage import Usage
from suffice.wire import errors, sse
from suffice.wire.hold import Hold, Kind, objects
from suffice.wire.messages_client import usage_row

_STARTS = re.compile(rb'"type"\s*:\s*"content_block_start"')
_CALL = re.compile(rb'"type"\s*:\s*"tool_use"')
# A tool that the provider runs, and the arguments of whichever tool.
_FOREIGN_CALL = re.compile(rb'"type"\s*:\s*"\w+_tool_use"')
_ARGUMENTS = re.compile(rb'"type"\s*:\s*"input_json_delta"')
_SEEN = re.compile(rb'"type"\s*:\s*"(?:text_delta|thinking_delta)"')
_STOPS = re.compile(rb'"type"\s*:\s*"content_block_stop"')
_ENDS = re.compile(rb'"type"\s*:\s*"(?:message_delta|message_stop)"')
_INDEX = re.compile(rb'"index"\s*:\s*([0-9]{1,9})')
# What goes along: calls, and thinking without words, which is state that belongs to the calls behind it.
_KEPT = frozenset({"tool_use", "thinking", "redacted_thinking"})


class MessagesHold(Hold):
    """The hold of a client that speaks Messages."""

    dialect = errors.MESSAGES

    def __init__(self, request_id: str = "") -> None:
        super().__init__(request_id)
        self._next = 0
        self._open: int | None = None
        # True within a block of a tool that the provider runs.
        self._foreign = False

    def _kind(self, piece: bytes) -> Kind:
        if _SEEN.search(piece) is not None:
            return Kind.SEEN
        if _ENDS.search(piece) is not None:
            return Kind.ENDS
        if _STARTS.search(piece) is None:
            self._foreign = self._foreign and _STOPS.search(piece) is None
            # Arguments of a call whose beginning was damaged are no less an action.
            return Kind.ACTS if not self._foreign and _ARGUMENTS.search(piece) is not None else Kind.FOLLOWS
        self._foreign = _FOREIGN_CALL.search(piece) is not None
        return Kind.ACTS if _CALL.search(piece) is not None else Kind.OPENS

    def _released(self, piece: bytes) -> None:
        found = _INDEX.search(piece)
        if found is None:
            return
        if _STARTS.search(piece) is not None:
            self._open = int(found[1])
            self._next = self._open + 1
        elif _STOPS.search(piece) is not None:
            self._open = None

    def _action_of(self, other: bytes, usage: Usage) -> bytes:
        out: list[bytes] = []
        if self._open is not None:
            out.append(encoded({"type": "content_block_stop", "index": self._open}))
        block: list[dict[str, Any]] = []
        index = self._next
        for event in objects(other):
            kind = event.get("type")
            if kind == "content_block_start":
                block = [event]
            elif kind == "content_block_delta":
                block.append(event)
            elif kind == "content_block_stop":
                # Thinking is state of the calls behind it; behind edits in text there are none.
                if not self.in_text and _acts(block):
                    out += [encoded({**one, "index": index}) for one in (*block, event)]
                    index += 1
                block = []
            elif kind == "message_delta":
                out.append(encoded(_with_usage(event, usage)))
            elif kind == "message_stop":
                out.append(encoded(event))
        return b"".join(out)

    def _counted(self, other: bytes, usage: Usage) -> bytes:
        return b"".join(encoded(_with_usage(event, usage)) for event in objects(other))


def _acts(block: list[dict[str, Any]]) -> bool:
    """True for a block without words: a call, or thinking that only its provider can read."""
    begun = block[0].get("content_block") if block else None
    if not isinstance(begun, dict) or begun.get("type") not in _KEPT:
        return False
    deltas = (one.get("delta") for one in block[1:])
    return not begun.get("thinking") and not any(isinstance(d, dict) and d.get("thinking") for d in deltas)


def _with_usage(event: dict[str, Any], usage: Usage) -> dict[str, Any]:
    """Return an event with `usage` where it reports tokens."""
    if event.get("type") != "message_delta":
        return event
    row = {key: value for key, value in usage_row(usage).items() if value is not None}
    return {**event, "usage": {**(event.get("usage") or {}), **row}}


def encoded(event: dict[str, Any]) -> bytes:
    """Return an event as it goes to the client."""
    return sse.encode(msgspec.json.encode(event), str(event.get("type") or "message"))
