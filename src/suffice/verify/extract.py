"""Code out of an answer: fenced, carried by a tool call, or bare; with its language, path, form and place.

It decides nothing: it says what is there and how sure it is. `certain=False` means that the piece may not be what it looks like
(a guess of where bare code begins, a fence of sample output), and no gate may reject on it alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from suffice.verify import languages
from suffice.verify.fences import Fence, fences
from suffice.verify.view import AnswerView, AskView, ToolCall

MAX_TEXT = 1_000_000


class Form(StrEnum):
    """What a piece of code is."""

    CODE = "code"
    DIFF = "diff"
    BLOCKS = "search-replace"
    PATCH = "apply-patch"
    OUTPUT = "output"


class Source(StrEnum):
    """Where a piece was found."""

    FENCE = "fence"
    BARE = "bare"
    TOOL = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One piece of code. `start` and `end` are offsets in the normalised answer text, -1 for a tool call's.

    `wider` are longer readings of the same fence (a fence line inside the code looks like the one that closes it); `replaces`
    is the text that a tool call replaces by `text`, None when it writes a whole file; `guessed` is True when neither a fence
    nor a path says the language.
    """

    text: str
    language: str = ""
    path: str = ""
    form: Form = Form.CODE
    source: Source = Source.FENCE
    closed: bool = True
    certain: bool = True
    guessed: bool = False
    start: int = -1
    end: int = -1
    info: str = ""
    wider: tuple[str, ...] = ()
    replaces: str | None = None
    call: ToolCall | None = None


def normalise(text: str) -> str:
    """Return `text` with `\\n` line ends and without a byte order mark."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.removeprefix("\ufeff")


def extract(answer: AnswerView, ask: AskView) -> tuple[Code, ...]:
    """Return the pieces of code in `answer`, in order, those of tool calls last. Empty when there are none or it is
    too large."""
    text = normalise(ask.prefill + answer.text)
    pieces: list[Code] = []
    if text.strip() and len(text) <= MAX_TEXT:
        found = fences(text)
        pieces.extend(_fenced(text, fence, ask) for fence in found)
        outside = _bare(text, ask) if not found else None
        if outside is not None:
            pieces.append(outside)
    for call in answer.tool_calls:
        if len(call.arguments) <= MAX_TEXT:
            pieces.extend(_carried(call))
    return tuple(pieces)


_DIFF = re.compile(r"^(?:diff --git |--- \S.*\n\+\+\+ \S|@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@)", re.MULTILINE)
_BLOCK = re.compile(r"^(?:<{5,9}|-{5,9}) ?(?:SEARCH|ORIGINAL)>?\s*$", re.MULTILINE)
_PATCH = re.compile(r"^\*\*\* Begin Patch\s*$", re.MULTILINE)


def form_of(text: str, language: str = "") -> Form:
    """Return what `text` is: an `apply_patch` envelope, search/replace blocks, a unified diff, or code."""
    if _PATCH.search(text):
        return Form.PATCH
    if _BLOCK.search(text):
        return Form.BLOCKS
    if language == "diff" or _DIFF.search(text):
        return Form.DIFF
    return Form.OUTPUT if language == "text" else Form.CODE


_PATH = re.compile(
    r"^(?:[\w.@+\-]+[/\\])*[\w.@+\-\[\]]+\.[A-Za-z0-9_+\-]{1,12}$|^(?:[\w.@+\-]+/)*(?:Dockerfile|Makefile|Gemfile|Rakefile)$"
)
_DECORATION = re.compile(r"^[#*>`\s\-\d.)]*(?:(?i:file(?:name)?|path)\s*:?\s*)?[`*\"']*([^\s`*\"':]+)[`*\"']*:?[`*]*$")


def header_path(header: str) -> str:
    """Return the path that a line before a fence names (`**src/a.py**`, `### a.py`, `File: a.py`), or `""`."""
    match = _DECORATION.match(header[:300])
    if match and _PATH.match(match.group(1)) and not re.fullmatch(r"[\d.]+", match.group(1)):
        return match.group(1)
    return ""


def info_parts(info: str) -> tuple[str, str]:
    """Return (language, path) of a fence's info string: `py`, `python:src/a.py`, `src/a.py`, `js title="a.js"`."""
    words = info.replace("{", " ").replace("}", " ").split()
    if not words:
        return "", ""
    first = words[0]
    head, _, tail = first.partition(":")
    path = tail if tail and _PATH.match(tail) else ""
    for word in words[1:]:
        key, _, value = word.partition("=")
        value = value.strip("\"'") if value else key
        if (key in {"title", "file", "filename", "path"} or not _) and _PATH.match(value) and not path:
            path = value
    language = languages.canonical(head) or languages.canonical(first)
    if not language and _PATH.match(first):
        return languages.of_path(first), first
    return language, path


