"""Explanation: every candidate with its mask or numbers, what contributed, what would flip the choice, and replay.

All counterfactuals are in closed form or by re-solving the same pure plan, so that the record alone is enough. Does not decide
anything. Invariant: `replay` of a recorded problem gives the recorded sequence, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from suffice.decision.grid import Floats
from suffice.decision.plan import Problem, Solution, solve
from suffice.decision.skill import SkillPosterior

BISECTIONS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One counterfactual: `what` reaches `value`, then `arm` would go first (-1: the human)."""

    what: str
    value: float
    arm: int

    def sentence(self, names: tuple[str, ...]) -> str:
        """Return it for a person."""
        name = names[self.arm] if self.arm >= 0 else "a person"
        return f"{name} would go first if {self.what} were {self.value:.4g}"


def contributions(
    post: SkillPosterior, cell: int, repo: str, phi: Floats | None, feature_names: tuple[str, ...], top: int = 3
) -> tuple[tuple[str, float], ...]:
    """Return the largest exact contributions to the expected difficulty (logits), largest in size first."""
    parts = [(f"cell {post.cells[cell]}", float(post.cell_mean[cell]))]
    if repo in post.repos:
        parts.append((f"repository {repo}", float(post.repo_effect[post.repos.index(repo)])))
    if phi is not None and phi.shape == post.feature_weight.shape:
        parts += [(n, float(w * x)) for n, w, x in zip(feature_names, post.feature_weight, phi, strict=False)]
    parts.sort(key=lambda part: -abs(part[1]))
    return tuple(part for part in parts[:top] if part[1] != 0.0)


def flip_price(solution: Solution, arm: int, attempt_usd: float) -> Flip | None:
    """Return the attempt cost at which `arm` would go first: the gap of expected totals is one for one in its own cost.

    Closed form; None when the arm is already first or would have to be paid for being used.
    """
    best = float(solution.first.min())
    gap = float(solution.first[arm]) - best
    if gap <= 0.0 or not np.isfinite(gap) or gap >= attempt_usd:
        return None
    return Flip(what="the cost of its attempt in dollars", value=attempt_usd - gap, arm=arm)


def flip_success(problem: Problem, solution: Solution, arm: int) -> Flip | None:
    """Return the one-shot success rate above which `arm` would beat the best even with nothing after it.

    Closed form from C + (1 − q) H + (1 − p) f κH with mean rates; an upper bound of the true break-even.
    """
    w, h = problem.weights, problem.repair_usd
    rows = [r[arm] if r.ndim == 1 else float(r[arm] @ w) for r in (problem.tpr, problem.fpr)]
    t, f = float(rows[0]), float(rows[1])
    cost = float(problem.cost[arm] @ w)
    slope = h * (t - f) + f * problem.escape_factor * h
    if slope <= 0.0:
        return None
    needed = (cost + h * (1.0 - f) + f * problem.escape_factor * h - solution.value) / slope
    now = float(problem.p[arm] @ w)
    return Flip(what="its success rate", value=needed, arm=arm) if now < needed <= 1.0 else None


def flip_repair(problem: Problem, *, low: float = 1e-4, high: float = 1e4) -> tuple[Flip, ...]:
    """Return the nearest repair costs below and above the present one at which another arm would go first."""

    def first(h: float) -> int:
        sequence = solve(replace(problem, repair_usd=h)).sequence
        return sequence[0] if sequence else -1

    here, found = first(problem.repair_usd), []
    for end in (low, high):
        steps = np.geomspace(max(problem.repair_usd, low), end, 9)[1:]
        near = max(problem.repair_usd, low)
        for far in steps:
            if first(float(far)) != here:
                found.append(_bisect(first, here, near, float(far)))
                break
            near = float(far)
    return tuple(found)


def _bisect(first, here: int, near: float, far: float) -> Flip:  # type: ignore[no-untyped-def]
    for _ in range(BISECTIONS):
        middle = float(np.sqrt(near * far))
        if first(middle) == here:
            near = middle
        else:
            far = middle
    return Flip(what="the repair cost H in dollars", value=far, arm=first(far))


def flip_cold(problem: Problem, solution: Solution, cold_cost: Floats) -> Flip | None:
    """Return who would go first if no cache were warm (`cold_cost` [K, G]), or None when nothing changes."""
    other = solve(replace(problem, cost=cold_cost))
    head = other.sequence[0] if other.sequence else -1
    if solution.sequence and head == solution.sequence[0]:
        return None
    return Flip(what="the share of warm cache", value=0.0, arm=head)


def record(problem: Problem) -> dict[str, object]:
    """Return the problem as JSON values, enough to replay it."""
    return {
        "p": problem.p.tolist(), "cost": problem.cost.tolist(), "tpr": problem.tpr.tolist(), "fpr": problem.fpr.tolist(),
        "weights": problem.weights.tolist(), "repair_usd": problem.repair_usd, "escape_factor": problem.escape_factor,
        "attempts": problem.attempts, "margin": problem.margin,
    }  # fmt: skip


def replay(stored: dict[str, object]) -> Solution:
    """Return the solution of a recorded problem. Raises DecisionError when the record cannot be planned."""
    arrays = {name: np.array(stored[name], dtype=np.float64) for name in ("p", "cost", "tpr", "fpr", "weights")}
    scalars = {name: stored[name] for name in ("repair_usd", "escape_factor", "attempts", "margin")}
    return solve(Problem(**arrays, **scalars))  # type: ignore[arg-type]
