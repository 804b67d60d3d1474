"""Budget pacing by a dual price: spending ahead of plan makes every dollar dearer to the planner.

λ ← [λ + η (spend rate / target rate − 1)]_+ (ROUTING.md 3.8). Does not book anything: hard caps are the ledger's. Invariant:
0 <= λ <= LIMIT, and a clock that stands still or jumps back changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

LIMIT = 20.0
STEP = 0.1
SMOOTH_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacer:
    """The dual price of one budget: `price` λ, smoothed `rate_usd_s`, the `target_usd_s` that would just use it up."""

    target_usd_s: float
    price: float = 0.0
    rate_usd_s: float = 0.0
    at_s: float = 0.0


def observe(pacer: Pacer, spent_usd: float, now_s: float) -> Pacer:
    """Return the pacer after `spent_usd` since its last observation; bad numbers and backward clocks are ignored."""
    if not np.isfinite(spent_usd) or not np.isfinite(now_s) or spent_usd < 0.0 or pacer.target_usd_s <= 0.0:
        return pacer
    if pacer.at_s <= 0.0:
        return replace(pacer, at_s=now_s)
    passed = now_s - pacer.at_s
    if passed <= 0.0:
        return replace(pacer, rate_usd_s=pacer.rate_usd_s + spent_usd / SMOOTH_S)
    keep = float(np.exp(-passed / SMOOTH_S))
    rate = keep * pacer.rate_usd_s + (1.0 - keep) * (spent_usd / passed)
    move = STEP * min(1.0, passed / 60.0) * (rate / pacer.target_usd_s - 1.0)
    return replace(pacer, price=min(LIMIT, max(0.0, pacer.price + move)), rate_usd_s=rate, at_s=now_s)


def affordable(cost_usd: float, left_usd: float) -> bool:
    """Return whether the hard cap leaves room for `cost_usd`; an unknown cost never fits under a cap."""
    return bool(np.isfinite(cost_usd) and cost_usd <= left_usd)
