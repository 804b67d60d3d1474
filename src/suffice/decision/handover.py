"""What a model is told that takes over an agent's run in the middle: what was asked, what was done, what failed.

The conversation that it gets holds all of this among much else; the brief says it in a few lines, from the calls and the tool
results in it, never from the prose of the model before. It is pure. Invariants: at most `MOST` characters, and every text of
the conversation in it has gone through `mask`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from suffice.decision.events import FAILURES, culprit, read
from suffice.wire.neutral import Message, Request, Text, ToolCall, ToolResult

MOST = 2_000
_ASK, _LINE = 500, 200
_FILES, _ERRORS, _TOOLS = 12, 4, 8
_WRITER = re.compile(r"write|edit|replace|patch|create|insert", re.IGNORECASE)
_PATH = re.compile(
    r'"(?:path|file_?path|filename|file|target_file|absolute_path)"\s*:\s*"((?:[^"\\]|\\.){1,300})"', re.IGNORECASE
)
_PATCHED = re.compile(r"\*\*\* (?:Add|Update|Delete) File: ([^\n\\\"]{1,300})")
_REASONS = {
    "tests_failed_after_edit": "tests fail after its edits",
    "same_error": "the same error came twice",
    "edit_failed": "its edits did not apply",
    "no_write": "it wrote nothing for many turns",
    "compaction": "its conversation grew too long",
    "done_declared": "it said that it was done, and was not",
}
_HEAD = "Another model worked on this before you and did not get on"
_END = "Do not repeat what failed. Look at the files as they are now, and go on from there."


def brief(request: Request, happened: Sequence[str], mask: Callable[[str], str]) -> str:
    """Return the brief of the run that `request` carries; `happened` names this turn's events (`decision/progress.py`).

    `mask` hides what looks like a secret.
    """
    calls = [part for message in request.messages for part in message.parts if isinstance(part, ToolCall)]
    parts = [_why(happened)]
    asked = _asked(request.messages)
    if asked:
        parts.append(f"Asked: {_cut(mask(asked), _ASK)}")
    written = _written(calls)
    if written:
        parts.append(f"Files it wrote: {_cut(mask(', '.join(written)), 3 * _LINE)}")
    if calls:
        used = Counter(call.name for call in calls).most_common(_TOOLS)
        parts.append(f"Tools it called: {_cut(', '.join(f'{name} ({count})' for name, count in used), 2 * _LINE)}")
    failed = _failed(request.messages)
    if failed:
        parts.append("What failed, latest first:\n" + "\n".join(f"- {_cut(mask(line), _LINE)}" for line in failed))
    return "\n".join((*parts, _END))[:MOST]


def _why(happened: Sequence[str]) -> str:
    reasons = [_REASONS[name] for name in happened if name in _REASONS]
    return f"{_HEAD}: {'; '.join(reasons)}." if reasons else f"{_HEAD}."


def _asked(messages: Sequence[Message]) -> str:
    """Return the first thing that the user asked, and the last where it is another."""
    asks = [" ".join(part.text for part in m.parts if isinstance(part, Text)) for m in messages if m.role == "user"]
    asks = [" ".join(ask.split()) for ask in asks if ask.strip()]
    if not asks:
        return ""
    first, last = asks[0], asks[-1]
    return first if first == last else f"{_cut(first, _ASK // 2 - 10)} ... then: {last}"


def _written(calls: Sequence[ToolCall]) -> list[str]:
    """Return the files that the calls write, the latest last."""
    found: dict[str, None] = {}
    for call in calls:
        paths = _PATCHED.findall(call.arguments)
        if not paths and _WRITER.search(call.name):
            paths = _PATH.findall(call.arguments)
        for path in paths:
            name = " ".join(path.split())
            found.pop(name, None)
            found[name] = None
    return list(found)[-_FILES:]


def _failed(messages: Sequence[Message]) -> list[str]:
    """Return the last errors of the tool results, each once with how often it came."""
    lines: dict[str, tuple[str, int]] = {}
    for message in messages:
        for part in message.parts:
            if not isinstance(part, ToolResult):
                continue
            text = "\n".join(one.text for one in part.parts if isinstance(one, Text))
            for event in read(text):
                if event.kind in FAILURES:
                    _, count = lines.pop(event.signature, ("", 0))
                    lines[event.signature] = (f"{event.tool}: {culprit(text)}", count + 1)
    latest = list(lines.values())[::-1][:_ERRORS]
    return [line if count == 1 else f"{_cut(line, _LINE - 12)} ({count} times)" for line, count in latest]


def _cut(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 3] + "..."
