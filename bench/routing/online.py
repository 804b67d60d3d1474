"""Learning label by label against a batch fit, on recorded outcomes: what does a gateway lose that learns as it goes?

Tasks of the training part come one by one. Each is planned with what is believed so far, its attempts are judged by a drawn check, and
only those verdicts are learned, as a gateway does. After 25, 50, 100 and all tasks the plan is judged on the test part. Beside it, both
with the same planner: a batch fit of the same verdicts, and a batch fit of every model's true outcome on the same tasks.

    python bench/routing/online.py DATA [POOL ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from suffice.decision import learning, skill
from suffice.decision.grid import GRID, Floats, normal_prior, observe, sigmoid
from suffice.decision.joint import planning
from suffice.decision.plan import Problem, shortlist, solve
from suffice.evals import baselines
from suffice.evals.choice import best_single
from suffice.evals.fit import SPREAD, fit_skill
from suffice.evals.outcomes import load_pool
from suffice.evals.pools import BUILT_IN
from suffice.evals.replay import random_splits
from suffice.evals.tree_policy import Data, data_of
from suffice.evals.walk import Verifier

CHECK = Verifier(name="95/10", tpr=0.95, fpr=0.1)
H, ESCAPE, MARGIN = 3.0, 1.5, 0.01
SPLITS = 20
STOPS = (25, 50, 100, 185)
RELIABILITY = 0.9


def order(p: Floats, weights: Floats, cost: Floats) -> list[int]:
    """Return the arms in the order in which they are tried; one at least."""
    keep = shortlist(p @ weights, cost, H)
    rates = {"tpr": CHECK.tpr, "fpr": CHECK.fpr, "rho": CHECK.rho}
    support = planning(p[keep], np.repeat(cost[keep][:, None], weights.size, axis=1), weights, **rates)
    shape = support.p.shape
    solved = solve(
        Problem(
            p=support.p, cost=support.cost, tpr=np.broadcast_to(support.tpr, shape),
            fpr=np.broadcast_to(support.fpr, shape), weights=support.weights, repair_usd=H, escape_factor=ESCAPE,
            margin=MARGIN,
        )
    )  # fmt: skip
    return [int(keep[at]) for at in solved.sequence or (int(solved.first.argmin()),)]


def judged(p: Floats, weights: Floats, cost: Floats, test: Data) -> float:
    """Return J per task of that order on the test part."""
    done = baselines.run_sequence(order(p, weights, cost), test.right, test.cost, CHECK, ESCAPE, hand_over=True)
    return float((done.cost + H * done.loss).mean())


def fitted(rows: Floats) -> Floats:
    """Return p [A, 33] of a batch fit; an arm without any outcome is an average one."""
    ability, slope = fit_skill(rows)
    return np.asarray(sigmoid(slope[:, None] * (ability[:, None] - GRID)))


def one_split(train: Data, test: Data, seed: int) -> Floats:
    """Return J [stops, 3]: label by label, batch fit of the same verdicts, batch fit of everything."""
    rng = np.random.default_rng(seed)
    n, a = train.right.shape
    names = tuple(f"arm{i}" for i in range(a))
    post, prior = skill.fresh(names, ("agent/python",)), normal_prior(0.0, SPREAD)
    cost = train.cost.mean(axis=0)
    seen, out = np.full((n, a), np.nan), []
    shuffled = rng.permutation(n)
    for count, task in enumerate(shuffled, 1):
        weights = skill.difficulty_prior(post, 0)
        p = skill.predict(post, 0, weights).grid
        for at in order(p, weights, cost):
            right = train.right[task, at] > 0.5
            passed = bool(rng.random() < (CHECK.tpr if right else CHECK.fpr))
            seen[task, at] = float(passed)
            label = learning.Label(
                label_id=f"{task}/{at}", arm=names[at], cell=0, success=passed, reliability=RELIABILITY,
                weights=weights, at_s=60.0 * count,
            )  # fmt: skip
            post = learning.learn(post, label).posterior
            if passed:
                break
            weights = observe(weights, 1.0 - (CHECK.tpr * p[at] + CHECK.fpr * (1.0 - p[at])))
        if count in STOPS or count == n:
            known = shuffled[:count]
            now = skill.difficulty_prior(post, 0)
            out.append(
                [
                    judged(skill.predict(post, 0, now).grid, now, cost, test),
                    judged(fitted(seen[known]), prior, cost, test),
                    judged(fitted(train.right[known]), prior, cost, test),
                ]
            )
    return np.array(out[: len(STOPS)])


def main() -> None:
    """Print J for every pool that is named."""
    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or ["9real-swev", "9real-swt", "mini-25"]:
        data = data_of(load_pool(folder, BUILT_IN[name]))
        parts = list(random_splits(data.right.shape[0], SPLITS))
        made = [one_split(data.rows(a), data.rows(b), seed) for seed, (a, b) in enumerate(parts)]
        least = min(len(one) for one in made)
        mean = np.mean([one[:least] for one in made], axis=0)
        single = []
        for a, b in parts:
            train, test = data.rows(a), data.rows(b)
            arm = best_single(train.right, train.cost)
            done = baselines.run_sequence([arm], test.right, test.cost, CHECK, ESCAPE, hand_over=False)
            single.append(float((done.cost + H * done.loss).mean()))
        print(
            f"{name}: J per task at H = {H:g} $, check {CHECK.name}, {SPLITS} splits; best single {np.mean(single):.3f}"
        )
        for count, (online, same, everything) in zip(STOPS, mean, strict=False):
            print(
                f"  after {count:3d} tasks: label by label {online:.3f}, batch fit of the same verdicts {same:.3f}, "
                f"batch fit of all outcomes {everything:.3f}"
            )


if __name__ == "__main__":
    main()
