"""Gate `tool-call`: the call names a tool that was offered, with arguments that its schema takes, and is not the last
one again.

Paths must have the shape of a workspace's: no climbing out of it, no device. Nothing is looked up on any disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from suffice.values.verdict import Outcome, Verdict
from suffice.verify.extract import MAX_TEXT
from suffice.verify.reading import Reading, verdict
from suffice.verify.schemas import violation
from suffice.verify.view import AskView, Tool, ToolCall

GATE = "tool-call"
_PATH_KEYS = frozenset(
    {
        "path",
        "file_path",
        "filepath",
        "filename",
        "target_file",
        "notebook_path",
        "absolute_path",
        "relative_path",
        "directory",
        "dir_path",
    }
)
_WRITES = re.compile(r"write|edit|create|replace|patch|delete|remove|insert|move|rename|save", re.IGNORECASE)
_FOREIGN = re.compile(
    r"^/(?:etc|dev|proc|sys|boot|bin|sbin|lib|lib64|usr/(?:bin|sbin|lib))(?:/|$)|^[A-Za-z]:[\\/]Windows\b|^~?/?\.ssh(?:/|$)",
    re.IGNORECASE,
)
# Asking the same again is how one waits, or looks anew after something changed.
_REPEATABLE = re.compile(
    r"wait|poll|sleep|status|output|read_?console|screenshot|snapshot|todo|think|next|scroll|press|key|click|test|run"
    r"|bash|shell|exec|terminal|command|diagnos",
    re.IGNORECASE,
)

# Tools that read or write files, by the words in their names.
_STEADY = re.compile(
    r"read|view|cat|file|dir|glob|grep|search|find|tree|edit|write|replace|patch|insert|create|str_|^(?:ls|list)$",
    re.IGNORECASE,
)


def check(reading: Reading) -> Verdict:
    """Return whether the tool calls of the answer can be carried out as they are."""
    calls, ask = reading.answer.tool_calls, reading.ask
    if not calls:
        return verdict(GATE, Outcome.UNKNOWN, "no tool was called")
    doubts = ""
    for call in calls:
        rejected, doubt = _call(call, ask)
        if rejected is not None:
            return rejected
        doubts = doubts or doubt
    repeated = _repeated(calls, ask)
    if repeated is not None:
        return repeated
    if doubts:
        return verdict(GATE, Outcome.UNKNOWN, doubts)
    return verdict(GATE, Outcome.ACCEPT, f"{len(calls)} calls are valid")


def _call(call: ToolCall, ask: AskView) -> tuple[Verdict | None, str]:
    tool = next((t for t in ask.tools if t.name == call.name), None)
    if ask.tools and tool is None:
        offered = ", ".join(t.name for t in ask.tools[:30])
        reason = f"There is no tool {call.name[:80]!r}."
        return verdict(
            GATE, Outcome.REJECT, reason, kind="unknown-tool", evidence=f"{reason} Offered are: {offered}."
        ), ""
    if len(call.arguments) > MAX_TEXT:
        return None, "the arguments are too large to judge"
    if tool is not None and tool.schema is None:
        return None, f"{call.name} takes free text"
    value, why = _decode(call, tool)
    if why:
        return verdict(
            GATE, Outcome.REJECT, f"The arguments of {call.name} are no JSON object: {why}.", kind="invalid-json"
        ), ""
    if not isinstance(value, dict):
        return None, "the arguments cannot be judged"
    climbing = _bad_path(value, call, ask)
    if climbing:
        return verdict(GATE, Outcome.REJECT, climbing, kind="bad-path"), ""
    if tool is None or tool.schema is None:
        return None, "the tool's schema is not known"
    wrong = violation(value, tool.schema)
    if wrong:
        return verdict(
            GATE, Outcome.REJECT, f"The arguments of {call.name} do not fit its schema: {wrong}.", kind="schema"
        ), ""
    return None, "the schema cannot be judged here" if wrong is None else ""


def _decode(call: ToolCall, tool: Tool | None) -> tuple[Any, str]:
    text = call.arguments.strip()
    if not text:
        # Providers send an empty text for a call without arguments.
        return {}, ""
    try:
        value = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        return None, f"{error.msg} at character {error.pos}"
    except (ValueError, RecursionError):
        return None, ""
    if isinstance(value, dict):
        return value, ""
    object_wanted = tool is None or tool.schema is None or tool.schema.get("type", "object") == "object"
    return value, f"they are a {type(value).__name__}" if object_wanted else ""


def _bad_path(arguments: Mapping[str, Any], call: ToolCall, ask: AskView) -> str:
    for key, value in arguments.items():
        if key.lower() not in _PATH_KEYS or not isinstance(value, str):
            continue
        if "\0" in value or "\n" in value.strip():
            return f"{key} is no path: it holds a line break or a NUL."
        if value in ask.context or value in ask.text:
            # The conversation itself names it: an administrator's task, or a workspace of several roots.
            continue
        depth = 0
        for part in value.replace("\\", "/").split("/"):
            depth += -1 if part == ".." else 0 if part in {"", "."} else 1
            if depth < 0 and not value.startswith(("/", "~")) and _WRITES.search(call.name):
                return f"{key} climbs out of the workspace: {value[:200]!r}."
        if _FOREIGN.search(value) and _WRITES.search(call.name):
            return f"{key} lies outside of any workspace: {value[:200]!r}."
    return ""


def _canonical(call: ToolCall) -> tuple[str, str]:
    try:
        return call.name, json.dumps(json.loads(call.arguments or "{}"), sort_keys=True)
    except (ValueError, RecursionError):
        return call.name, call.arguments.strip()


def _repeated(calls: tuple[ToolCall, ...], ask: AskView) -> Verdict | None:
    small = [call for call in calls if len(call.arguments) < 100_000 and _steady(call)]
    before = ask.previous_calls[-50:]
    if not small or not before:
        return None
    last = _canonical(before[-1]) if len(before[-1].arguments) < 100_000 else None
    # What was read before something may have changed it is read anew.
    since = next((at for at in range(len(before), 0, -1) if _changes(before[at - 1])), 0)
    for call in small:
        mine = _canonical(call)
        seen = before if _changes(call) else before[since:]
        earlier = sum(1 for other in seen if other.name == call.name and _canonical(other) == mine)
        # Once again right after itself, or for the third time: a loop. A single return to an earlier call may be meant.
        if mine == last or earlier >= 2:
            return verdict(
                GATE, Outcome.REJECT, f"{call.name} was already called with the same arguments.", kind="repeated-call"
            )
    return None


def _steady(call: ToolCall) -> bool:
    """True for a tool whose answer is the same until a file changes; what an unknown tool answers may change by itself."""
    return _STEADY.search(call.name) is not None and _REPEATABLE.search(call.name) is None


def _changes(call: ToolCall) -> bool:
    """True for a tool that may change files: all but those that are known to read only."""
    return _WRITES.search(call.name) is not None or not _steady(call)
