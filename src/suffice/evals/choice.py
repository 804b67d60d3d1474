"""Choosing on the training part alone: the iso-quality rule with its safety margin.

Target: the best single model's training accuracy, freed of the winner's curse by a bootstrap of the choice itself,
plus a margin. A policy
family is judged by cross-fitted accuracy and cost; the choice is the cheapest mixture of two members that meets the
target. Sees no test row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suffice.decision.grid import Floats

MARGIN = 0.004
EXTRA_MARGIN = 0.02  # bought on top, in steps, while it is cheap
STEP = 0.0025
SHORT = 0.03  # below the target from which accuracy is bought at all
# Of the winner's luck: with more of it taken off, development splits fell short where many arms are alike.
DISCOUNT = 0.25
# A point of accuracy is bought above the target while a unit costs less than 4 attempts by the best single model, below it 15.
CHEAP, STEEP = 4.0, 15.0
REPEATS = 3  # of the cross-validation: one alone adds its own luck to the choice
RESAMPLES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Member `high` with probability `share`, else `low`: by a hash of the task, so that a task always gets the same one."""

    high: int
    low: int
    share: float

    def of(self, values: Floats) -> Floats:
        """Return the mixture of rows of `values` [L, n]: the expectation over the hash."""
        return np.asarray(self.share * values[self.high] + (1.0 - self.share) * values[self.low])


def best_single(right: Floats, cost: Floats) -> int:
    """Return the arm with the most tasks right [n, A]; among equals the cheapest."""
    rate = right.mean(axis=0)
    ties = np.flatnonzero(rate >= rate.max() - 1e-9)
    return int(ties[cost.mean(axis=0)[ties].argmin()])


def honest_best(right: Floats, seed: int = 1) -> float:
    """Return the accuracy that the best single arm will have on new tasks: its training rate less a share of the luck of being chosen.

    The luck is the mean, over bootstrap resamples, of the winner's rate in the resample minus the same arm's rate
    outside of it.
    """
    n = right.shape[0]
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=RESAMPLES) / n  # noqa: TID251
    rates = weights @ right
    winner = rates.argmax(axis=1)
    base = right.mean(axis=0)
    luck = float((rates[np.arange(RESAMPLES), winner] - base[winner]).mean())
    return float(base.max()) - DISCOUNT * luck


def folds(n: int, count: int, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (fit rows, judge rows) per fold, a fixed shuffle."""
    order = np.random.default_rng(seed).permutation(n)  # noqa: TID251
    return [(np.setdiff1d(order, order[f::count]), np.sort(order[f::count])) for f in range(count)]


def cheapest_mixture(accuracy: Floats, cost: Floats, target: float) -> Mixture:
    """Return the cheapest mixture of two members with accuracy at least `target`; the most accurate member when none
    has it."""
    able = np.flatnonzero(accuracy >= target - 1e-12)
    if able.size == 0:
        top = int(accuracy.argmax())
        return Mixture(high=top, low=top, share=1.0)
    plain = int(able[cost[able].argmin()])
    best, found = float(cost[plain]), Mixture(high=plain, low=plain, share=1.0)
    below = np.flatnonzero(accuracy < target - 1e-12)
    if below.size == 0:
        return found
    share = (target - accuracy[below])[None, :] / (accuracy[able][:, None] - accuracy[below][None, :])
    mixed = share * cost[able][:, None] + (1.0 - share) * cost[below][None, :]
    i, j = np.unravel_index(int(mixed.argmin()), mixed.shape)
    if mixed[i, j] >= best:
        return found
    return Mixture(high=int(able[i]), low=int(below[j]), share=float(share[i, j]))


def safe_mixture(accuracy: Floats, cost: Floats, target: float, best_usd: float) -> Mixture:
    """Return the cheapest mixture that meets `target`, raised by up to two points while further safety is cheap.

    Where the frontier is flat a margin costs next to nothing and is taken; where it is steep only the margin in `target` is, and the
    last points up to `target` are not bought at any price: near the top of a frontier, accuracy in cross-validation is mostly luck.
    """
    start = target - SHORT
    chosen = cheapest_mixture(accuracy, cost, start)
    for k in range(1, round((SHORT + EXTRA_MARGIN) / STEP) + 1):
        aim = start + k * STEP
        if aim > float(accuracy.max()) + 1e-9:
            break
        further = cheapest_mixture(accuracy, cost, aim)
        dearest = STEEP if aim <= target + 1e-9 else CHEAP
        if float(further.of(cost[:, None])[0] - chosen.of(cost[:, None])[0]) > dearest * STEP * best_usd:
            break
        chosen = further
    return chosen


def monotone(values: Floats) -> Floats:
    """Return the closest non-decreasing sequence (pool adjacent violators): more repair cost cannot truly mean less accuracy.

    Without it the choice would prefer levels whose cross-validated accuracy is high by luck.
    """
    level: list[float] = []
    size: list[int] = []
    for value in values.tolist():
        level.append(value)
        size.append(1)
        while len(level) > 1 and level[-2] > level[-1]:
            total = size[-2] + size[-1]
            level[-2] = (level[-2] * size[-2] + level[-1] * size[-1]) / total
            size[-2] = total
            level.pop()
            size.pop()
    return np.repeat(np.array(level), np.array(size))
