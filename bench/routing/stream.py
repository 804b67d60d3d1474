"""A simulated stream of tasks with what goes wrong in practice: prices drift, a new model comes, one is swapped in silence.

Online learning with the product's own success model and plan, label by label. Beside it, on the same tasks: a batch fit of the same kind of
model (`evals.fit.fit_skill`, every 25 tasks, on what its own attempts of the last 400 tasks have shown), and two references that know the
truth of the moment or of the start. Prints J per block of 100 tasks and the alarms raised.
`python bench/routing/stream.py`
"""

from __future__ import annotations

import numpy as np

from suffice.decision import coldstart, learning, plan, skill
from suffice.decision.grid import GRID, normal_prior, observe, sigmoid
from suffice.evals.fit import fit_skill

H = 3.0
TPR, FPR = 0.95, 0.1
TASKS, BLOCK = 1200, 100
REFIT, WINDOW = 25, 400
NAMES = ("small", "middle", "large")


def truth(step: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return (ability, dollars) of every arm on offer at `step`: prices drift, `new` comes at 400, `middle` is
    swapped at 800."""
    ability = {"small": 0.2, "middle": 1.6, "large": 3.0}
    usd = {"small": 0.03, "middle": 0.25 * (1.0 + step / TASKS), "large": 0.9}
    if step >= 400:
        ability["new"], usd["new"] = 2.4, 0.12
    if step >= 800:
        ability["middle"] = -1.0
    return ability, usd


def solve(p: np.ndarray, usd: np.ndarray, weights: np.ndarray) -> tuple[int, ...]:
    """Return the planned sequence (arm positions)."""
    k = len(usd)
    cost = np.repeat(usd[:, None], GRID.size, axis=1)
    problem = plan.Problem(
        p=p, cost=cost, tpr=np.full(k, TPR), fpr=np.full(k, FPR), weights=weights, repair_usd=H, margin=0.02
    )
    return plan.solve(problem).sequence


def run(
    sequence: tuple[int, ...], names: tuple[str, ...], step: int, u: np.ndarray, hard: float
) -> tuple[float, list[tuple[str, bool]]]:
    """Return J of one task and the outcomes seen; `u` [arms, 2] are the task's uniforms for success and for the verdict."""
    ability, usd = truth(step)
    spent, seen = 0.0, []
    for at in sequence:
        name = names[at]
        right = u[at, 0] < sigmoid(np.array(ability[name] - hard))
        spent += usd[name]
        seen.append((name, bool(right)))
        if u[at, 1] < (TPR if right else FPR):
            return spent + (0.0 if right else 1.5 * H), seen
    return spent + H, seen


class Batch:
    """A learner that fits anew every REFIT tasks to the last WINDOW of its own outcomes, and knows the prior until then."""

    def __init__(self, start: np.ndarray) -> None:
        self.p = start
        self.seen: list[dict[str, bool]] = []

    def learn(self, outcomes: list[tuple[str, bool]], names: tuple[str, ...]) -> None:
        """Keep what one task has shown; fit when it is time, an arm without any outcome keeping its prior."""
        self.seen.append(dict(outcomes))
        if len(self.seen) % REFIT:
            return
        rows = np.array([[float(task[n]) if n in task else np.nan for n in names] for task in self.seen[-WINDOW:]])
        ability, slope = fit_skill(rows)
        fitted = sigmoid(slope[:, None] * (ability[:, None] - GRID))
        known = np.isfinite(rows).any(axis=0)
        self.p = np.where(known[:, None], fitted, self.prior(names))

    def prior(self, names: tuple[str, ...]) -> np.ndarray:
        """Return what is believed of `names` [A, 33]; a new arm enters as the middle one is believed to be."""
        grown = np.vstack([self.p, np.repeat(self.p[[1]], len(names) - self.p.shape[0], axis=0)])
        return np.asarray(grown)


def stream(seed: int) -> tuple[np.ndarray, list[str]]:
    """Return J [TASKS, 4] (learner, batch fit, knows the moment, knows only the start) and the alarms."""
    rng = np.random.default_rng(seed)
    post = skill.fresh(NAMES, ("agent/python",), public=np.array([0.5, 0.7, 0.85]))
    prior = normal_prior(0.0, 1.8)
    out, alarms = np.zeros((TASKS, 4)), []
    start_p = sigmoid(np.array([[truth(0)[0][n]] for n in NAMES]) - GRID)
    start_usd = np.array([truth(0)[1][n] for n in NAMES])
    batch = Batch(skill.predict(post, 0, skill.difficulty_prior(post, 0)).grid)
    for step in range(TASKS):
        ability, usd = truth(step)
        if "new" in ability and "new" not in post.arms:
            post = coldstart.inherit(post, "new", "middle")
        names = post.arms
        price = np.array([usd[n] for n in names])
        hard, u = float(rng.normal(0, 1.8)), rng.random((4, 2))
        weights = skill.difficulty_prior(post, 0)
        learned = skill.predict(post, 0, weights)
        known = sigmoid(np.array([[ability[n]] for n in names]) - GRID)
        out[step, 0], seen = run(solve(learned.grid, price, weights), names, step, u, hard)
        batch.p = batch.prior(names)
        out[step, 1], shown = run(solve(batch.p, price, prior), names, step, u, hard)
        batch.learn(shown, names)
        out[step, 2], _ = run(solve(known, price, prior), names, step, u, hard)
        out[step, 3], _ = run(solve(start_p, start_usd, prior), NAMES, step, u, hard)
        for k, (name, right) in enumerate(seen):
            label = learning.Label(
                label_id=f"{step}/{k}", arm=name, cell=0, success=right, weights=weights, at_s=3600.0 * (step + 1)
            )
            done = learning.learn(post, label)
            # What the task has shown so far goes into the next label: an arm tried after a failure saw a harder task.
            p = learned.grid[names.index(name)]
            weights = observe(weights, p if right else 1.0 - p)
            post = done.posterior
            if done.note.startswith("drift"):
                alarms.append(f"{done.note} at {step}")
    return out, alarms


def main(seeds: int = 20) -> None:
    """Print the adaptation curve, averaged over `seeds` streams, and the alarms."""
    runs = [stream(seed) for seed in range(seeds)]
    mean = np.mean([j for j, _ in runs], axis=0)
    print("tasks        J learner   J batch fit   J knowing the moment   J knowing only the start")
    for at in range(0, TASKS, BLOCK):
        learner, batch, moment, start = mean[at : at + BLOCK].mean(axis=0)
        note = {400: "  <- new model", 800: "  <- silent swap"}.get(at, "")
        print(f"{at:5d}-{at + BLOCK - 1:<5d}  {learner:9.3f}   {batch:11.3f}   {moment:20.3f}   {start:24.3f}{note}")
    caught = [
        min((int(a.split()[-1]) - 800 for a in alarms if "middle" in a and int(a.split()[-1]) >= 800), default=-1)
        for _, alarms in runs
    ]
    found = [c for c in caught if c >= 0]
    false = sum(int(a.split()[-1]) < 800 for _, alarms in runs for a in alarms)
    after = float(np.median(found)) if found else float("nan")
    print(f"silent swap alarmed in {len(found)} of {seeds} streams, after {after:.0f} tasks (median);")
    print(f"{false} alarms before it, over {800 * seeds} tasks")


if __name__ == "__main__":
    main()
