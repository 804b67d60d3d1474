"""How long one decision takes: predict, shortlist and the exact three-attempt plan, for 16 arms and 33 grid points.

Prints the median and the 99th percentile in microseconds. `python bench/routing/decision_speed.py [--rounds N]`
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from suffice.decision import plan, skill
from suffice.decision.grid import GRID


def measure(size: int, rounds: int) -> tuple[float, float]:
    """Return (median, p99) in microseconds of a whole decision with a shortlist of `size`."""
    rng = np.random.default_rng(1)
    arms = tuple(f"arm{i}" for i in range(16))
    post = skill.fresh(arms, ("bug-fix/python",), public=rng.uniform(0.2, 0.9, 16))
    weights = skill.difficulty_prior(post, 0)
    cost = rng.uniform(0.01, 1.5, 16)[:, None] * np.exp(0.1 * GRID)
    tpr, fpr = np.full(16, 0.9), np.full(16, 0.2)
    taken = np.empty(rounds)
    for i in range(rounds):
        start = time.perf_counter()
        success = skill.predict(post, 0, weights)
        rows = plan.shortlist(success.mean, cost @ weights, 3.0, size=size)
        plan.solve(
            plan.Problem(
                p=success.grid[rows], cost=cost[rows], tpr=tpr[rows], fpr=fpr[rows], weights=weights, repair_usd=3.0
            )
        )
        taken[i] = time.perf_counter() - start
    return float(np.median(taken) * 1e6), float(np.quantile(taken, 0.99) * 1e6)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3000)
    rounds = parser.parse_args().rounds
    for size in (4, 6, 8):
        median, p99 = measure(size, rounds)
        print(f"16 arms, 33 points, shortlist {size}, 3 attempts: median {median:.0f} us, p99 {p99:.0f} us")
