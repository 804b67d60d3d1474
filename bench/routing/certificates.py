"""How often a learn-then-test certificate is wrong: 500 resamples of calibration tasks, violations against delta.

Without an argument losses are drawn for a ladder of thresholds whose true risk is known. With a folder of outcome tables they are
recorded: the ladder is the planner's orders from a dear human to a cheap one, fitted on 40 % of a pool; the other 60 % are the whole
population, so that its risk is known, and each resample draws calibration tasks from it. A violation is a certified rung whose true
risk exceeds epsilon. Beside it, the naive rule that takes the last rung whose empirical risk is below epsilon.

    python bench/routing/certificates.py [DATA [POOL]]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from suffice.decision.grid import Floats
from suffice.decision.guarantee import learn_then_test
from suffice.evals.choice import best_single
from suffice.evals.ours import least_cost
from suffice.evals.outcomes import load_pool
from suffice.evals.pools import BUILT_IN
from suffice.evals.replay import random_splits
from suffice.evals.tree_policy import LEVELS, data_of
from suffice.evals.walk import Verifier

RESAMPLES = 500
DELTA = 0.1
CHECK = Verifier(name="95/10", tpr=0.95, fpr=0.1)


def last_below(losses: Floats, epsilon: float) -> int:
    """Return the last rung whose empirical risk is at most `epsilon`, -1 when none is."""
    below = np.flatnonzero(losses.mean(axis=0) <= epsilon)
    return int(below[-1]) if below.size else -1


def drawn() -> None:
    """Print violation rates and the mean certified rung for several sizes and epsilons of a made ladder."""
    rng = np.random.default_rng(11)
    risks = np.linspace(0.01, 0.25, 25)
    for n in (100, 200, 400):
        for epsilon in (0.05, 0.1):
            certified, naive, rungs = 0, 0, 0.0
            for _ in range(RESAMPLES):
                # One uniform per task serves all rungs: riskier rungs fail where safer ones did, as thresholds do.
                losses = (rng.random((n, 1)) < risks).astype(float)
                rung = learn_then_test(losses, epsilon, DELTA)
                certified += int(rung >= 0 and risks[rung] > epsilon)
                rungs += rung
                at = last_below(losses, epsilon)
                naive += int(at >= 0 and risks[at] > epsilon)
            print(
                f"n {n}, epsilon {epsilon}, delta {DELTA}: learn-then-test violates {100 * certified / RESAMPLES:.1f} %, "
                f"naive {100 * naive / RESAMPLES:.1f} %; mean certified rung {rungs / RESAMPLES:.1f} of {len(risks) - 1}"
            )


def recorded(folder: Path, name: str) -> None:
    """Print violation rates on the recorded outcomes of a pool, and what the certified rung costs against the safest."""
    data = data_of(load_pool(folder, BUILT_IN[name]))
    rng = np.random.default_rng(12)
    test_rows, train_rows = next(random_splits(data.right.shape[0], 1))
    train, rest = data.rows(train_rows), data.rows(test_rows)
    best = best_single(train.right, train.cost)
    levels = LEVELS[::-1] * float(train.cost[:, best].mean())
    done = least_cost(train, rest, CHECK, levels, 1.0)
    # Expected loss of every rung on every task: the answer that is given, or was the last one, is wrong.
    losses = np.clip(np.stack([1.0 - d.right for d in done], axis=1), 0.0, 1.0)
    cost = np.array([float(d.cost.mean()) for d in done])
    risks = losses.mean(axis=0)
    print(
        f"{name}: {train_rows.size} tasks to fit on, a population of {rest.right.shape[0]}; risks {risks[0]:.3f} to {risks[-1]:.3f}"
    )
    base = float(1.0 - train.right[:, best].mean())
    for n in (100, 200, 400):
        for slack in (0.0, 0.03, 0.06):
            epsilon = base + slack
            certified, naive, none, saved = 0, 0, 0, []
            for _ in range(RESAMPLES):
                sample = losses[rng.integers(0, losses.shape[0], n)]
                rung = learn_then_test(sample, epsilon, DELTA)
                certified += int(rung >= 0 and risks[rung] > epsilon)
                none += int(rung < 0)
                if rung >= 0:
                    saved.append(1.0 - cost[rung] / cost[0])
                at = last_below(sample, epsilon)
                naive += int(at >= 0 and risks[at] > epsilon)
            gain = f"{100 * float(np.mean(saved)):.0f} %" if saved else "-"
            print(
                f"n {n}, epsilon {epsilon:.3f}, delta {DELTA}: learn-then-test violates {100 * certified / RESAMPLES:.1f} %, naive "
                f"{100 * naive / RESAMPLES:.1f} %; no certificate in {100 * none / RESAMPLES:.0f} %, else {gain} cheaper than the safest"
            )


def main() -> None:
    """Run on made losses, and on recorded ones when a folder is named."""
    drawn()
    if len(sys.argv) > 1:
        recorded(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "9real-swev")


if __name__ == "__main__":
    main()
