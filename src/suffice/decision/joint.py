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
from suffice.errors import DecisionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """K arms on G points: `p`, `cost` [K, G]; the check's rates `tpr`, `fpr` [K, G] given its state; `weights` [G] sum to one.

    `points` is how many points one state of the check has: G is a multiple of it, except in a merged support.
    """

    p: Floats
    cost: Floats
    tpr: Floats
    fpr: Floats
    weights: Floats
    points: int


def _states(
    k: int, tpr: float, fpr: float, rho: float, own: tuple[Floats, Floats] | None
) -> tuple[Floats, Floats, Floats]:
    """Return the weights [S] of the check's states and its rates [K, S] there.

    Shared errors are those of the check at large; where they are drawn per arm, an arm's `own` rates ([K] each) come in, so far that
    its rates over all states are its own: (own - rho rate) / (1 - rho), cut to [0, 1].
    """
    share, true, false = error_states(tpr, fpr, rho)
    rates = np.tile(true, (k, 1)), np.tile(false, (k, 1))
    if own is not None:
        alone = float(share[0])
        for table, mine, rate in zip(rates, own, (tpr, fpr), strict=True):
            if not np.isfinite(mine).all() or mine.min() < 0.0 or mine.max() > 1.0:
                raise DecisionError("verifier rates of an arm must lie in [0, 1]")
            if alone > 0.0:
                table[:, 0] = np.clip((mine - (1.0 - alone) * rate) / alone, 0.0, 1.0)
    return share, *rates


def joint(
    p: Floats, cost: Floats, weights: Floats, *, tpr: float, fpr: float, rho: float, own: tuple[Floats, Floats] | None = None
) -> Joint:  # fmt: skip
    """Return every state of the check times every point of difficulty. `p`, `cost` [K, P], `weights` [P] in dollars and chances.

    `own`: true- and false-accept rates [K] of each arm's answers, where they differ from the check's `tpr` and `fpr` at large.
    Raises DecisionError for rates outside [0, 1].
    """
    share, true, false = _states(p.shape[0], tpr, fpr, rho, own)
    states, points = share.shape[0], weights.shape[0]
    return Joint(
        p=np.tile(p, (1, states)), cost=np.tile(cost, (1, states)), tpr=np.repeat(true, points, axis=1),
        fpr=np.repeat(false, points, axis=1), weights=(share[:, None] * weights).ravel(), points=points,
    )  # fmt: skip


def planning(
    p: Floats, cost: Floats, weights: Floats, *, tpr: float, fpr: float, rho: float, own: tuple[Floats, Floats] | None = None
) -> Joint:  # fmt: skip
    """Return the support for `plan.solve`: where a check passes all or nothing, the points of difficulty are merged into one.

    There a rejection says nothing of the difficulty, and nothing follows an acceptance: only means matter. 68 points instead of 132.
    """
    share, true, false = _states(p.shape[0], tpr, fpr, rho, own)
    size = weights.shape[0]
    if share.shape[0] == 1:
        return Joint(
            p=p,
            cost=cost,
            tpr=np.repeat(true, size, axis=1),
            fpr=np.repeat(false, size, axis=1),
            weights=weights,
            points=size,
        )
    alone, passing, telling, failing = (share[at] * weights for at in range(4))
    mean = np.stack([p @ weights, cost @ weights], axis=1)
    ends = np.array([passing.sum(), failing.sum()])
    sizes = [size, 0, size, 0]
    sure = np.tile(np.array([1.0, 0.0]), (p.shape[0], 1))
    return Joint(
        p=np.concatenate([p, p, mean[:, [0, 0]]], axis=1), cost=np.concatenate([cost, cost, mean[:, [1, 1]]], axis=1),
        tpr=np.concatenate([np.repeat(true, sizes, axis=1), sure], axis=1),
        fpr=np.concatenate([np.repeat(false, sizes, axis=1), sure], axis=1),
        weights=np.concatenate([alone, telling, ends]), points=size,
    )  # fmt: skip
