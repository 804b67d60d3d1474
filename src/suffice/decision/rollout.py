"""A changed policy goes live in steps: a share of the sessions is decided by it, and what becomes of both sides decides what comes next.

Does: who decides a session, what the propensities of a decision are while two policies share the sessions, the measured difference between
them, and the step that follows. Does not: plan, read the ledger or a clock, keep anything. Nothing here rests on a prediction: sessions in
which both policies would have done the same all along tell nothing, the others are compared from the first difference on, by the share
with which each side was drawn. Invariants: a session that a smaller share gave to the candidate stays there under a larger one;
propensities sum to 1; the share only grows through `ope.promote`, and a look costs confidence, so that looking often proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from suffice.decision.explore import uniform
from suffice.decision.grid import Floats
from suffice.decision.ope import Estimate, bernstein, promote
from suffice.values.plan import Plan, Rollout

DELTA = 0.05
# A look is taken when this many sessions can be compared, and again each time there are so many times more.
FIRST_LOOK, GROWTH = 50, 1.25


class Stage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a rollout stands: `policy` names both policies, `step` counts the configured shares from 0, `began_ms` is when it began.

    `looks` were taken at this step, the last with `seen` sessions; `told` says what it showed. A rollout that was stopped says why.
    """

    policy: str
    step: int = 0
    began_ms: int = 0
    looks: int = 0
    seen: int = 0
    told: str = ""
    stopped: str = ""

    def share(self, steps: Sequence[float]) -> float:
        """Return the candidate's share of the sessions."""
        return 0.0 if self.stopped else float(steps[min(self.step, len(steps) - 1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """One session from the first difference on: who decided it, dollars per request, the share of judged answers that were wrong,
    and J = spend + H when wrong, per request."""

    candidate: bool
    spend_usd: float
    wrong: float
    total_usd: float


def decides(session: str, policy: str, share: float) -> bool:
    """Return whether the candidate decides a session: the same answer each time, and also under every larger share."""
    return uniform(session, f"rollout:{policy}") < share


def shared(
    served: Plan, other: Plan | None, *, policy: str, step: int, share: float, candidate: bool, alike: bool
) -> Plan:  # fmt: skip
    """Return the plan `served` of the side that decides, with the propensities of both sides together.

    `other` is what the other policy would have planned for this request, None where it could not; `alike` tells that the two
    differ in nothing but plans here. `step` counts from 0.
    """
    mine = 1.0 if other is None else share if candidate else 1.0 - share
    theirs = {} if other is None else {c.arm: c for c in other.candidates if not c.masked_by}
    rows = []
    for one in served.candidates:
        rival = None if one.masked_by else theirs.pop(one.arm, None)
        chance = mine * one.propensity + (1.0 - mine) * (rival.propensity if rival is not None else 0.0)
        rows.append(msgspec.structs.replace(one, propensity=chance) if chance != one.propensity else one)
    masked = {one.arm: at for at, one in enumerate(rows) if one.masked_by}
    for arm, rival in theirs.items():
        row = msgspec.structs.replace(rival, propensity=(1.0 - mine) * rival.propensity)
        if arm not in masked:
            rows.append(row)
        elif row.propensity:  # only the other policy may use it
            rows[masked[arm]] = row
    chances = {one.arm: one.propensity for one in rows}
    same = alike and other is not None and [s.arm for s in other.steps] == [s.arm for s in served.steps]
    told = Rollout(
        policy=policy, step=step + 1, share=share, candidate=candidate, alone=served.propensity,
        other=other.first if other is not None else None, same=same,
        repair=served.repair if candidate or other is None else other.repair,
    )  # fmt: skip
    chance = chances.get(served.first, mine * served.propensity)
    return msgspec.structs.replace(served, candidates=tuple(rows), propensity=chance, rollout=told)


def contrast(candidate: np.ndarray, values: Floats, share: float, delta: float) -> Estimate:
    """Return the candidate's mean of `values` [n] less the present policy's, with its interval at confidence 1 - `delta`.

    Weighted by how sessions were drawn (Horvitz-Thompson around the mean of all); `ess` is the size of the smaller side.
    """
    centred = values - values.mean()
    weighed = np.where(candidate, centred / share, -centred / (1.0 - share))
    half = bernstein(weighed, float(np.ptp(weighed)), delta)
    mean, sides = float(weighed.mean()), int(candidate.sum())
    return Estimate(
        mean=mean, low=mean - half, high=mean + half, ess=float(min(sides, values.size - sides)), n=values.size
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What sessions show: the candidate less the present policy, in J, in dollars per request, and in the share of wrong answers."""

    total: Estimate
    spend: Estimate
    wrong: Estimate


def measured(sessions: Sequence[Lived], share: float, looks: int = 0) -> Seen | None:
    """Return the measured differences for the next look after `looks`; None before both sides have a session, and at share 0 or 1.

    The k-th look has delta / (k (k + 1)): all looks at one step together err with probability delta at most.
    """
    candidate = np.array([one.candidate for one in sessions], dtype=np.bool_)
    if not 0.0 < share < 1.0 or not candidate.any() or candidate.all():
        return None
    delta = DELTA / ((looks + 1) * (looks + 2))
    total, spend, wrong = (
        contrast(candidate, np.array([getattr(one, name) for one in sessions]), share, delta)
        for name in ("total_usd", "spend_usd", "wrong")
    )
    return Seen(total=total, spend=spend, wrong=wrong)


def look(
    stage: Stage, steps: Sequence[float], sessions: Sequence[Lived], *, tolerance: float, now_ms: int
) -> Stage:  # fmt: skip
    """Return the stage after a look at the sessions of this step: on, back, or where it was; unchanged when a look is not yet due.

    On only through `ope.promote`, with `tolerance` for wrong answers; back, below the first step to a stop, as soon as the
    candidate is dearer in J or wrong more often beyond doubt.
    """
    share, n = stage.share(steps), len(sessions)
    if n < max(FIRST_LOOK, GROWTH * stage.seen):
        return stage
    seen = measured(sessions, share, stage.looks)
    if seen is None:
        return stage
    said = f"{n} sessions: J {_span(seen.total)} $ per request, wrong answers {_span(seen.wrong, 100.0)} pp"
    if seen.total.low > 0.0 or seen.wrong.low > 0.0:
        why = f"worse beyond doubt at {share:.0%}; {said}"
        if stage.step == 0:
            return msgspec.structs.replace(stage, stopped=why, told=why)
        return Stage(policy=stage.policy, step=stage.step - 1, began_ms=now_ms, told=f"one step back: {why}")
    on, why = promote(seen.total, seen.wrong, tolerance=tolerance)
    if on and stage.step + 1 < len(steps):
        return Stage(policy=stage.policy, step=stage.step + 1, began_ms=now_ms, told=f"one step on: {why}; {said}")
    return msgspec.structs.replace(stage, looks=stage.looks + 1, seen=n, told=f"stays: {why}; {said}")


def _span(one: Estimate, scale: float = 1.0) -> str:
    return f"{scale * one.mean:+.4g} [{scale * one.low:+.4g}, {scale * one.high:+.4g}]"
