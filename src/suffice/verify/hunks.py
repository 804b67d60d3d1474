"""Reads the edit notations: unified diffs, search/replace blocks, and the `apply_patch` envelope.

It only reads; `apply.py` looks whether they fit. Line numbers and counts in hunk headers are kept as hints: models
miscount them, and
the tools that apply such diffs recount.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from suffice.verify.extract import header_path


class MalformedError(ValueError):
    """The text does not follow the grammar of its notation; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """One replacement: `old` lines become `new` lines. `line` is a 1-based hint or 0, `anchors` lines that must come before."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    line: int = 0
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEdit:
    """All hunks for one file. `action` is `update`, `add` or `delete`; `path` may be empty when the text names none."""

    path: str
    hunks: tuple[Hunk, ...] = ()
    action: str = "update"


_HEADER = re.compile(r"^@@+(?: -(\d+)(?:,\d+)? \+\d+(?:,\d+)?(?: @@+)?)?.*$")


def _clean(path: str) -> str:
    path = path.split("\t")[0].strip().strip('"')
    return path[2:] if path[:2] in {"a/", "b/"} else path


def unified(text: str) -> tuple[FileEdit, ...]:
    """Return the file edits of a unified diff. Raises MalformedError when it has no hunk."""
    out: list[FileEdit] = []
    path, action, hunks = "", "update", list[Hunk]()
    body: list[str] | None = None
    line = 0

    def close_hunk() -> None:
        nonlocal body
        if body is not None:
            hunk = _hunk(body, line)
            if hunk is not None:
                hunks.append(hunk)
        body = None

    def close_file() -> None:
        nonlocal hunks, path, action
        close_hunk()
        if hunks or action != "update":
            out.append(FileEdit(path=path, hunks=tuple(hunks), action=action))
        path, action, hunks = "", "update", []

    lines = text.split("\n")
    at = 0
    while at < len(lines):
        row = lines[at]
        if row.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
            close_file()
            old, new = _clean(row[4:]), _clean(lines[at + 1][4:])
            action = "add" if old == "/dev/null" else "delete" if new == "/dev/null" else "update"
            path = new if new != "/dev/null" else old
            at += 2
            continue
        if row.startswith("diff --git "):
            close_file()
        elif header := _HEADER.match(row):
            close_hunk()
            body, line = [], int(header.group(1) or 0)
        elif body is not None and (row[:1] in {" ", "+", "-", "\\", "\t"} or not row):
            body.append(row)
        elif body is not None and row.strip():
            # A context line whose leading blank was lost, or prose after the hunk.
            close_hunk()
        at += 1
    close_file()
    return tuple(out)


def _hunk(body: list[str], line: int) -> Hunk | None:
    while body and not body[-1]:
        body = body[:-1]
    old = tuple(row[1:] for row in body if row[:1] != "+" and row[:1] != "\\")
    new = tuple(row[1:] for row in body if row[:1] != "-" and row[:1] != "\\")
    if not any(row[:1] in {"+", "-"} for row in body):
        return None
    return Hunk(old=old, new=new, line=line)


_SEARCH = re.compile(r"^(?:<{5,9}|-{5,9}) ?(?:SEARCH|ORIGINAL)>?\s*$")
_MIDDLE = re.compile(r"^={5,9}\s*$")
_REPLACE = re.compile(r"^(?:>{5,9}|\+{5,9}) ?(?:REPLACE|UPDATED)\s*$")


def blocks(text: str, path: str = "") -> tuple[FileEdit, ...]:
    """Return the edits of search/replace blocks, one each, in order. Raises MalformedError when a mark is missing."""
    out: list[FileEdit] = []
    lines = text.split("\n")
    at, current = 0, path
    while at < len(lines):
        if not _SEARCH.match(lines[at]):
            named = header_path(lines[at])
            current = named or current
            at += 1
            continue
        middle = next((i for i in range(at + 1, len(lines)) if _MIDDLE.match(lines[i])), None)
        if middle is None:
            raise MalformedError(f"the block of line {at + 1} has no ======= line")
        end = next(
            (i for i in range(middle + 1, len(lines)) if _REPLACE.match(lines[i]) or _SEARCH.match(lines[i])), None
        )
        if end is None or _SEARCH.match(lines[end]):
            raise MalformedError(f"the block of line {at + 1} has no >>>>>>> REPLACE line")
        old = lines[at + 1 : middle]
        hint = 0
        while old and re.match(r"^:(?:start|end)_line:\s*\d+\s*$|^-{5,9}$", old[0]):
            old = old[1:]
        out.append(FileEdit(path=current, hunks=(Hunk(old=tuple(old), new=tuple(lines[middle + 1 : end]), line=hint),)))
        at = end + 1
    return tuple(out)


_FILE_LINE = re.compile(r"^\*\*\* (Add|Update|Delete) File: (.+?)\s*$")


def envelope(text: str) -> tuple[FileEdit, ...]:
    """Return the edits of an `apply_patch` envelope. Raises MalformedError on any line outside of its grammar."""
    lines = text.split("\n")
    start = next((i for i, row in enumerate(lines) if row.strip() == "*** Begin Patch"), None)
    end = next((i for i, row in enumerate(lines) if row.strip() == "*** End Patch"), None)
    if start is None or end is None or end < start:
        raise MalformedError("the patch has no *** End Patch line")
    out: list[FileEdit] = []
    at = start + 1
    while at < end:
        match = _FILE_LINE.match(lines[at])
        if match is None:
            if not lines[at].strip():
                at += 1
                continue
            raise MalformedError(f"line {at + 1} of the patch names no file: {lines[at][:80]!r}")
        stop = next((i for i in range(at + 1, end) if _FILE_LINE.match(lines[i])), end)
        out.append(_envelope_file(match.group(1), match.group(2), lines[at + 1 : stop], at + 2))
        at = stop
    if not out:
        raise MalformedError("the patch is empty")
    return tuple(out)


def _envelope_file(action: str, path: str, rows: list[str], first: int) -> FileEdit:
    if action == "Delete":
        return FileEdit(path=path, action="delete")
    if action == "Add":
        wrong = next((i for i, row in enumerate(rows) if row and not row.startswith("+")), None)
        if wrong is not None:
            raise MalformedError(f"line {first + wrong} of the patch: a line of a new file must begin with '+'")
        return FileEdit(path=path, action="add", hunks=(Hunk(old=(), new=tuple(row[1:] for row in rows)),))
    hunks: list[Hunk] = []
    anchors: list[str] = []
    body: list[str] = []

    def close() -> None:
        nonlocal anchors, body
        if body:
            old = tuple(row[1:] for row in body if row[:1] != "+")
            new = tuple(row[1:] for row in body if row[:1] != "-")
            hunks.append(Hunk(old=old, new=new, anchors=tuple(anchors)))
            anchors, body = [], []

    for number, row in enumerate(rows):
        if row.startswith("*** Move to: ") or row.strip() == "*** End of File":
            continue
        if row.startswith("@@"):
            close()
            anchor = row[2:].strip().removesuffix("@@").strip()
            if anchor and not re.match(r"^-\d+(,\d+)? \+\d+", anchor):
                anchors.append(anchor)
        elif not row or row[0] in " +-":
            body.append(row or " ")
        else:
            raise MalformedError(
                f"line {first + number} of the patch begins with {row[0]!r}, not with a blank, '+', '-' or '@@'"
            )
    while body and body[-1] == " ":
        body.pop()
    close()
    if not hunks and not any(row.startswith("*** Move to: ") for row in rows):
        raise MalformedError(f"the update of {path} changes nothing")
    return FileEdit(path=path, hunks=tuple(hunks))
