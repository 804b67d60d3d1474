"""Fenced blocks of Markdown as models write them: backticks and tildes, nested, indented, unclosed, with any info string.

CommonMark rules, with one liberty: inside an open fence a fence line that carries an info word opens a nested one. Where that
reading leaves a fence open and the strict one does not, the strict one holds. Linear in the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(
    r"^([ \t]*(?:>[ \t]?)*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?)(`{3,}|~{3,})[ \t]*([^\n]*?)[ \t]*$", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """One fenced block: `start` and `end` are offsets of its content, `closed` is False when the text ends inside it.

    `header` is the last non-empty line before it, `later_ends` are further places where it might end (at most 3): a fence line
    inside the code looks the same as the one that closes it. `quoted`: each of its lines bears the marks (`>`) of a quotation.
    """

    info: str
    start: int
    end: int
    closed: bool
    indent: int
    header: str
    later_ends: tuple[int, ...] = ()
    quoted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    at: int
    after: int
    indent: int
    mark: str
    info: str
    lead: str
    plain: bool
    quoted: bool


def fences(text: str) -> tuple[Fence, ...]:
    """Return the outermost fenced blocks of `text` (line ends already normalised to `\\n`) in order."""
    lines = [_line(match) for match in _FENCE.finditer(text)]
    lines = [line for line in lines if not (line.mark[0] == "`" and "`" in line.info)]
    nested = _read(text, lines, nesting=True)
    if nested and not nested[-1].closed:
        strict = _read(text, lines, nesting=False)
        if strict and strict[-1].closed:
            return strict
    return nested


def _line(match: re.Match[str]) -> _Line:
    lead = match.group(1)
    return _Line(
        at=match.start(),
        after=match.end() + 1,
        indent=len(lead.expandtabs(4)),
        mark=match.group(2),
        info=match.group(3),
        lead=lead.strip(),
        plain=not lead.strip(" \t>"),
        quoted=">" in lead,
    )


def _read(text: str, lines: list[_Line], *, nesting: bool) -> tuple[Fence, ...]:
    found: list[Fence] = []
    index = 0
    while index < len(lines):
        opening = lines[index]
        close = _closing(lines, index, nesting=nesting)
        end = lines[close].at if close is not None else len(text)
        later = [] if close is None else [x.at for x in lines[close + 1 : close + 8] if _closes(x, opening)][:3]
        found.append(
            Fence(
                info=opening.info,
                start=min(opening.after, len(text)),
                end=max(end, min(opening.after, len(text))),
                closed=close is not None,
                indent=opening.indent,
                header=_header(text, opening.at),
                later_ends=tuple(later),
                quoted=opening.quoted,
            )
        )
        if close is None:
            break
        index = close + 1
    return tuple(found)


def _closes(line: _Line, opening: _Line) -> bool:
    same = line.mark[0] == opening.mark[0] and len(line.mark) >= len(opening.mark)
    # In a comment of code (` * ```cpp`) both lines bear the mark that opens an item of a list elsewhere.
    alike = line.plain or line.lead == opening.lead
    return same and not line.info and alike and line.quoted == opening.quoted and line.indent <= opening.indent + 3


def _closing(lines: list[_Line], index: int, *, nesting: bool) -> int | None:
    stack = [lines[index]]
    for at in range(index + 1, len(lines)):
        line = lines[at]
        if _closes(line, stack[-1]):
            stack.pop()
            if not stack:
                return at
        elif nesting and line.info and line.mark[0] == stack[-1].mark[0] and len(stack) < 8 and line.info[0].isalpha():
            stack.append(line)
    return None


def _header(text: str, at: int) -> str:
    before = text[max(0, at - 400) : at].rstrip()
    return before.rsplit("\n", 1)[-1].strip()
