"""How an agent's run goes: counters over its turns, and when there is reason to plan it anew (ROUTING 3.6).

A run of an agent is one task. Each turn's events are counted once; what is reason to re-plan must be confirmed by a second
such turn without progress between, and then it latches. Which reasons may change anything is the configuration's: none,
until a pilot of that kind has passed. Pure: a progress and a turn in, the next progress out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from suffice.decision.cascade import Latch, confirm
from suffice.decision.events import FAILURES, Event, Kind

IDLE_TURNS = 8  # turns with tool results and without a write until that is an event

# Reasons to plan anew, by the name under which the configuration allows them to act.
INTERVENTIONS = (
    "tests_failed_after_edit",
    "same_error",
    "edit_failed",
    "no_write",
    "compaction",
    "done_declared",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One turn of a run: its results' events, whether files were written before them, and what the conversation shows."""

    events: tuple[Event, ...] = ()
    wrote: bool = False
    compacted: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Counters of a run since it began. `idle` is turns since the last write, `last_error` the signature of the last
    failure while it has not been followed by a success, `digest` names the last turn, so that a repeat is not counted."""

    turns: int = 0
    tests_failed: int = 0
    tests_passed: int = 0
    failed_after_edit: int = 0
    builds_failed: int = 0
    edits_failed: int = 0
    same_error: int = 0
    idle: int = 0
    compactions: int = 0
    done_declared: int = 0
    written: bool = False
    last_error: str = ""
    digest: bytes = b""
    latch: Latch = Latch()


def advance(before: Progress, turn: Segment, allowed: Collection[str] = ()) -> tuple[Progress, tuple[str, ...]]:
    """Return the progress after `turn`, and the names of what happened in it, those of INTERVENTIONS among them.

    The latch moves only for the names in `allowed`: a turn with one is failing, a turn whose tests pass clears.
    """
    kinds = [event.kind for event in turn.events]
    written = before.written or turn.wrote
    failed, passed = Kind.TESTS_FAILED in kinds, Kind.TESTS_PASSED in kinds
    after_edit = failed and written
    errors = [event.signature for event in turn.events if event.kind in FAILURES and event.signature]
    repeated = bool(before.last_error) and before.last_error in errors
    idle = 0 if turn.wrote else before.idle + 1
    named = {
        "tests_failed_after_edit": after_edit,
        "same_error": repeated,
        "edit_failed": Kind.EDIT_FAILED in kinds,
        "no_write": idle > 0 and idle % IDLE_TURNS == 0,
        "compaction": turn.compacted,
        "done_declared": turn.done,
    }
    happened = tuple(dict.fromkeys([*(k.value for k in kinds), *(name for name, is_so in named.items() if is_so)]))
    latch = before.latch
    if any(name in allowed for name in happened):
        latch = confirm(latch, failing=True)
    elif passed and not failed:
        latch = confirm(latch, failing=False)
    after = replace(
        before,
        turns=before.turns + 1,
        tests_failed=before.tests_failed + failed,
        tests_passed=before.tests_passed + (passed and not failed),
        failed_after_edit=before.failed_after_edit + after_edit,
        builds_failed=before.builds_failed + (Kind.BUILD_FAILED in kinds),
        edits_failed=before.edits_failed + kinds.count(Kind.EDIT_FAILED),
        same_error=before.same_error + repeated,
        idle=idle,
        compactions=before.compactions + turn.compacted,
        done_declared=before.done_declared + turn.done,
        # A failing test run answers the edits before it; the next one needs new edits to count as failing after them.
        written=written and not (failed or passed),
        last_error=errors[-1] if errors else "" if passed or Kind.BUILD_PASSED in kinds else before.last_error,
        latch=latch,
    )
    return after, happened
