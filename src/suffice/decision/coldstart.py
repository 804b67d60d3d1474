"""Cold start: what to believe of an arm nobody has tried here, and which few tasks to try it on.

Public scores and family inheritance give a prior; tasks are chosen by Fisher information of the arm's ability. Does not hold
public data itself. Invariant: a prior is never more certain than the source that it came from.
"""

from __future__ import annotations

import numpy as np

from suffice.decision.grid import Floats, logit, sigmoid
from suffice.decision.skill import SkillPosterior, add_arm, index
from suffice.errors import DecisionError

SD_BY_SCORES = (1.5, 0.8, 0.4)
MERGE_GAP = 0.2
HEIR_SHIFT, HEIR_SD = 0.1, 0.4


def public_prior(scores: Floats, *, scale: float = 1.2) -> tuple[float, float]:
    """Return (ability, sd) from public success rates in (0, 1), NaN where a score is missing.

    The mean logit of what there is, less the gap between a benchmark's pass and a merge; sd 1.5, 0.8 or 0.4 for none, one,
    or more scores (ROUTING.md 3.4).
    """
    known = scores[np.isfinite(scores) & (scores > 0.0) & (scores < 1.0)]
    sd = SD_BY_SCORES[min(2, known.size)]
    return (scale * float(logit(known).mean()) - MERGE_GAP if known.size else 0.0), sd


def inherit(post: SkillPosterior, arm: str, predecessor: str) -> SkillPosterior:
    """Return the posterior with `arm` starting from its predecessor's ability + N(0.1, 0.4²)."""
    at = index(post.arms, predecessor, "predecessor")
    sd = float(np.sqrt(post.ability_var[at] + HEIR_SD**2))
    return add_arm(post, arm, ability=float(post.ability[at]) + HEIR_SHIFT, sd=sd, slope=float(post.slope[at]))


def choose_tasks(ability: float, sd: float, slope: float, difficulty: Floats, count: int) -> np.ndarray:
    """Return indices of up to `count` tasks that tell most about the arm, greedily.

    `difficulty` [n] are posterior means. The information of a task is α² E[p (1 − p)] under the current belief about the ability;
    each chosen task narrows the belief, and tasks close to one already chosen are worth as much as before (they are
    independent given the ability). Raises DecisionError when nothing can be chosen.
    """
    if difficulty.size == 0 or not np.isfinite(difficulty).all() or not sd > 0.0:
        raise DecisionError("no task to choose from, or a difficulty is not finite")
    nodes = ability + sd * np.array([-1.2, 0.0, 1.2])
    p = sigmoid(slope * (nodes[:, None] - difficulty[None, :]))
    information = (slope * slope * p * (1.0 - p) * np.array([0.3, 0.4, 0.3])[:, None]).sum(axis=0)
    order = np.argsort(-information, kind="stable")
    return np.sort(order[: max(1, count)])


def fit_ability(
    outcomes: Floats, difficulty: Floats, *, prior: float, sd: float, slope: float = 1.0, iterations: int = 20
) -> tuple[float, float]:
    """Return (ability, sd) after `outcomes` [n] in {0, 1} on tasks of known difficulty [n]: MAP with Laplace's variance."""
    if outcomes.shape != difficulty.shape:
        raise DecisionError(f"{outcomes.shape} outcomes for {difficulty.shape} tasks")
    b, precision = prior, 1.0 / (sd * sd)
    for _ in range(iterations):
        p = sigmoid(slope * (b - difficulty))
        gradient = slope * (outcomes - p).sum() - precision * (b - prior)
        curvature = slope * slope * (p * (1.0 - p)).sum() + precision
        b += max(-1.0, min(1.0, float(gradient / curvature)))
    p = sigmoid(slope * (b - difficulty))
    return b, float(1.0 / np.sqrt(slope * slope * (p * (1.0 - p)).sum() + precision))
