"""Holding the tool calls of a chat stream (`wire/hold.py` says how).

Only the first choice is read: a request for several is not held. It is pure.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suffice.values.usage import Usage
from suffice.wire import errors, sse
from suffice.wire.chat_client import usage_row
from suffice.wire.hold import Hold, Kind, payloads

# A tool call inside a string has escaped quotes and is no match; an empty list is no call.
_CALL = re.compile(rb'"tool_calls"\s*:\s*\[\s*\{|"function_call"\s*:\s*\{')
_TEXT = re.compile(rb'"(?:content|reasoning_content|reasoning|refusal)"\s*:\s*"[^"]')
_ID = re.compile(rb'"id"\s*:\s*"((?:[^"\\]|\\.){1,256})"')
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"|data:\s*\[DONE\]')
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_ACTIONS = ("tool_calls", "function_call")


class ChatHold(Hold):
    """The hold of a client that speaks chat."""

    dialect = errors.CHAT

    def __init__(self, request_id: str = "") -> None:
        super().__init__(request_id)
        self._id = ""

    def _kind(self, piece: bytes) -> Kind:
        if _CALL.search(piece) is not None:
            return Kind.ACTS
        if _FINISH.search(piece) is not None:
            return Kind.ENDS
        return Kind.SEEN if _TEXT.search(piece) is not None else Kind.FOLLOWS

    def _released(self, piece: bytes) -> None:
        if not self._id and (found := _ID.search(piece)) is not None:
            self._id = msgspec.json.decode(b'"' + found.group(1) + b'"')

    def _action_of(self, other: bytes, usage: Usage) -> bytes:
        """The chunks keep the stream's id and name the model that made the calls."""
        out: list[bytes] = []
        for data in payloads(other):
            if data == sse.DONE:
                out.append(sse.encode(data))
                continue
            chunk = _acting(msgspec.json.decode(data))
            if chunk is not None:
                out.append(
                    sse.encode(msgspec.json.encode(_counted({**chunk, "id": self._id or chunk.get("id")}, usage)))
                )
        return b"".join(out)

    def _counted(self, other: bytes, usage: Usage) -> bytes:
        out: list[bytes] = []
        for piece in sse.pieces(other):
            found = _USAGE.search(piece) and payloads(piece)
            out.append(
                sse.encode(msgspec.json.encode(_counted(msgspec.json.decode(found[0]), usage))) if found else piece
            )
        return b"".join(out)


def _acting(chunk: Any) -> dict[str, Any] | None:
    """Return a chunk without its words, None when nothing is left of it."""
    choices = chunk.get("choices") if isinstance(chunk, dict) else None
    if not isinstance(choices, list):
        return None
    if not choices or not isinstance(choices[0], dict):
        return chunk if chunk.get("usage") else None
    choice = choices[0]
    said = choice.get("delta")
    delta = {key: said[key] for key in _ACTIONS if said.get(key)} if isinstance(said, dict) else {}
    if not (delta or choice.get("finish_reason") or chunk.get("usage")):
        return None
    return {**chunk, "choices": [{**choice, "delta": delta}]}


def _counted(chunk: dict[str, Any], usage: Usage) -> dict[str, Any]:
    if not chunk.get("usage"):
        return chunk
    return {**chunk, "usage": {**chunk["usage"], **usage_row(usage)}}
