"""Put settings into JSON with comments and trailing commas, by text: nothing but what is asked for changes. Pure.

Must not: reformat, or decide which file may be changed. Invariant: what comes back, read without its comments, is what was there with
the settings over it, and every comment stands as it stood; else ValueError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_STRING = r'"(?:[^"\\\x00-\x1f]|\\.)*"'
_COMMENT = r"//[^\r\n]*|/\*[\s\S]*?\*/"
_TOKEN = re.compile(
    rf'(?P<space>\s+)|(?P<comment>{_COMMENT})|(?P<string>{_STRING})|(?P<mark>[{{}}\[\],:])|(?P<word>[^\s{{}}\[\],:"/]+)'
)
_REMARK = re.compile(r"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/)(?=[ \t]*\r?\n)")
_DEPTH = 100


@dataclass(slots=True, kw_only=True)
class _Node:
    """A value in the text from `start` to `end`; of an object its members, and where the next one goes (behind a comma or not)."""

    start: int
    end: int = 0
    is_object: bool = False
    is_list: bool = False
    members: dict[str, _Node] = field(default_factory=dict)
    last: int = 0
    comma: bool = False


class _Reader:
    """Reads one text into nodes. Raises ValueError for what is no JSON with comments."""

    def __init__(self, text: str) -> None:
        self.comments: list[str] = []
        self._tokens: list[tuple[str, str, int]] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ValueError(f"no JSON at character {at}")
            kind = str(found.lastgroup)
            if kind == "comment":
                self.comments.append(found[0])
            elif kind != "space":
                self._tokens.append((kind, found[0], at))
            at = found.end()
        self._next = 0

    def whole(self) -> _Node:
        node = self._value(0)
        if self._next != len(self._tokens):
            raise ValueError("something follows the value")
        return node

    def _take(self) -> tuple[str, str, int]:
        if self._next >= len(self._tokens):
            raise ValueError("it ends too early")
        self._next += 1
        return self._tokens[self._next - 1]

    def _peek(self) -> str:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else ""

    def _value(self, depth: int) -> _Node:
        kind, text, at = self._take()
        if depth > _DEPTH:
            raise ValueError("it is nested too deeply")
        if text == "{" or text == "[":
            return self._many(_Node(start=at, is_object=text == "{", is_list=text == "["), at + 1, depth)
        if kind == "mark":
            raise ValueError(f"no value at character {at}")
        json.loads(text)
        return _Node(start=at, end=at + len(text))

    def _many(self, node: _Node, last: int, depth: int) -> _Node:
        node.last, closing = last, "}" if node.is_object else "]"
        comma = True
        while self._peek() != closing:
            if not comma:
                raise ValueError("a comma is missing")
            if node.is_object:
                kind, text, _ = self._take()
                if kind != "string" or self._take()[1] != ":":
                    raise ValueError("no name of a member")
                key = json.loads(text)
                if key in node.members:
                    raise ValueError("a key stands twice")
            inner = self._value(depth + 1)
            node.last, comma = inner.end, False
            if node.is_object:
                node.members[key] = inner
            if self._peek() == ",":
                node.last, comma = self._take()[2] + 1, True
        node.comma = comma
        node.end = self._take()[2] + 1
        return node


def plain(text: str) -> str:
    """Return `text` without comments and trailing commas."""
    kept = _TOKEN.sub(lambda found: " " if found.lastgroup == "comment" else found[0], text)
    return re.sub(rf"({_STRING})|,(?=\s*[}}\]])", lambda found: found[1] or "", kept)


def merge(
    text: str, wanted: Mapping[str, object], read: Callable[[str], object], over: Callable[[object, object], object]
) -> str:
    """Return `text` with `wanted` over it. `read` parses plain JSON, `over` says what joining two values gives.

    Raises ValueError when the text is no JSON with comments, or cannot be changed without a loss.
    """
    reader = _Reader(text)
    edits = sorted(_edits(text, reader.whole(), wanted), reverse=True)
    after = text
    for start, end, new in edits:
        after = after[:start] + new + after[end:]
    again = _Reader(after)
    again.whole()
    if again.comments != reader.comments or read(plain(after)) != over(read(plain(text)), wanted):
        raise ValueError("it cannot be changed without a loss")
    return after


def _edits(text: str, node: _Node, wanted: Mapping[str, object]) -> list[tuple[int, int, str]]:
    """Return what to put in place of which part of `text`."""
    if not node.is_object:
        raise ValueError("it holds something else where a section is needed")
    out: list[tuple[int, int, str]] = []
    new: list[str] = []
    margin = _margin(text, node)
    for key, value in wanted.items():
        found = node.members.get(key)
        if found is None:
            body = json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n" + margin)
            new.append(f"\n{margin}{json.dumps(key, ensure_ascii=False)}: {body}")
        elif isinstance(value, Mapping):
            out += _edits(text, found, value)
        elif found.is_object or found.is_list:
            raise ValueError("a list or section would be replaced, and what is said in it lost")
        else:
            out.append((found.start, found.end, json.dumps(value, ensure_ascii=False)))
    if new:
        behind = "," if node.comma and node.members else ""
        # A member that is alone on the line of its brace needs a line of its own behind it.
        tail = "" if "\n" in text[node.last : node.end] else "\n" + margin[:-2]
        added, comma = ",".join(new) + behind + tail, "" if node.comma else ","
        # What is remarked behind the last member stays behind it.
        remark = _REMARK.match(text, node.last)
        place = remark.end() if remark else node.last
        out += [(place, place, added), (node.last, node.last, comma)] if remark else [(place, place, comma + added)]
    newline = "\r\n" if "\r\n" in text else "\n"
    return [(start, end, put.replace("\n", newline)) for start, end, put in out]


def _margin(text: str, node: _Node) -> str:
    """Return the white space in front of the members of an object."""
    for member in node.members.values():
        line = text[text.rfind("\n", 0, member.start) + 1 : member.start]
        if line.lstrip().startswith('"'):
            return line[: len(line) - len(line.lstrip())] or "  "
    line = text[text.rfind("\n", 0, node.start) + 1 : node.start]
    return line[: len(line) - len(line.lstrip())] + "  "
