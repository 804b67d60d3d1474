"""The fallback ladder: plan, tuned fixed cascade, best single arm, configured default; with the alarm that caused each step down.

Does: read health numbers, name the rung, make the plan of a rung. Does not: measure. Invariant: a request always has a rung;
recovery goes up one rung at a time and only after the alarms have been quiet for a while, so that the ladder does not swing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import numpy as np

from suffice.decision.narrowing import without_tried
from suffice.decision.policy import ArmFacts, PolicyContext, feasible
from suffice.decision.router import MAX_STEPS, RouteRequest
from suffice.values.money import NanoUsd
from suffice.values.plan import Candidate, Plan, Step

QUIET_S = 3600.0
# The cheapest step of the fixed cascade succeeds at least this often, as a share of what the best single arm does.
WORTH_A_TRY = 0.5


class Rung(StrEnum):
    """Who decides, from the cleverest to the plainest."""

    PLAN = "plan"
    CASCADE = "fixed-cascade"
    SINGLE = "best-single"
    DEFAULT = "default-arm"


LADDER = tuple(Rung)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is watched; NaN where nothing was measured yet, which raises no alarm. `revoked`: the kind of task whose guarantee broke."""

    ece: float = float("nan")
    regret_low_usd: float = float("nan")
    regret_hours: float = 0.0
    cache_hit_drop: float = float("nan")
    switches_per_turn: float = float("nan")
    fpr_width: float = float("nan")
    decision_failed: bool = False
    revoked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Where the ladder stands: rung, the alarm that put it there, and since when alarms have been quiet."""

    rung: Rung = Rung.PLAN
    alarm: str = ""
    changed_at_s: float = 0.0


def alarms(health: Health) -> tuple[str, ...]:
    """Return the alarms that are up, worst first (limits of ROUTING.md 3.14)."""
    found = []
    if health.decision_failed:
        found.append("decision-failed")
    if health.revoked:
        found.append(f"guarantee: reports contradict the certificate for {health.revoked}, it is revoked")
    if health.ece > 0.1:
        found.append(f"calibration: ECE {health.ece:.3f} > 0.1")
    if health.regret_low_usd > 0 and health.regret_hours >= 24:
        found.append(f"regret: dearer than the reference for {health.regret_hours:.0f} h")
    if health.cache_hit_drop > 0.2:
        found.append(f"cache: hit rate down by {100 * health.cache_hit_drop:.0f} pp")
    if health.switches_per_turn > 0.1:
        found.append(f"switching: {health.switches_per_turn:.2f} per turn")
    if health.fpr_width > 0.3:
        found.append(f"verifier: interval of its false-accept rate is {health.fpr_width:.2f} wide")
    return tuple(found)


def step(ladder: Ladder, health: Health, now_s: float) -> Ladder:
    """Return the ladder after a look at `health`: one rung down per alarm look, one up after a quiet hour.

    A clock that jumps back restarts the quiet hour.
    """
    up = alarms(health)
    at = LADDER.index(ladder.rung)
    if up:
        return Ladder(rung=LADDER[min(at + 1, len(LADDER) - 1)], alarm=up[0], changed_at_s=now_s)
    if not np.isfinite(now_s) or now_s < ladder.changed_at_s:
        return Ladder(rung=ladder.rung, alarm=ladder.alarm, changed_at_s=now_s if np.isfinite(now_s) else 0.0)
    if at > 0 and now_s - ladder.changed_at_s >= QUIET_S:
        rung = LADDER[at - 1]
        return Ladder(rung=rung, alarm=ladder.alarm if rung is not Rung.PLAN else "", changed_at_s=now_s)
    return ladder


def for_request(ladder: Ladder, *, failed: bool) -> Ladder:
    """Return the ladder for one request whose plan `failed`: the configured default arm, without moving the ladder itself."""
    return Ladder(rung=Rung.DEFAULT, alarm="decision-failed", changed_at_s=ladder.changed_at_s) if failed else ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """An arm with its prior success and its price (any scale, only compared; infinite when unknown)."""

    facts: ArmFacts
    p: float
    price: float


def fixed_order(arms: Sequence[Ranked], rung: Rung) -> tuple[Ranked, ...]:
    """Return the arms of a fixed rung, cheap to dear: the best single one, or three steps up to it along the front of (p, price).

    The steps are the cheapest arm with at least WORTH_A_TRY of the best's success, the one whose price is nearest to the geometric
    middle, and the best. Empty without arms.
    """
    front: list[Ranked] = []
    for one in sorted(arms, key=lambda a: (-a.p, a.price, a.facts.arm)):
        if not front or one.price < front[-1].price:
            front.append(one)
    if not front or rung is not Rung.CASCADE:
        return tuple(front[:1])
    able = [one for one in front if one.p >= WORTH_A_TRY * front[0].p and math.isfinite(one.price)]
    if len(able) < 3:
        return tuple(reversed(able)) or (front[0],)
    low, high = (max(one.price, 1e-9) for one in (able[-1], able[0]))
    middle = math.sqrt(low * high)
    between = min(able[1:-1], key=lambda a: abs(math.log(max(a.price, 1e-9) / middle)))
    return (able[-1], between, able[0])


def fixed_plan(
    ladder: Ladder, arms: Sequence[Ranked], request: RouteRequest, configured: Sequence[str] = ()
) -> Plan | None:
    """Return the plan of a fixed rung, None when no arm of it may serve (the caller then asks the router for the reasons).

    Constraints hold as they do for the router, floors apart: these arms are chosen without beliefs. `configured` are model ids that
    replace the made cascade, in their order. A warm conversation stays where it is and may only go up.
    """
    facts = [msgspec.structs.replace(a.facts, down=request.down.get(a.facts.arm, a.facts.down)) for a in arms]
    context = PolicyContext(
        features=request.features, allowed_models=request.allowed_models, data=request.data,
        remaining_nano=request.remaining_nano, floors=(0.0,), min_effort=request.min_effort,
    )  # fmt: skip
    result = without_tried(feasible(facts, context), request.session, pinned=False)
    kept = {one.arm for one in result.kept}
    left = [one for one in arms if one.facts.arm in kept]
    named = [one for model in configured for one in left if one.facts.arm.model == model]
    order = named if named and ladder.rung is Rung.CASCADE else fixed_order(left, ladder.rung)
    models: dict[str, Ranked] = {}
    for one in order:
        models.setdefault(one.facts.arm.model, one)
    steps = list(models.values())
    session = request.session
    if session is not None and session.pinned is not None and session.warm(session.pinned, request.now_s):
        held = [i for i, one in enumerate(steps) if one.facts.arm == session.pinned]
        steps = steps[held[0] :] if held else steps
    steps = steps[: min(MAX_STEPS, max(1, request.attempts))]
    if not steps:
        return None
    first = steps[0].facts.arm
    reach = [math.prod(1.0 - one.p for one in steps[:at]) for at in range(len(steps))]
    return Plan(
        steps=tuple(
            Step(arm=one.facts.arm, reach=r, p_success=one.p, cost=NanoUsd(0))
            for one, r in zip(steps, reach, strict=True)
        ),
        expected_total=NanoUsd(0),
        p_complete=steps[0].p,
        repair=NanoUsd(0),
        propensity=1.0,
        reason=f"{first.name}: {ladder.rung.value} while an alarm holds the plan back ({ladder.alarm})",
        candidates=tuple(
            Candidate(arm=one.facts.arm, p_success=one.p, propensity=float(one is steps[0]), source="prior")
            for one in steps
        )
        + tuple(Candidate(arm=f.arm, masked_by=why) for f, why in result.masked),
        fallback=ladder.rung.value,
        alarm=ladder.alarm,
    )
