"""The cascade: a state machine from attempt and verdict to accept, retry, escalate or stop.

The transition table is the theory; `next_action` only looks into it. Invariants: never more attempts than the cap; after the
action commit point (a released tool call or edit) nothing is replaced; once escalated it stays with the stronger arm (latch).

| phase    | verdict | attempts left | same arm may retry | action   |
|----------|---------|---------------|--------------------|----------|
| any      | accept  | any           | any                | accept   |
| any      | unknown | any           | any                | accept   |
| released | reject  | any           | any                | stop     |
| held     | reject  | none          | any                | stop     |
| held     | reject  | some          | yes                | retry    |
| held     | reject  | some          | no                 | escalate |
| latched  | reject  | some          | no, nothing dearer | stop     |
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from suffice.values.plan import Action, Arm, Mode, Plan
from suffice.values.verdict import Outcome, Verdict

CONFIRMATIONS = 2  # run-segment events needed before an agent's arm is changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What to do next: `arm` is set for retry and escalate, `why` is a sentence for the record."""

    action: Action
    arm: Arm | None = None
    why: str = ""


def combine(verdicts: tuple[Verdict, ...]) -> Outcome:
    """Return the outcome of several gates: one rejection rejects, all unknown is unknown, else accept."""
    if any(v.outcome is Outcome.REJECT for v in verdicts):
        return Outcome.REJECT
    if any(v.outcome is Outcome.ACCEPT for v in verdicts):
        return Outcome.ACCEPT
    return Outcome.UNKNOWN


def next_action(
    plan: Plan,
    tried: tuple[Arm, ...],
    outcome: Outcome,
    *,
    released: bool = False,
    cap: int = 3,
    failed: Collection[Arm] = (),
) -> Move:
    """Return the move after the last of `tried` got `outcome`; `cap` is the attempt cap of the mode.

    `failed` are arms that gave no answer to this request: going on never leads back to them. `tried` may hold
    arms that the plan does not know (a fallback took over): then the first untried step follows.
    """
    if outcome is not Outcome.REJECT:
        return Move(
            action=Action.ACCEPT, why="the gates accept" if outcome is Outcome.ACCEPT else "no gate could judge"
        )
    if released:
        return Move(action=Action.STOP, why="rejected after the action was released: nothing may be replaced")
    if len(tried) >= cap:
        return Move(action=Action.STOP, why=f"rejected, and the cap of {cap} attempts is used up")
    for step in plan.steps:
        if step.arm in tried or step.arm in failed:
            continue
        again = step.arm.mode is Mode.RETRY and bool(tried) and tried[-1].model == step.arm.model
        if step.arm.mode is Mode.RETRY and not again:
            continue  # a retry carries the evidence of its own failure, so it must follow it at once
        action = Action.RETRY if again else Action.ESCALATE
        return Move(action=action, arm=step.arm, why=f"rejected; the plan goes on with {step.arm.name}")
    return Move(action=Action.STOP, why="rejected, and going on costs more than a person's repair")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latch:
    """An agent session's guard against ping-pong: events confirmed so far, and whether it has escalated."""

    events: int = 0
    escalated: bool = False


def confirm(latch: Latch, *, failing: bool) -> Latch:
    """Return the latch after a run-segment event; progress clears unconfirmed events, an escalation is never undone."""
    if latch.escalated:
        return latch
    events = latch.events + 1 if failing else 0
    return Latch(events=events, escalated=events >= CONFIRMATIONS)
