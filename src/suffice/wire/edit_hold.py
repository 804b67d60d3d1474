"""Holding edits that stand in the text of a chat answer: search/replace blocks, diffs, patches, fenced files.

For clients without tools, which read edits out of the text. Prose flows; from the line on which an edit may begin everything
waits until the answer is whole and judged (`wire/hold.py`). What takes its place is the edits of another answer with the lines
that name their files, none of its prose. It is pure.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any

import msgspec

from suffice.wire import sse
from suffice.wire.chat_hold import ChatHold
from suffice.wire.hold import Hold, Kind, objects

# How a line begins that opens an edit; a line that may still become one waits too.
_OPENERS = ("```", "~~~", "<<<<<<< ", "*** Begin Patch", "diff --git ", "--- a/", "--- /")
_LONGEST = max(map(len, _OPENERS))
# Regions of an answer that are edits: from an opening line to the line that closes it.
_EDITS = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[^\n]*\n.*?^(?P=fence)[ \t]*$"
    r"|^<{5,9} ?SEARCH.*?^>{5,9} ?REPLACE[^\n]*$"
    r"|^\*\*\* Begin Patch.*?^\*\*\* End Patch[^\n]*$"
    r"|^(?:diff --git |--- (?:a/|/))[^\n]*\n(?:(?:[-+ @\\]|index |new file|deleted|rename|similarity|old mode|new mode)[^\n]*\n?|\n)+",
    re.MULTILINE | re.DOTALL,
)
_NAMES_A_FILE = re.compile(r"[*_#`\s]*[\w./\\@-]+\.\w{1,12}[*_`:\s]*\Z")


class Opening:
    """Looks for the line on which an edit begins in a text that comes piece by piece."""

    def __init__(self) -> None:
        self._line = ""

    def kind(self, text: str) -> Kind:
        """Return what the next piece is: an edit has begun, one may have, or prose."""
        rows = (self._line + text).split("\n")
        self._line = rows[-1][: _LONGEST + 4]
        starts = [row.lstrip(" ") for row in rows]
        if any(row.startswith(_OPENERS) for row in starts):
            return Kind.ACTS
        last = starts[-1]
        return Kind.OPENS if last and any(opener.startswith(last) for opener in _OPENERS) else Kind.SEEN


class EditsInText(Hold):
    """What a hold does beside its dialect's own when its client reads edits out of the text; it stands before that hold."""

    in_text = True

    def __init__(self, request_id: str = "") -> None:
        super().__init__(request_id)
        self._opening = Opening()

    def _shown(self, piece: bytes) -> Kind:
        return self._opening.kind(self._said(piece))

    def _said(self, events: bytes) -> str:
        """Return the text of whole events, thinking left out."""
        return "".join(map(self._text, objects(events)))

    def _before(self, other: bytes) -> bytes:
        edits = edits_of(self._said(other))
        return self._added(edits, objects(other)[0]) if edits else b""

    @abstractmethod
    def _added(self, edits: str, first: dict[str, Any]) -> bytes:
        """Return the events that add `edits` to the stream that has begun; `first` is the first event of the answer they are from."""

    @staticmethod
    @abstractmethod
    def _text(event: dict[str, Any]) -> str:
        """Return the text that one event adds to the answer."""


class EditHold(EditsInText, ChatHold):
    """The hold of a chat client that reads edits out of the text."""

    def _added(self, edits: str, first: dict[str, Any]) -> bytes:
        choice = {"index": 0, "delta": {"content": edits}, "finish_reason": None}
        chunk = {key: value for key, value in first.items() if key != "usage"}
        chunk |= {"id": self._id or first.get("id"), "choices": [choice]}
        return sse.encode(msgspec.json.encode(chunk))

    @staticmethod
    def _text(event: dict[str, Any]) -> str:
        choices = event.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        delta = first.get("delta") if isinstance(first, dict) else None
        content = delta.get("content") if isinstance(delta, dict) else None
        return content if isinstance(content, str) else ""


def edits_of(text: str) -> str:
    """Return the edits in `text`, each with the line before it where that names its file, "" when there are none."""
    text = text.replace("\r\n", "\n")
    out: list[str] = []
    for found in _EDITS.finditer(text):
        before = text[: found.start()].rstrip("\n").rpartition("\n")[2]
        name = before.strip() + "\n" if before.strip() and _NAMES_A_FILE.match(before) else ""
        out.append(f"{name}{found[0].rstrip()}\n")
    return "\n" + "\n".join(out) if out else ""
