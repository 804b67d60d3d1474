"""Holding the function calls of a Gemini event stream (`wire/hold.py` says how).

The dialect has no place for a mark: its clients break on comments. A signature stays on the call that it belongs to. Streams
that are one JSON array are not held. It is pure.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suffice.values.usage import Usage
from suffice.wire import errors
from suffice.wire.gemini_client import usage_row
from suffice.wire.hold import Hold, Kind, payloads

_CALL = re.compile(rb'"functionCall"\s*:\s*\{')
_TEXT = re.compile(rb'"text"\s*:\s*"[^"]')
_FINISH = re.compile(rb'"finishReason"\s*:\s*"')
_ID = re.compile(rb'"responseId"\s*:\s*"([\w.:/+=-]{1,256})"')


class GeminiHold(Hold):
    """The hold of a client that speaks Gemini."""

    dialect = errors.GEMINI

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
            self._id = found[1].decode()

    def mark(self, text: str) -> bytes:
        """Return nothing: clients of this dialect take no filler."""
        return b""

    def _action_of(self, other: bytes, usage: Usage) -> bytes:
        out: list[bytes] = []
        for chunk in map(msgspec.json.decode, payloads(other)):
            kept = _acting(chunk)
            if kept is not None:
                same = {"responseId": self._id} if self._id else {}
                out.append(encoded(_counted({**kept, **same}, usage)))
        return b"".join(out)

    def _counted(self, other: bytes, usage: Usage) -> bytes:
        return b"".join(encoded(_counted(msgspec.json.decode(data), usage)) for data in payloads(other))


def _acting(chunk: Any) -> dict[str, Any] | None:
    """Return a chunk with its calls and its end alone, None when it has neither."""
    candidates = chunk.get("candidates") if isinstance(chunk, dict) else None
    if not isinstance(candidates, list) or not candidates or not isinstance(candidates[0], dict):
        return chunk if isinstance(chunk, dict) and chunk.get("usageMetadata") else None
    first = candidates[0]
    content: dict[str, Any] = first["content"] if isinstance(first.get("content"), dict) else {}
    parts = [p for p in content.get("parts") or () if isinstance(p, dict) and "functionCall" in p]
    if not parts and not first.get("finishReason"):
        return None
    return {**chunk, "candidates": [{**first, "content": {**content, "parts": parts or [{"text": ""}]}}]}


def _counted(chunk: dict[str, Any], usage: Usage) -> dict[str, Any]:
    row = chunk.get("usageMetadata")
    if not isinstance(row, dict):
        return chunk
    # Lists of details by modality are of one answer only.
    plain = {key: value for key, value in row.items() if not key.endswith("Details")}
    return {**chunk, "usageMetadata": {**plain, **usage_row(usage)}}


def encoded(chunk: dict[str, Any]) -> bytes:
    """Return a chunk as an event."""
    return b"data: " + msgspec.json.encode(chunk) + b"\r\n\r\n"
