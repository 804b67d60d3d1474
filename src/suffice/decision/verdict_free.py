"""Choosing and explaining when no verdict is in the mathematics: the rules behind `auto`, `fast`, `best`, `cheap` and pins."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from suffice.decision.sessions import Session
from suffice.decision.virtual import Rule, Target
from suffice.values.money import NanoUsd, format_usd
from suffice.values.plan import Arm, CostSplit
from suffice.values.task import Features

# A warm conversation moves only when it gains this share of what staying is expected to cost.
MOVE_MARGIN = 0.1
UNKNOWN_LATENCY_S = 10.0


class Scored(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An arm that may be used, with its numbers. `total` is the expected cost to completion in nano-dollars."""

    arm: Arm
    p: float
    p_low: float
    cost: CostSplit
    total: float
    source: str
    latency_s: float
    priced: bool


def choose(
    scored: Sequence[Scored], rule: Rule, session: Session | None, now_s: float
) -> tuple[Scored, tuple[str, ...]]:
    """Return the arm that goes first and the constraints that changed the choice; ties go to the arm's name."""
    if rule is Rule.FAST:
        return min(scored, key=lambda s: (s.latency_s or UNKNOWN_LATENCY_S, s.total, s.arm)), ()
    if rule is Rule.BEST:
        return min(scored, key=lambda s: (-s.p, s.total, s.arm)), ()
    if rule is Rule.CHEAP:
        return min(scored, key=lambda s: (s.cost.total - s.cost.switch, s.total, s.arm)), ()
    best = min(scored, key=lambda s: (s.total, s.arm))
    if session is not None and session.pinned is not None and session.warm(session.pinned, now_s):
        stay = next((s for s in scored if s.arm == session.pinned), None)
        if stay is not None and stay is not best and best.total > stay.total * (1.0 - MOVE_MARGIN):
            return stay, ("warm cache: moving does not pay",)
    return best, ()


def follow_ups(first: Scored, scored: Sequence[Scored], repair: NanoUsd, limit: int) -> list[Scored]:
    """Return what to try after rejections, cheap to dear: each step more capable than all before and worth its price.

    A step is worth it when its cost is below what it is expected to save in repairs.
    """
    out: list[Scored] = []
    at = first
    while len(out) < limit:
        better = [s for s in scored if s.p > at.p and s.cost.total >= at.cost.total and s.cost.total < s.p * repair]
        if not better:
            break
        at = min(better, key=lambda s: (s.total, s.arm))
        out.append(at)
    return sorted(out, key=lambda s: s.cost.total)


def cheaper_first(first: Scored, rival: Scored, weight: float) -> tuple[str, ...]:
    """Say at which price of its own attempt the rival would go first in a plan with a check, where totals hold what follows.

    The expected total of going first falls by a dollar with each dollar of that attempt; `weight` is the budget's. Empty where it
    would have to be paid for being used. What else would change the choice takes solving the plan again (`gateway/what_if.py`).
    """
    needed = rival.cost.total - (rival.total - first.total) / weight
    if not 0.0 < needed < rival.cost.total:
        return ()
    now = format_usd(rival.cost.total)
    return (f"{rival.arm.name} if its attempt cost less than {format_usd(NanoUsd(round(needed)))} (now {now})",)


def flips(first: Scored, rival: Scored, repair: NanoUsd) -> tuple[str, ...]:
    """Say in closed form what would make the best rival the choice, from C_a + (1 - p_a) H = C_b + (1 - p_b) H.

    For one attempt, whose totals are just that.
    """
    out: list[str] = []
    gain = rival.p - first.p
    # Totals may carry budget pressure; recover the weighted spend from them, so that the numbers are those of the decision.
    spend_first = first.total - (1.0 - first.p) * repair
    spend_rival = rival.total - (1.0 - rival.p) * repair
    if abs(gain) > 1e-9:
        threshold = (spend_rival - spend_first) / gain
        if threshold >= 1.0:  # less than a nano-dollar is rounding
            side = "more" if gain > 0 else "less"
            out.append(f"{rival.arm.name} if a repair cost {side} than {format_usd(NanoUsd(round(threshold)))}")
    if repair > 0:
        needed = 1.0 - (first.total - spend_rival) / repair
        if 0.0 < needed < 1.0:
            out.append(f"{rival.arm.name} if it succeeded in more than {needed:.1%} of such tasks (now {rival.p:.1%})")
    return tuple(out)


def describe(first: Scored, target: Target, features: Features, binding: Sequence[str]) -> str:
    """Return one sentence for a person."""
    task = features.task.value + (f" in {features.language}" if features.language else "")
    cost = format_usd(NanoUsd(max(0, first.cost.total - first.cost.switch)))
    price = f"about {cost} a try" if first.priced else "its price is unknown"
    if target.rule is Rule.PIN:
        return f"{first.arm.name}: the request names it ({price})"
    why = {
        Rule.AUTO: "lowest expected cost of a successful completion",
        Rule.FAST: "fastest expected answer",
        Rule.BEST: "highest expected success",
        Rule.CHEAP: "lowest price",
    }[target.rule]
    if binding:
        why = binding[0]
    return f"{first.arm.name} for {task}: {why} ({price}, success about {first.p:.0%}, {first.source})"
