"""Find what the person asked for inside what their client sent.

Agents and editors wrap the ask in reminders, file dumps, open tabs, rules and dates. Reading those as the ask is how
routers go wrong: the environment always mentions tests, errors and passwords. What is left here is prose without the
environment and without code, and, kept apart, what shape of code came with it.

Invariant: work is bounded by the window of the text, whatever the text holds.
"""

from __future__ import annotations

import re

import msgspec

from suffice.decision.lexicon import words

MAX_BLOCKS = 64
MAX_PROSE_CHARS = 1400
MAX_LOOKED_AT_CHARS = 4000

# Wrappers whose inside is the ask.
_CARRIERS = (
    "user_query", "userRequest", "user_request", "user_message", "user_input", "task", "feedback", "pr_description",
    "issue", "issue_description", "prompt", "question", "instructions_from_user", "request", "command-args",
)  # fmt: skip
# One-word wrappers whose inside is environment; every wrapper with `_` or `-` in its name is taken for environment too.
_ENVIRONMENT = words(
    "context file files document documents attachment attachments rules memory memories workspace repository"
    " repo editor diagnostics terminal selection tools skills example examples docs environment reminder"
    " metadata instructions code history summary"
)
_OPEN_TAG = re.compile(r"<([A-Za-z][A-Za-z0-9_-]{1,40})(?:\s[^<>]{0,200})?>")
_SECTIONS = re.compile(
    r"^(?:#{1,4} (?:Context from my IDE setup|Open tabs|Active file|AGENTS\.md|CLAUDE\.md|Files? (?:mentioned"
    r"|attached)"
    r"|Project (?:rules|instructions|context)|Repository (?:map|context)|Environment)[^\n]*"
    r"|# AGENTS\.md instructions[^\n]*|# \*SEARCH/REPLACE block\* Rules[^\n]*)$",
    re.M | re.I,
)
_MY_REQUEST = re.compile(r"^#{1,4} (?:My request(?: for \w+)?|User request|Task|The request)\s*:?\s*$", re.M | re.I)
_FENCE = re.compile(r"^[ \t]{0,3}(?:```+|~~~+)[ \t]*([\w+#.-]*)[^\n]*$", re.M)
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|^[ \t]+at [\w.$<>]+ ?\(|^[ \t]*File \"[^\"]+\", line \d+|panicked at"
    r"|goroutine \d+ \["
    r"|Segmentation fault|(?:\b\w+(?:Error|Exception)\b: )|error(?:\[E\d+\]|: |\sTS\d+)|^E\s{2,}|FAILED [\w/.]+::"
    r"|\bAssertionError\b|undefined reference to|core dumped|npm ERR!|BUILD FAILED|\bHTTP/1\.\d\" 5\d\d",
    re.M,
)
_DIFF = re.compile(r"^(?:diff --git |@@ -\d+|--- a/|\+\+\+ b/|<<<<<<< )", re.M)
# A plain search for these comes first: it is a hundred times cheaper than the patterns.
_TRACE_HINTS = (
    "Traceback", "rror", "xception", "  at ", "\tat ", "File \"", "panicked", "goroutine", "fault", "\nE  ", "FAILED", "ERR!",
    "undefined ref", "core dump", "HTTP/1",
)  # fmt: skip
_DIFF_HINTS = ("@@ -", "diff --git", "--- a/", "+++ b/", "<<<<<<< ")
_LOG_LINE = re.compile(
    r"^(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:|\[(?:INFO|ERROR|WARN|DEBUG)|(?:INFO|ERROR|WARN|DEBUG)\b)", re.M
)
_LOG_STARTS = frozenset("[IEWD")
_CODE_LINE = re.compile(
    r"^(?:\s{4,}\S|\t|\s*(?:def |class |import |from \w+ import|return\b|if \(|for \(|function |const |let |var "
    r"|public |"
    r"private |#include|package |fn |func |struct |SELECT |\}|\)|@\w+$|//|/\*|\* )|.*[;{]$)"
)


