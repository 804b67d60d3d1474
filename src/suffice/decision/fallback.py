"""The fallback ladder: plan, tuned fixed cascade, best single arm, configured default; with the alarm that caused each step down.

Does: read health numbers, name the rung. Does not: measure. Invariant: a request always has a rung; recovery goes up one rung
at a time and only after the alarms have been quiet for a while, so that the ladder does not swing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

QUIET_S = 3600.0


class Rung(StrEnum):
    """Who decides, from the cleverest to the plainest."""

    PLAN = "plan"
    CASCADE = "fixed-cascade"
    SINGLE = "best-single"
    DEFAULT = "default-arm"


LADDER = tuple(Rung)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is watched; NaN where nothing was measured yet, which raises no alarm."""

    ece: float = float("nan")
    regret_low_usd: float = float("nan")
    regret_hours: float = 0.0
    cache_hit_drop: float = float("nan")
    switches_per_turn: float = float("nan")
    fpr_width: float = float("nan")
    decision_failed: bool = False


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
