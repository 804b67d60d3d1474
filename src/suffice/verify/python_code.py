"""Python source: does it parse, as a module, a fragment, a session, a notebook cell, or in an older or newer dialect.

`read` never raises and never runs anything. A text that this interpreter cannot parse but another Python could is `UNSURE`.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from dataclasses import dataclass
from enum import StrEnum

from suffice.verify.scan import scan

MAX_CODE = 400_000
MAX_DEPTH = 150


class Status(StrEnum):
    """Whether a text is a program of its language."""

    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parse:
    """The reading of one piece. `why` is for a person, `line` counts from 1 (0 unknown), `cut` says the error is at the end."""

    status: Status
    why: str = ""
    line: int = 0
    cut: bool = False
    whole: bool = True
    tree: ast.Module | None = None


_NEWER = (
    (re.compile(r"^(\s*(?:async\s+)?def\s+\w+)\[[^\n]*?\](?=\()", re.MULTILINE), r"\1"),
    (re.compile(r"^(\s*class\s+\w+)\[[^\n]*?\](?=[(:])", re.MULTILINE), r"\1"),
    (re.compile(r"^(\s*)type\s+(\w+)(?:\[[^\n]*?\])?\s*=", re.MULTILINE), r"\1\2 ="),
    (re.compile(r"^(\s*except\*?\s+)([\w.]+(?:\s*,\s*[\w.]+)+)\s*:", re.MULTILINE), r"\1(\2):"),
    (re.compile(r"\b(?:[rR]?[tT]|[tT][rR])(?=[\"'])"), "f"),
    (re.compile(r"^(\s*)lazy\s+(?=import |from )", re.MULTILINE), r"\1"),
)
_OLDER = re.compile(
    r"^\s*(?:print\s+(?![=(+\-*/.,:)\]}])|exec\s+[\"'\w]|raise\s+\w+\s*,|except\s+[\w.()]+(?:\s*,\s*\w+)\s*:)|<>"
    r"|\bur['\"]|(?<![\w.])0[0-7]+\b(?!\.)|\d+L\b|`[^`\n]+`",
    re.MULTILINE,
)
_MAGIC = re.compile(
    r"^(\s*)(?:[%!](?=[A-Za-z_%.{$(/~]).*|[\w.]+\?{1,2}\s*|\?{1,2}[\w.]+\s*)$|^(\s*[\w, ]+=\s*)[%!][a-z].*$",
    re.MULTILINE,
)
_NOT_PYTHON = re.compile(
    r"^\s*(?:\$ |>\s?\w|In \[\d*\]:|Out\[\d*\]:|Traceback \(most recent|(?:pip3?|python3?|uv|conda|poetry|npm|cd|git"
    r"|curl|export|source|sudo|apt(?:-get)?|docker) [\w\-./$])",
    re.MULTILINE,
)
_HOLES = re.compile(
    r"(?:,|\()\s*\.\.\.\s*,?\s*[A-Za-z_]\w*\s*=|^\s*\.\.\.\s+\S|\S\s+\.\.\.\s*$|<[a-z]+(?:[ _-][a-z]+)+>|…"
    r"|[\[(]\s*\.{3}\s*[\])]\s*\w",
    re.MULTILINE,
)


_DOTS = re.compile(r"\s*(?:\.\.\.|…),?\s*")


def read(code: str) -> Parse:
    """Return how `code` reads as Python. Never raises."""
    if len(code) > MAX_CODE or "\0" in code:
        return Parse(status=Status.UNSURE, why="too large or binary")
    balance = scan(code, "python")
    if balance is not None and balance.depth > MAX_DEPTH:
        return Parse(status=Status.UNSURE, why=f"brackets {balance.depth} deep")
    first = _parse(code)
    if first.status is not Status.BAD:
        return first
    return _otherwise(code, first)


def _parse(code: str) -> Parse:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except SyntaxError as error:
        line = error.lineno or 0
        lines = code.rstrip().count("\n") + 1
        last = code.rstrip().rsplit("\n", 1)[-1]
        at_end = line > lines or (line == lines and (error.offset or 0) > len(last))
        never = error.msg.endswith("was never closed") or error.msg.startswith(
            ("unterminated triple", "expected an indented")
        )
        return Parse(status=Status.BAD, why=f"{error.msg} (line {line})", line=line, cut=at_end or never)
    except (MemoryError, RecursionError, ValueError, OverflowError, SystemError):
        return Parse(status=Status.UNSURE, why="too deep for the parser")
    return Parse(status=Status.GOOD, tree=tree)


def _otherwise(code: str, first: Parse) -> Parse:
    """Try the contexts in which `code` would be right: dedented, in a block, in a session, with magics, in another Python."""
    for fragment in _fragments(code):
        parsed = _parse(fragment)
        if parsed.status is Status.GOOD:
            return Parse(status=Status.GOOD, whole=False, tree=parsed.tree, why="a fragment")
    session = doctest_source(code)
    if session is not None:
        parsed = _parse(session)
        return Parse(
            status=Status.GOOD if parsed.status is Status.GOOD else Status.UNSURE, whole=False, why="a session"
        )
    plain = _MAGIC.sub(lambda m: f"{m.group(1)}pass" if m.group(1) is not None else f"{m.group(2)}None", code)
    if plain != code and (code.lstrip().startswith("%%") or _parse(plain).status is Status.GOOD):
        return Parse(status=Status.GOOD, whole=False, why="IPython")
    # Only the line that fails may excuse it: a docstring elsewhere is full of prompts and backticks.
    lines = code.split("\n")
    failed = lines[first.line - 1] if 0 < first.line <= len(lines) else ""
    if "comma" in first.why and any(_DOTS.fullmatch(line) for line in lines[max(0, first.line - 2) : first.line]):
        failed = "... and more"
    if re.fullmatch(r"\s*(?:async )?def \w+\([^\n]*\)\s*->\s*[^\n:]+\s*", code):
        return Parse(status=Status.UNSURE, why="a signature alone", line=first.line)
    excused = any(pattern.search(failed) for pattern in (_OLDER, _NOT_PYTHON, _HOLES)) or "{%" in code or "<%" in code
    if first.why.startswith(("unterminated triple", "'(' was", "'[' was", "'{' was", "unexpected EOF")):
        # Nothing but the end of the text is wrong here.
        excused = False
    if excused or _other_python(code):
        return Parse(
            status=Status.UNSURE, why=f"another dialect, a session or a template: {first.why}", line=first.line
        )
    return first


def _fragments(code: str) -> list[str]:
    dedented = textwrap.dedent(code)
    body = textwrap.indent(dedented, "    ")
    stripped = dedented.lstrip()
    out = []
    if dedented != code:
        out.append(dedented)
    if code[:1] in " \t":
        # The first line may be deeper than the rest: a body whose end closes its block.
        out.append("if 1:\n" + code)
        out.append("class _:\n    def _():\n" + code)
    elif re.search(r"^\s+\S", code, re.MULTILINE):
        head, _, rest = code.partition("\n")
        out.append(head + "\n" + textwrap.dedent(rest))
    if stripped.startswith(("else", "elif")):
        out.append("if 1:\n    pass\n" + dedented)
    if stripped.startswith(("except", "finally")):
        out.append("try:\n    pass\n" + dedented)
    if stripped.startswith("case "):
        out.append("match _:\n" + body)
    if stripped.startswith("@") and not re.search(r"^(?:async )?(?:def|class)\b", dedented, re.MULTILINE):
        out.append(dedented.rstrip() + "\ndef _(): pass\n")
    return out


def _other_python(code: str) -> bool:
    newer = code
    for pattern, plain in _NEWER:
        newer = pattern.sub(plain, newer)
    if newer != code and _parse(newer).status is Status.GOOD:
        return True
    nested = _parse(newer).why
    if "f-string" in nested or re.search(r"\b[rR]?[fFtT][rR]?(['\"])[^\n]*\{[^\n{}]*(?:\1|\\)[^\n{}]*\}", newer):
        return _nested_quotes(newer)
    return False


_F_STRING_LINE = re.compile(r"^.*\b[rR]?[fFtT][rR]?[\"'].*$", re.MULTILINE)


def _nested_quotes(code: str) -> bool:
    """True when the code parses once the replacement fields of its f-strings are emptied (quotes inside them: Python 3.12)."""
    emptied = _F_STRING_LINE.sub(lambda line: re.sub(r"(?<=\{)[^{}\n]*(?=\})", "0", line.group()), code)
    return _parse(emptied).status is Status.GOOD


_PROMPT = re.compile(r"^\s*(>>>|\.\.\.)(?: (.*))?$")


def doctest_source(code: str) -> str | None:
    """Return the statements of an interactive session (`>>> ` lines), or None when `code` is not one."""
    if not re.match(r"\s*>>> ", code):
        return None
    out = []
    for line in code.split("\n"):
        match = _PROMPT.match(line)
        if match:
            out.append(match.group(2) or "")
    return "\n".join(out) + "\n"
