"""How a plan is written down: its steps, why it is staged, and every candidate with its numbers or its mask.

Does not decide. Invariant: every arm that was looked at is a candidate exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence

from suffice.decision.belief import After
from suffice.decision.explore import Drawn
from suffice.decision.policy import Feasible
from suffice.decision.verdict_free import Scored
from suffice.values.money import NanoUsd
from suffice.values.plan import Arm, Candidate, Step


def steps(order: Sequence[Scored]) -> tuple[Step, ...]:
    """Return the steps in order, each with the chance that all before it failed."""
    out, reach = [], 1.0
    for one in order:
        out.append(Step(arm=one.arm, reach=reach, p_success=one.p, cost=one.cost.total))
        reach *= 1.0 - one.p
    return tuple(out)


def staging(further: Sequence[Scored], gate: str) -> tuple[str, ...]:
    """Say that the choice rests on a check: cheap first, because a failure will be seen."""
    if not further or not gate:
        return ()
    names = ", then ".join(one.arm.name for one in further)
    return (f"lowest expected cost of a checked answer; if it is rejected, {names}",)


def candidates(scored: Sequence[Scored], drawn: Drawn, result: Feasible) -> tuple[Candidate, ...]:
    """Return what was scored, cheapest in all first, then what was masked."""
    kept = tuple(
        Candidate(
            arm=one.arm,
            p_success=one.p,
            p_low=one.p_low,
            cost=one.cost,
            expected_total=NanoUsd(round(one.total)),
            propensity=drawn.propensity.get(one.arm, 0.0),
            source=one.source,
        )
        for one in sorted(scored, key=lambda s: s.total)
    )
    return (*kept, *(Candidate(arm=facts.arm, masked_by=why, p_low=facts.p_low) for facts, why in result.masked))


def contributions(one: Scored, repair: NanoUsd) -> tuple[tuple[str, float], ...]:
    """Return what the expected total is made of, in dollars."""
    return (("spend", one.cost.total / 1e9), ("risk of repair", (1 - one.p) * repair / 1e9))


def why_on(arm: Arm | None, after: After, tried: int) -> str:
    """Return the sentence that the record keeps of a plan made again after `tried` attempts."""
    right = f"the answer is right with probability {after.p_right[-1]:.2f}"
    if arm is None:
        return f"after {tried} attempts stopping costs {after.stop_usd:.4f} $ ({right}), and no other model is worth its price"
    return f"{arm.name} follows: going on costs {after.continue_usd:.4f} $, stopping {after.stop_usd:.4f} $ ({right})"
