"""Which files a conversation shows: fenced with a path, in `<file>` tags, or as the result of a tool that reads; and
what changed them.

`Files.full` holds what is known in full and still holds, `Files.part` excerpts and what may be stale.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

from suffice.verify.apply import apply
from suffice.verify.extract import arguments_of, extract, header_path, info_parts, normalise
from suffice.verify.fences import fences
from suffice.verify.view import AnswerView, AskView, ToolCall

_TAG = re.compile(
    r"<(?:file|document|file_content|source)\b[^>]*?\b(?:path|name|filename"
    r"|file)=[\"']([^\"'\n]+)[\"'][^>]*>\n?(.*?)\n?</(?:file|document|file_content|source)>",
    re.DOTALL,
)
_READ = re.compile(
    r"^(?:read|cat|view|open|get|show|fetch)?_?-?(?:file|read|view|cat|open|text_file|file_contents?)(?:_contents?"
    r"|_text)?s?$|read_?file|view_?file|cat_?file|open_?file",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"read|view|cat|list|ls|glob|grep|search|find|tree|todo|think|web|fetch|open|get|show|ask|status|diagnos",
    re.IGNORECASE,
)
_SHELL_READ = re.compile(r"^\s*(?:cat|head -n \d+|nl -ba|nl|cat -n)\s+['\"]?([^\s'\"|;&<>*]+)['\"]?\s*$")
_SHELL_SAFE = re.compile(
    r"^\s*(?:cd [^;&|]+ && )?(?:cat|ls|grep|rg|find|head|tail|wc|pwd|tree|nl|which|echo [^>]*|git (?:status|diff|log"
    r"|show|grep)|pytest|python3? -m (?:pytest|unittest|mypy)|sed -n)\b[^>;&|`]*$"
)
_NUMBERED = re.compile(r"^\s*(\d+)(?:\t|→|\s*\| ?|: ?)(.*)$")
_RANGE_KEYS = ("view_range", "offset", "limit", "start_line", "end_line", "start", "end", "lines", "line_range")
_FAILED = re.compile(
    r"\A\s*(?:error|failed|apply_patch verification failed|no such file|cannot|could not|permission denied|<error"
    r"|tool error|file (?:not found|does not exist)|old_str|string to replace|invalid)",
    re.IGNORECASE,
)
_CUT = re.compile(
    r"\[?(?:output |file |content |response )?(?:was )?truncated|<truncated|\.\.\. ?\(?\d+ (?:more )?lines|lines? "
    r"omitted|\[\d+ lines|<response clipped>",
    re.IGNORECASE,
)

# What Codex writes above the output of a command that ended well, how a bad end is told, and a cut in the middle.
_RAN = re.compile(
    r"\A(?:Chunk ID: [^\n]*\n)?(?:Exit code: 0\n)?Wall time: [^\n]*\n(?:Process exited with code 0\n)?"
    r"(?:Original token count: \d+\n)?(?:Total output lines: \d+\n)?Output:\n"
)
_ENDED_BADLY = re.compile(r"^(?:Process exited with code|Exit code:) *[1-9-]|^Process running with", re.MULTILINE)
_CUT_INSIDE = re.compile(r"(?:…|\.\.\.) ?\d+ (?:tokens|lines|chars|characters) truncated")


@dataclass(slots=True)
class Files:
    """The files shown so far by path."""

    full: dict[str, str] = field(default_factory=dict)
    part: dict[str, str] = field(default_factory=dict)

    def know(self, path: str, text: str, *, whole: bool) -> None:
        """Remember that the conversation shows `text` as the file at `path`."""
        path = path.strip()
        if whole:
            self.part.pop(path, None)
            self.full[path] = text
        elif path not in self.full:
            self.part[path] = (self.part.get(path, "") + "\n" + text).lstrip("\n")

    def doubt(self, path: str | None = None) -> None:
        """From now on `path`, or every file, may differ from what was shown."""
        for key in [path] if path is not None else list(self.full):
            if key in self.full:
                self.part[key] = self.full.pop(key)


def shown_files(files: Files, text: str) -> None:
    """Take in the files that a message of the user shows."""
    text = normalise(text)
    if len(text) > 1_000_000:
        return
    for match in _TAG.finditer(text):
        body, _ = unnumbered(match.group(2))
        files.know(match.group(1), body, whole=not _CUT.search(body[-300:]))
    for fence in fences(text):
        path = info_parts(fence.info)[1] or header_path(fence.header)
        body = text[fence.start : fence.end]
        if path and fence.closed:
            elided = re.search(r"^\s*(?:#|//|/\*)?\s*(?:\.\.\.|…)", body, re.MULTILINE) is not None
            files.know(path, body, whole=not elided)


def unnumbered(dump: str) -> tuple[str, int]:
    """Return a `cat -n` like dump without its line numbers, and the first number (1 when there are none)."""
    rows = dump.split("\n")
    filled = [row for row in rows if row.strip()]
    found = [_NUMBERED.match(row) for row in filled]
    if len(filled) < 1 or not all(found):
        return dump, 1
    numbers = [int(match.group(1)) for match in found if match]
    if any(b != a + 1 for a, b in itertools.pairwise(numbers)):
        return dump, 1
    body = "\n".join(match.group(2) for match in found if match)
    return body + ("\n" if dump.endswith("\n") else ""), numbers[0]


def tool_result(files: Files, call: ToolCall, result: str) -> None:
    """Take in what the result of `call` shows of a file, or what the call may have changed."""
    arguments = arguments_of(call)
    if arguments is None:
        # Free text is an edit where it is a patch; whatever else it is may change any file.
        _was_written(files, call, "", normalise(result))
        return
    path = next(
        (
            str(arguments[k])
            for k in ("path", "file_path", "filePath", "filename", "file", "target_file", "absolute_path")
            if isinstance(arguments.get(k), str)
        ),
        "",
    )
    command = next(
        (arguments[k] for k in ("command", "cmd", "script", "input") if isinstance(arguments.get(k), str)), ""
    )
    result = normalise(result)
    if path and (_READ.search(call.name) or command == "view"):
        _was_read(files, path, result, ranged=any(arguments.get(k) is not None for k in _RANGE_KEYS))
        return
    if command and not path:
        shown = _SHELL_READ.match(command)
        if shown:
            _was_read(files, shown.group(1), result, ranged=command.lstrip().startswith("head"))
        elif not _SHELL_SAFE.match(command):
            files.doubt()
        return
    _was_written(files, call, path, result)


def _was_read(files: Files, path: str, result: str, *, ranged: bool) -> None:
    if _FAILED.search(result[:200]) or _ENDED_BADLY.search(result[:300]):
        return
    whole = not _CUT_INSIDE.search(result)
    result = re.sub(
        r"\A<file>\n|\n?</file>\s*\Z|\n*<system-reminder>[\s\S]*\Z|\AHere's the result of running `cat -n` on [^\n]*:\n",
        "",
        result,
    )
    body, first = unnumbered(_RAN.sub("", result))
    files.know(
        path,
        body,
        whole=whole and not ranged and first <= 1 and not _CUT.search(result[-400:]) and not _CUT.search(result[:200]),
    )


def _was_written(files: Files, call: ToolCall, path: str, result: str) -> None:
    if _FAILED.search(result[:200]):
        return
    pieces = extract(AnswerView(tool_calls=(call,)), AskView())
    applied = apply(pieces, files.full, frozenset())
    if pieces and applied.fitting and not applied.problems:
        files.full.update(applied.after)
    elif path:
        files.doubt(path)
    elif not _HARMLESS.search(call.name):
        files.doubt()
