"""The support that a plan sums over: difficulty times the hidden state of the task's check.

Errors of a check go together: what it misses for one arm it often misses for the next. Given the hidden state (`gates.error_states`)
verdicts are independent, so the planner needs no other change than more points. Does: make the points, whole (`joint`) and with those
merged that no verdict can tell apart (`planning`). Does not: plan. Invariant: both supports give every sequence of attempts that ends at
the first acceptance the same expected cost (property-tested).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suffice.decision.gates import error_states
from suffice.decision.grid import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """K arms on G points: `p`, `cost` [K, G]; the check's rates `tpr`, `fpr` [G] given its state; `weights` [G] sum to one.

    `points` is how many points one state of the check has: G is a multiple of it, except in a merged support.
    """

    p: Floats
    cost: Floats
    tpr: Floats
    fpr: Floats
    weights: Floats
    points: int


def joint(p: Floats, cost: Floats, weights: Floats, *, tpr: float, fpr: float, rho: float) -> Joint:
    """Return every state of the check times every point of difficulty. `p`, `cost` [K, P], `weights` [P] in dollars and chances.

    Raises DecisionError for rates outside [0, 1].
    """
    share, true, false = error_states(tpr, fpr, rho)
    states, points = share.shape[0], weights.shape[0]
    return Joint(
        p=np.tile(p, (1, states)), cost=np.tile(cost, (1, states)), tpr=np.repeat(true, points),
        fpr=np.repeat(false, points), weights=(share[:, None] * weights).ravel(), points=points,
    )  # fmt: skip


def planning(p: Floats, cost: Floats, weights: Floats, *, tpr: float, fpr: float, rho: float) -> Joint:
    """Return the support for `plan.solve`: where a check passes all or nothing, the points of difficulty are merged into one.

    There a rejection says nothing of the difficulty, and nothing follows an acceptance: only means matter. 68 points instead of 132.
    """
    share, true, false = error_states(tpr, fpr, rho)
    if share.shape[0] == 1:
        return Joint(
            p=p, cost=cost, tpr=np.full(weights.shape, true[0]), fpr=np.full(weights.shape, false[0]), weights=weights,
            points=weights.shape[0],
        )  # fmt: skip
    alone, passing, telling, failing = (share[at] * weights for at in range(4))
    mean = np.stack([p @ weights, cost @ weights], axis=1)
    ends = np.array([passing.sum(), failing.sum()])
    size = weights.shape[0]
    return Joint(
        p=np.concatenate([p, p, mean[:, [0, 0]]], axis=1), cost=np.concatenate([cost, cost, mean[:, [1, 1]]], axis=1),
        tpr=np.concatenate([np.full(size, true[0]), np.full(size, true[2]), [1.0, 0.0]]),
        fpr=np.concatenate([np.full(size, false[0]), np.full(size, false[2]), [1.0, 0.0]]),
        weights=np.concatenate([alone, telling, ends]), points=size,
    )  # fmt: skip
