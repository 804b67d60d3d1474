"""Do the repository's difficulty and the calibration map help a gateway that learns label by label? On recorded outcomes.

The gateway's own core (`decision/core.py`) plans the tasks of the training part one by one, its attempts are judged by a drawn check, and
those verdicts are learned: without either, with the repository, with the map, and with both. Then every model's success on the test
part is predicted before anything is seen of a task, and the plan is judged there. Families of these tables are repositories.

    python bench/routing/calibrated.py DATA [POOL ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from suffice.decision.belief import Belief
from suffice.decision.calibration import brier, ece
from suffice.decision.core import Core, cell_of
from suffice.decision.grid import Floats
from suffice.decision.plan import shortlist
from suffice.decision.priors import fixed
from suffice.evals import baselines
from suffice.evals.outcomes import load_pool
from suffice.evals.pools import BUILT_IN
from suffice.evals.replay import random_splits
from suffice.evals.tree_policy import Data, data_of
from suffice.evals.walk import Verifier
from suffice.values.task import TaskType

CHECK, GATE = Verifier(name="95/10", tpr=0.95, fpr=0.1), "check:ci"
H, ESCAPE, SPLITS, RELIABILITY = 3.0, 1.5, 20, 0.9
POOLS = ("9real-swev", "9real-swt", "mini-25", "9west-swev")
CELL = cell_of(TaskType.BUG_FIX, "python")
VARIANTS = (("neither", False, False), ("repository", True, False), ("map", False, True), ("both", True, True))


def order(core: Core, belief: Belief, cost: Floats) -> list[int]:
    """Return the models in the order in which the gateway's plan tries them; one at least."""
    keep = shortlist(belief.mean, cost, H)
    solved = core.plan(belief, tuple(keep.tolist()), cost[keep].tolist(), H, gate=GATE, attempts=3)
    return [int(keep[at]) for at in solved.sequence or (int(solved.first.argmin()),)]


def learned(train: Data, shuffled: np.ndarray, draws: Floats, *, by_repo: bool, maps: bool) -> tuple[Core, list[int]]:
    """Return a core that has planned and learned the training tasks in that order, and the rows of its models."""
    names = [f"x/arm{at}" for at in range(train.right.shape[1])]
    core, cost = Core(fixed({})), train.cost.mean(axis=0)
    rows = [core.know(name, None) for name in names]
    for count, task in enumerate(shuffled.tolist(), 1):
        repo, weights = train.family[task] if by_repo else "", None
        belief = core.believe(rows, CELL, weights, repo)
        for at in order(core, belief, cost):
            passed = bool(draws[task, at] < (CHECK.tpr if train.right[task, at] > 0.5 else CHECK.fpr))
            core.learn(
                label_id=f"{task}/{at}", model=names[at], cell=CELL, success=passed, reliability=RELIABILITY,
                at_s=60.0 * count, weights=weights, repo=repo, calibrates=maps,
            )  # fmt: skip
            if passed:
                break
            weights = core.rejected(weights, names[at], CELL, GATE, repo)
    return core, rows


def judged(core: Core, rows: list[int], train: Data, test: Data, *, by_repo: bool) -> tuple[Floats, float]:
    """Return the predictions [n, A] of the test tasks, and J per task of the plans made for them."""
    p, j = np.zeros(test.right.shape), np.zeros(test.right.shape[0])
    cost = train.cost.mean(axis=0)
    families = np.array(test.family)
    for family in dict.fromkeys(test.family) if by_repo else ("",):
        at = np.flatnonzero(families == family) if by_repo else np.arange(families.size)
        belief = core.believe(rows, CELL, None, family)
        p[at] = belief.mean
        part = test.rows(at)
        done = baselines.run_sequence(
            order(core, belief, cost), part.right, part.cost, CHECK, ESCAPE, hand_over=True
        )  # fmt: skip
        j[at] = done.cost + H * done.loss
    return p, float(j.mean())


def one_split(train: Data, test: Data, seed: int) -> Floats:
    """Return [variants, 4]: Brier score, log loss, calibration error, J."""
    rng = np.random.default_rng(seed)
    shuffled, draws = rng.permutation(train.right.shape[0]), rng.random(train.right.shape)
    out = []
    for _, by_repo, maps in VARIANTS:
        core, rows = learned(train, shuffled, draws, by_repo=by_repo, maps=maps)
        p, j = judged(core, rows, train, test, by_repo=by_repo)
        flat, truth = np.clip(p.ravel(), 1e-6, 1 - 1e-6), test.right.ravel()
        loss = float(-np.mean(truth * np.log(flat) + (1 - truth) * np.log(1 - flat)))
        out.append([brier(flat, truth), loss, ece(flat, truth), j])
    return np.array(out)


def main() -> None:
    """Print the means over the splits for every pool that is named, and the paired differences from `neither`."""
    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or POOLS:
        data = data_of(load_pool(folder, BUILT_IN[name]))
        parts = random_splits(data.right.shape[0], SPLITS)
        made = np.array([one_split(data.rows(a), data.rows(b), seed) for seed, (a, b) in enumerate(parts)])
        print(f"{name}: {SPLITS} splits, check {CHECK.name}, H = {H:g} $")
        for at, (label, _, _) in enumerate(VARIANTS):
            mean, gap = made[:, at].mean(axis=0), made[:, at] - made[:, 0]
            error = gap.std(axis=0, ddof=1) / np.sqrt(SPLITS)
            shown = ", ".join(
                f"{what} {m:.4f} ({g:+.4f} ± {e:.4f})"
                for what, m, g, e in zip(("Brier", "log loss", "ECE", "J"), mean, gap.mean(axis=0), error, strict=True)
            )
            print(f"  {label:10} {shown}")


if __name__ == "__main__":
    main()
