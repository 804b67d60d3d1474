"""How many of its own tasks make a new model useful, and which ones? On recorded outcomes.

Every model of a pool in turn is new: the others are fitted on the training part, and the new one is tried on 0 to 40 tasks of it. The
difficulty of a task is what the other models' outcomes say of it. `ours` is what `suffice policy cold-start` chooses, `most telling` the
tasks of greatest information whatever their difficulty. Printed: the error of the new model's success rate on the test part, and J of
the plan with it there (check 95/10, H = 3 $). Its ability is as uncertain beforehand as those of the others differ.

    python bench/routing/coldstart.py DATA [POOL ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from suffice.decision.coldstart import choose_tasks, fit_ability
from suffice.decision.grid import GRID, Floats, normal_prior, sigmoid
from suffice.evals.fit import SPREAD, difficulty_posterior, fit_skill
from suffice.evals.outcomes import load_pool
from suffice.evals.pools import BUILT_IN
from suffice.evals.replay import random_splits
from suffice.evals.tree_policy import Data, data_of

if __package__:
    from bench.routing.online import judged
else:
    from online import judged  # run as a script

COUNTS = (5, 10, 20, 30, 40)
LEAST_SD, SPLITS = 0.3, 10
KINDS = ("ours", "chance", "most telling")
POOLS = ("9real-swev", "9real-swt", "mini-25")


def _noise(p: Floats) -> Floats:
    return np.asarray(np.maximum(p * (1.0 - p), 1e-9))


def one_model(train: Data, test: Data, new: int, rng: np.random.Generator) -> Floats:
    """Return [kinds, counts + 2, 2]: KINDS x (no try, counts, all) x (error of the success rate, J)."""
    others = [a for a in range(train.right.shape[1]) if a != new]
    ability, slope = fit_skill(train.right[:, others])
    p = np.empty((len(others) + 1, GRID.size))
    p[others] = sigmoid(slope[:, None] * (ability[:, None] - GRID))
    prior = normal_prior(0.0, SPREAD)
    weights = difficulty_posterior(p[others], train.right[:, others], prior)
    cost, start, typical = train.cost.mean(axis=0), float(ability.mean()), float(np.exp(np.log(slope).mean()))
    spread = max(LEAST_SD, float(ability.std(ddof=1)))
    n, rate = train.right.shape[0], float(test.right[:, new].mean())
    p_start = sigmoid(typical * (start - GRID))
    most = np.argsort(-((weights @ (p_start * (1.0 - p_start))) ** 2 / _noise(weights @ p_start)), kind="stable")
    shuffled = rng.permutation(n).tolist()
    out = np.zeros((len(KINDS), len(COUNTS) + 2, 2))
    for kind, name in enumerate(KINDS):
        for at, count in enumerate((0, *COUNTS, n)):
            ours = choose_tasks(start, spread, typical, weights, count).rows if 0 < count < n else ()
            picks = {"ours": list(ours), "chance": shuffled[:count], "most telling": most[:count].tolist()}
            rows = list(range(n)) if count == n else picks[name]
            b, _ = fit_ability(train.right[rows, new], weights[rows], prior=start, sd=spread, slope=typical)
            p[new] = sigmoid(typical * (b - GRID))
            out[kind, at] = float(p[new] @ prior) - rate, judged(p, prior, cost, test)
    return out


def main() -> None:
    """Print the curves of every pool that is named."""
    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or POOLS:
        data = data_of(load_pool(folder, BUILT_IN[name]))
        rng = np.random.default_rng(1)
        made = np.array(
            [
                one_model(data.rows(a), data.rows(b), new, rng)
                for a, b in random_splits(data.right.shape[0], SPLITS)
                for new in range(data.right.shape[1])
            ]
        )
        error = np.sqrt((made[..., 0] ** 2).mean(axis=0))
        j = made[..., 1].mean(axis=0)
        print(
            f"{name}: {data.right.shape[1]} models in turn, {SPLITS} splits; J without a try {j[0, 0]:.4f}, with all {j[0, -1]:.4f}"
        )
        for at, label in enumerate(("none", *COUNTS, "all")):
            errors = ", ".join(f"{kind} {100 * error[k, at]:4.1f}" for k, kind in enumerate(KINDS))
            totals = ", ".join(f"{kind} {j[k, at]:.4f}" for k, kind in enumerate(KINDS))
            print(f"  {label!s:>4} tasks: error of the success rate in pp by {errors}; J by {totals}")


if __name__ == "__main__":
    main()
