"""What follows a verdict in a live request: the plan's next step, planned again with what the answer has shown.

The transition table (`decision.cascade`) says whether anything may follow at all; where the plan rested on a check, the router is
asked again with verdicts and output lengths. A question that breaks leaves the first plan's step: the request goes on.
"""

from __future__ import annotations

import logging

import msgspec

from suffice.decision.belief import Tried
from suffice.decision.cascade import Move, next_action
from suffice.decision.core import STATIC
from suffice.gateway.turn import Turn
from suffice.values.plan import Action, Mode
from suffice.values.verdict import Outcome

log = logging.getLogger("suffice.decision")


def _passed(outcome: Outcome) -> bool:
    return outcome is Outcome.ACCEPT


def follow(turn: Turn, outcome: Outcome) -> Move:
    """Return the move after the last finished attempt of `turn`, whose verdicts together are `outcome`."""
    failed = {a.arm.fresh for a in turn.tried if a.fault is not None and a.arm.mode is not Mode.REVIEW}
    move = next_action(turn.plan, turn.answered, outcome, cap=turn.cap, failed=failed)
    # What merely reads says too little to overrule its own acceptance, or to prefer one rejected answer to another.
    ran = turn.gate != STATIC
    if (
        turn.reconsider is None
        or move.action is Action.RETRY
        or not (outcome is Outcome.REJECT or (ran and _passed(outcome)))
    ):
        return move
    tried = tuple(
        Tried(
            arm=a.arm,
            accepted=a.outcome == "ok",
            output_tokens=0 if a.usage.estimated else a.usage.completion_tokens,
        )
        for a in turn.tried
        if a.outcome in ("ok", "rejected") and a.arm.mode is Mode.FRESH
    )
    if len(tried) != len(turn.answered):
        return move  # a retry with evidence is no arm of the plan
    try:
        onward = turn.reconsider(tried)
    except Exception:
        log.exception("planning after a verdict failed; the first plan goes on")
        return move
    if onward is None or onward.arm in failed:
        return move
    if ran:
        turn.given = max(range(len(tried)), key=lambda at: (onward.p_right[at], at))
    if onward.arm is None and _passed(outcome):
        return move
    turn.plan = msgspec.structs.replace(turn.plan, binding=(*turn.plan.binding, onward.why))
    if onward.arm is None:
        return Move(action=Action.STOP, why=onward.why)
    return Move(action=Action.ESCALATE, arm=onward.arm, why=onward.why)