def _fenced(text: str, fence: Fence, ask: AskView) -> Code:
    code = _inside(text[fence.start : fence.end], fence)
    language, path = info_parts(fence.info)
    path = path or header_path(fence.header)
    said = language or languages.of_path(path)
    form = form_of(code, said)
    certain, guessed = bool(said), not said
    if not said:
        guess = languages.of_content(code) if not fence.info else ""
        said, certain = guess, bool(guess) and (guess == ask.language or (not ask.language and _sure(code, ask)))
    if path.endswith(".ipynb"):
        said = "ipynb"
    return Code(
        text=code,
        language=said,
        path=path,
        form=form,
        closed=fence.closed,
        certain=certain,
        guessed=guessed,
        start=fence.start,
        end=fence.end,
        info=fence.info,
        wider=tuple(_inside(text[fence.start : end], fence) for end in fence.later_ends),
    )


_QUOTED = re.compile(r"^[ \t]{0,3}(?:>[ \t]?)+", re.MULTILINE)


def _inside(code: str, fence: Fence) -> str:
    """Return the content of a fence without what the place of the fence adds to each line."""
    if fence.quoted:
        return _QUOTED.sub("", code)
    indent = fence.indent
    if not indent:
        return code
    strip = re.compile(rf"^[ \t]{{1,{indent}}}", re.MULTILINE)
    return strip.sub("", code)


_CODE_START = re.compile(
    r"\s*(?:import |from \S+ import |def |class |async |@\w|#include|#!|#define|package |use |using |func |fn |pub "
    r"|public |private "
    r"|protected |const |let |var |function |export |module |namespace |template\s*<|interface |type \w+ |struct |enum "
    r"|impl |fun |val "
    r"|object |trait |<\?php|<!DOCTYPE|<\w+[\s>]|return\b|if\b.*[:{(]|for\b.*[:{(]|while\b.*[:{(]|local |require"
    r"|resource \"|FROM \S|SELECT |CREATE "
    r"|//|/\*|\"\"\"|'''|# |[\w.\[\]]+\s*(?:[-+*/|&]?=)[^=]|[\w.]+\(.*\)\s*;?\s*$|[{\[(]|try\b|with \w|raise |assert "
    r"|yield |unsafe |static |extern )"
)
_PROSE = re.compile(r"^[A-Z][\w'’,-]*(?: [\w'’`*\"(),-]+){4,}[.:!?]?\s*$")


def _bare(text: str, ask: AskView) -> Code | None:
    form = form_of(text)
    if form is not Form.CODE:
        return Code(text=text, form=form, source=Source.BARE, start=0, end=len(text))
    if ask.response_format.kind != "text":
        return Code(text=text, language="json", source=Source.BARE, start=0, end=len(text))
    lines = [line for line in text.split("\n") if line.strip()]
    first, last = lines[0], lines[-1]
    if not _CODE_START.match(first):
        return _after_prose(text, ask)
    if not _looks_like_code(lines):
        return None
    guess = languages.of_content(text)
    language = ask.language or guess
    # Text that begins indented continues something: without a hint nobody knows what.
    known = bool(ask.language) or not first[:1].isspace()
    certain = bool(language) and known and not _PROSE.match(first.strip()) and not _PROSE.match(last.strip())
    if guess and guess != ask.language and (ask.language or not _sure(text, ask)):
        certain = False
    return Code(text=text, language=language, source=Source.BARE, certain=certain, guessed=True, start=0, end=len(text))


def _sure(code: str, ask: AskView) -> bool:
    return languages.unmistakable(code) and not languages.asks_untold(ask.text)


def _looks_like_code(lines: list[str]) -> bool:
    marks = sum(
        1
        for line in lines[:400]
        if line.startswith((" ", "\t"))
        or line.rstrip().endswith((";", "{", "}", ":", ")", ",", "]", "("))
        or _CODE_START.match(line)
    )
    return marks * 2 >= min(len(lines), 400)


