"""What a stream waits for: nothing (`commit`), the check of its tool calls (`gate-tools`), or everything (`buffer`).

`auto`, the default, is `gate-tools` for a request with tools, which is an agent's, and `commit` for any other. The caller's
header wins over the configuration. A mode that a request has no use for is not one: the result names what
will really be done. Invariant: more than one answer may be tried only where an answer is held back.
"""

from __future__ import annotations

import math

from suffice.config.schema import RoutingSettings
from suffice.decision.virtual import Rule, Target
from suffice.errors import RequestError
from suffice.gateway.speech import CONVERSATIONS
from suffice.values.task import TaskType
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import RequestView

HEADER = "x-suffice-mode"
HEDGE_HEADER = "x-suffice-hedge"
AUTO, COMMIT, GATE_TOOLS, BUFFER = "auto", "commit", "gate-tools", "buffer"
MODES = (AUTO, COMMIT, GATE_TOOLS, BUFFER)
ATTEMPT_CAP = 3
MOST_HEDGE_S = 600.0
# Tasks whose answer in text is an edit that a client may apply.
EDITS = frozenset({TaskType.EDIT, TaskType.BUG_FIX, TaskType.REFACTOR})
# Dialects whose clients pass over an SSE comment before the first event, which is what keeps a buffered stream alive.
_COMMENTED = frozenset({"chat", "completions", "messages", "responses"})


def streaming_mode(
    asked: str,
    configured: str,
    *,
    top: TopLevel,
    view: RequestView,
    operation: str,
    verify: bool,
    array: bool = False,
    edits: bool = False,
) -> str:
    """Return the mode of a stream, empty for a request that does not stream.

    `gate-tools` is for conversations with one choice (`array`: not for a Gemini stream that is one JSON array) that have tools, or
    ask for `edits` without; it needs checks, as `buffer` does. Raises RequestError (400) for a
    mode that does not exist.
    """
    if asked and asked not in MODES:
        raise RequestError(f"there is no mode {asked[:60]!r}", hint=f"one of {', '.join(MODES)}", param=HEADER)
    if not view.stream or operation == "embeddings":
        return ""
    mode = asked or configured
    several = (top.value("n") or b"1").strip() not in (b"1", b"null")
    if not verify or several:
        return COMMIT
    if mode == BUFFER and operation not in _COMMENTED:
        return COMMIT
    # Who chats without tools reads what comes: edits in text are held for those who ask for it.
    holds = bool(view.tool_names) or (edits and mode == GATE_TOOLS)
    mode = GATE_TOOLS if mode == AUTO else mode
    if mode == GATE_TOOLS and (operation not in CONVERSATIONS or array or not holds):
        return COMMIT
    return mode


def hedge_after(asked: str, configured: RoutingSettings) -> float:
    """Return the seconds in which a stream has to begin before it is asked for elsewhere too: 0 as learned, below 0 never.

    `asked` is the caller's header: `off`, `auto` or seconds. Raises RequestError (400) for anything else.
    """
    word = asked.strip().lower() or configured.hedge
    if word == "off":
        return -1.0
    if word == "auto":
        return configured.hedge_after_s
    try:
        seconds = float(word)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds <= MOST_HEDGE_S:
        raise RequestError(
            f"{HEDGE_HEADER} is {asked[:60]!r}",
            hint=f"off, auto, or seconds up to {MOST_HEDGE_S:g}",
            param=HEDGE_HEADER,
        )
    return seconds


def may_cascade(mode: str) -> bool:
    """True for a request whose answer can still be exchanged after a check has rejected it."""
    return mode != COMMIT


def mode_and_cap(
    asked: str,
    configured: str,
    *,
    top: TopLevel,
    view: RequestView,
    operation: str,
    verify: bool,
    array: bool,
    task: TaskType,
    target: Target,
) -> tuple[str, int]:
    """Return what a stream waits for (`streaming_mode`), and how many answers of the plan may be tried."""
    mode = streaming_mode(
        asked,
        configured,
        top=top,
        view=view,
        operation=operation,
        verify=verify,
        array=array,
        edits=task in EDITS,
    )
    # Who waits at a cursor waits for one answer.
    single = target.rule is Rule.PIN or operation in ("embeddings", "fim")
    return mode, ATTEMPT_CAP if may_cascade(mode) and not single else 1
