"""Finds the one long array of objects that most of a large body consists of, in a single pass over it.

It only proposes where the array ends; `prescan.py` proves it. Must not be believed on its own.

How: the decoder checks the whole document and splits the array's objects on the way. How long the array is in bytes follows
from their lengths when it is written without whitespace, as the SDKs write it. For any other layout the proposal is too short, the
proof fails, and the body is split the slow way. Invariant: the proposed end is never behind the end of the array whose rows are given.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

Rows = list[dict[str, msgspec.Raw]]

# The array begins within so many bytes, or is not looked for.
_HEAD_BYTES = 65_536
_DECODERS: dict[str, Any] = {
    name: msgspec.json.Decoder(msgspec.defstruct("Body", [("rows", Rows)], rename={"rows": name}))
    for name in ("messages", "input", "contents")
}
# Whitespace after the first key of the first object shows at once that the layout is another one.
_START = {name: re.compile(rb'"%s":(?=\[(?!\{"[^"]*":[ \t\n\r]))' % name.encode()) for name in _DECODERS}


class LongList(NamedTuple):
    """A proposal: the value of the top-level field `name` lies in `[start, end)` and holds `rows`."""

    name: str
    start: int
    end: int
    rows: Rows


def find(body: bytes) -> LongList | None:
    """Return where the long array of `body` may lie, None when there is none that is easily found."""
    for name, pattern in _START.items():
        at = body.find(b'"%s"' % name.encode(), 0, _HEAD_BYTES)
        begin = pattern.match(body, at) if at >= 0 else None
        if begin is None:
            continue
        try:
            rows: Rows = _DECODERS[name].decode(body).rows
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        end = begin.end() + _least_bytes(rows)
        return LongList(name, begin.end(), end, rows) if body[end - 1 : end] == b"]" else None
    return None


def _least_bytes(rows: Rows) -> int:
    """Return the length of the array without whitespace; escapes in keys and repeated keys can only make it longer."""
    inner = fields = 0
    for row in rows:
        fields += len(row)
        for key, raw in row.items():
            inner += len(key) + len(raw)
    full = sum(map(bool, rows))  # rows with fields have one comma less than fields
    return 2 + 2 * len(rows) + inner + 4 * fields - full + max(0, len(rows) - 1)