def _after_prose(text: str, ask: AskView) -> Code | None:
    at = 0
    for line in text.split("\n")[:60]:
        if _CODE_START.match(line) and languages.of_content(text[at:]):
            rest = text[at:]
            return Code(
                text=rest,
                language=languages.of_content(rest),
                source=Source.BARE,
                certain=False,
                guessed=True,
                start=at,
                end=len(text),
            )
        at += len(line) + 1
    return None


_TEXT_KEYS = ("content", "file_text", "contents", "new_content", "text", "new_source", "code", "source")
_NEW_KEYS = ("new_string", "new_str", "newText", "replace", "replacement", "new_text", "updated_text")
_OLD_KEYS = ("old_string", "old_str", "oldText", "search", "old_text", "original_text", "find")
_PATH_KEYS = (
    "path",
    "file_path",
    "filePath",
    "filename",
    "file",
    "target_file",
    "notebook_path",
    "relative_path",
    "absolute_path",
)
_PATCH_KEYS = ("patch", "diff", "input", "patch_text", "patchText")
_WRITERS = re.compile(r"write|create|edit|replace|insert|update|patch|save|notebook|str_", re.IGNORECASE)


def _first(arguments: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = arguments.get(key)
        if isinstance(value, str):
            return value
    return None


def arguments_of(call: ToolCall) -> Mapping[str, Any] | None:
    """Return the decoded arguments of `call` when they are a JSON object, else None. Never raises."""
    if len(call.arguments) > MAX_TEXT:
        return None
    try:
        value = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _carried(call: ToolCall) -> list[Code]:
    arguments = arguments_of(call)
    if arguments is None:
        text = normalise(call.arguments)
        return _patched(text, "", call) if _PATCH.search(text) else []
    path = _first(arguments, _PATH_KEYS) or ""
    patch = _first(arguments, _PATCH_KEYS) or _in_command(arguments)
    if patch is not None and form_of(normalise(patch)) is not Form.CODE:
        return _patched(normalise(patch), path, call)
    edits = arguments.get("edits")
    several = [e for e in edits if isinstance(e, dict)] if isinstance(edits, list) else [arguments]
    pieces = [_edit(edit, path, call) for edit in several[:200]]
    return [piece for piece in pieces if piece is not None]


_ADDED = re.compile(r"^\*\*\* Add File: (.+?)[ \t]*\n((?:\+[^\n]*(?:\n|\Z))*)", re.MULTILINE)


def _patched(text: str, path: str, call: ToolCall) -> list[Code]:
    """Return a patch as what it is, and the new files in it as code of their own."""
    form = form_of(text)
    pieces = [Code(text=text, form=form, path=path, source=Source.TOOL, call=call)]
    for found in _ADDED.finditer(text) if form is Form.PATCH else ():
        new = "".join(row[1:] for row in found[2].splitlines(keepends=True))
        pieces.append(
            Code(text=new, language=languages.of_path(found[1]), path=found[1], source=Source.TOOL, call=call)
        )
    return pieces


def _in_command(arguments: Mapping[str, Any]) -> str | None:
    command = arguments.get("command", arguments.get("cmd"))
    if isinstance(command, list) and len(command) >= 2 and command[0] in {"apply_patch", "applypatch"}:
        return command[1] if isinstance(command[1], str) else None
    return None


def _edit(arguments: Mapping[str, Any], path: str, call: ToolCall) -> Code | None:
    path = _first(arguments, _PATH_KEYS) or path
    language = languages.of_path(path)
    old, new = _first(arguments, _OLD_KEYS), _first(arguments, _NEW_KEYS)
    if old is not None and new is not None:
        return Code(text=new, language=language, path=path, source=Source.TOOL, replaces=old, call=call)
    text = _first(arguments, _TEXT_KEYS)
    if text is None or not path or not _WRITERS.search(call.name):
        return None
    insert = (
        any(key in arguments for key in ("insert_line", "line", "start_line", "position", "cell_id"))
        or "insert" in call.name.lower()
    )
    command = arguments.get("command")
    if command == "insert" or insert or "append" in call.name.lower():
        return Code(text=text, language=language, path=path, source=Source.TOOL, certain=False, call=call)
    return Code(text=text, language=language, path=path, source=Source.TOOL, call=call)