class Ask(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The isolated ask: `prose` for reading words, `code` what came with it, `fences` the languages named on fences."""

    prose: str = ""
    code: str = ""
    fences: tuple[str, ...] = ()
    has_trace: bool = False
    has_diff: bool = False
    has_log: bool = False
    stripped: tuple[str, ...] = ()


def isolate(text: str) -> Ask:
    """Return the ask in `text`. Never raises; an empty prose says that the text held only environment."""
    carried, stripped = _unwrap(text)
    carried = _ends(carried, MAX_LOOKED_AT_CHARS)
    prose, code, fences = _split_fences(carried)
    prose, loose = _split_loose_code(prose)
    code = f"{code}\n{loose}" if loose else code
    whole = f"{prose}\n{code}" if code else prose
    return Ask(
        prose=_ends(prose.strip().strip('"').strip(), MAX_PROSE_CHARS),
        code=code,
        fences=fences,
        has_trace=_looks_like_a_trace(whole),
        has_diff=any(map(whole.__contains__, _DIFF_HINTS)) and _DIFF.search(whole) is not None,
        has_log=_looks_like_a_log(whole),
        stripped=stripped,
    )


def words_of(text: str) -> str:
    """Return `text` without what a client put around the ask: reminders, context, headings. Code in it stays."""
    return _unwrap(text)[0].strip()


def _looks_like_a_log(text: str) -> bool:
    # Few lines begin as a line of a log may: the pattern is tried on those only.
    lines = [line for line in text[:4000].split("\n") if line[:1] in _LOG_STARTS or line[:1].isdecimal()]
    return len(lines) >= 2 and sum(_LOG_LINE.match(line) is not None for line in lines) >= 2


def _looks_like_a_trace(text: str) -> bool:
    return any(map(text.__contains__, _TRACE_HINTS)) and _TRACE.search(text) is not None


def _unwrap(text: str) -> tuple[str, tuple[str, ...]]:
    stripped: list[str] = []
    if "<" in text:
        carried = _carrier(text)
        if carried is not None:
            text = carried
            stripped.append("carrier")
        text = _without_blocks(text, stripped)
    request = _MY_REQUEST.search(text) if "#" in text else None
    if request is not None:
        return text[request.end() :], (*stripped, "my-request")
    section = _SECTIONS.search(text) if "#" in text else None
    if section is not None:
        stripped.append("section")
        # Context sections follow the ask or precede it; without a request heading only what stands before is surely ours.
        text = text[: section.start()]
    return text, tuple(dict.fromkeys(stripped))


def _carrier(text: str) -> str | None:
    for name in _CARRIERS:
        at = text.rfind(f"<{name}>")
        if at >= 0:
            end = text.find(f"</{name}>", at)
            inside = text[at + len(name) + 2 : end if end >= 0 else len(text)]
            if inside.strip():
                return inside
    return None


def _without_blocks(text: str, stripped: list[str]) -> str:
    out: list[str] = []
    at = 0
    for _ in range(MAX_BLOCKS):
        tag = _OPEN_TAG.search(text, at)
        if tag is None:
            break
        name = tag.group(1)
        if name.lower() in _ENVIRONMENT or "_" in name or ("-" in name and name.islower()):
            end = text.find(f"</{name}>", tag.end())
            out.append(text[at : tag.start()])
            stripped.append(name)
            at = end + len(name) + 3 if end >= 0 else len(text)
        else:
            out.append(text[at : tag.end()])
            at = tag.end()
    out.append(text[at:])
    return "".join(out)


def _split_fences(text: str) -> tuple[str, str, tuple[str, ...]]:
    if "```" not in text and "~~~" not in text:
        return text, "", ()
    prose: list[str] = []
    code: list[str] = []
    names: list[str] = []
    at, inside = 0, False
    for mark in _FENCE.finditer(text):
        (code if inside else prose).append(text[at : mark.start()])
        if not inside and mark.group(1):
            names.append(mark.group(1).lower())
        inside = not inside
        at = mark.end()
    (code if inside else prose).append(text[at:])
    return "\n".join(prose), "\n".join(code), tuple(names)


def _split_loose_code(prose: str) -> tuple[str, str]:
    """Take lines of code, logs and traces pasted without a fence out of the prose."""
    if "\n" not in prose:
        return prose, ""
    kept: list[str] = []
    code: list[str] = []
    for line in prose.split("\n"):
        loose = len(line) > 400 or _CODE_LINE.match(line) or _LOG_LINE.match(line) or _looks_like_a_trace(line)
        (code if loose else kept).append(line)
    if not any(line.strip() for line in kept):
        return "", prose
    return "\n".join(kept), "\n".join(code)


def _ends(text: str, limit: int) -> str:
    """Asks stand at the beginning or at the end of a long text."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n{text[-half:]}"
