"""Cold start: what to believe of an arm nobody has tried here, and which few tasks to try it on.

Public scores and family inheritance give a prior; tasks are chosen by what they tell of the arm's ability, given how sure their
difficulty is. Does not hold public data or run anything. Invariant: a prior is never more certain than the source that it came from,
and trying tasks never makes a belief about an ability wider.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suffice.decision.grid import GRID, Floats, logit, sigmoid
from suffice.decision.skill import SkillPosterior, add_arm, index
from suffice.errors import DecisionError

SD_BY_SCORES = (1.5, 0.8, 0.4)
MERGE_GAP = 0.2
HEIR_SHIFT, HEIR_SD = 0.1, 0.4
# Nodes and weights of a standard normal for designs, and how finely an ability is resolved (in its prior's sd, from -5 to 5).
NODES, SHARES = np.polynomial.hermite_e.hermegauss(5)
SHARES = SHARES / SHARES.sum()
FINE: Floats = np.linspace(-5.0, 5.0, 201)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Tasks to try, as rows, the most telling first; and the sd of the ability before, and expected after all of them."""

    rows: tuple[int, ...]
    sd: float
    sd_after: float


def _success(ability: Floats, slope: float, weights: Floats) -> tuple[Floats, Floats]:
    """Return (p, dp/db) [B, n] of abilities [B] on tasks whose difficulty is `weights` [n, 33]."""
    p = sigmoid(slope * (ability[:, None] - GRID))
    return p @ weights.T, (slope * p * (1.0 - p)) @ weights.T


def choose_tasks(ability: float, sd: float, slope: float, weights: Floats, count: int) -> Trial:
    """Return up to `count` tasks to try for an ability N(`ability`, `sd`²): of each stratum of difficulty the one that tells most.

    `weights` [n, 33] are the tasks' difficulties. The information of a task about b is (dp/db)² / (p (1 - p)), p averaged over its
    difficulty: a task of uncertain difficulty tells less. Strata hold equally many tasks, since a model need not find the tasks hard that
    others found hard: the most telling tasks of all lie in one place, and mislead there (docs/decisions/115). Raises DecisionError when
    there is nothing to choose from.
    """
    if weights.ndim != 2 or weights.shape[0] == 0 or not np.isfinite(weights).all() or not sd > 0.0:
        raise DecisionError("no task to choose from, or a difficulty is not finite")
    p, rise = _success(ability + sd * NODES, slope, weights)
    information = rise * rise / np.maximum(p * (1.0 - p), 1e-9)
    mean = SHARES @ information
    strata = np.array_split(np.argsort(weights @ GRID, kind="stable"), min(max(1, count), weights.shape[0]))
    rows = sorted((int(stratum[mean[stratum].argmax()]) for stratum in strata), key=lambda row: -mean[row])
    total = 1.0 / (sd * sd) + information[:, np.array(rows)].sum(axis=1)
    return Trial(rows=tuple(rows), sd=sd, sd_after=float(np.sqrt(np.dot(SHARES, 1.0 / total))))


def fit_ability(
    outcomes: Floats, weights: Floats, *, prior: float, sd: float, slope: float = 1.0
) -> tuple[float, float]:
    """Return mean and sd of the ability after `outcomes` [n] in {0, 1} on tasks of difficulty `weights` [n, 33], exactly on a fine grid.

    Raises DecisionError when the two do not fit, or an sd is not positive.
    """
    if weights.ndim != 2 or outcomes.shape != weights.shape[:1] or not sd > 0.0:
        raise DecisionError(f"{outcomes.shape} outcomes for {weights.shape} difficulties, or no spread")
    ability = prior + sd * FINE
    p = np.clip(_success(ability, slope, weights)[0], 1e-12, 1.0 - 1e-12)
    log = np.log(p) @ outcomes + np.log(1.0 - p) @ (1.0 - outcomes) - 0.5 * FINE * FINE
    mass = np.exp(log - log.max())
    mass /= mass.sum()
    mean = float(mass @ ability)
    return mean, min(sd, float(np.sqrt(mass @ (ability - mean) ** 2)))


def rate_sd(ability: float, sd: float, slope: float, weights: Floats) -> float:
    """Return the sd of the success rate over tasks of difficulty `weights` [33] that an sd of the ability leaves."""
    rate = _success(ability + sd * NODES, slope, weights[None])[0][:, 0]
    mean = float(np.dot(SHARES, rate))
    return float(np.sqrt(max(0.0, float(np.dot(SHARES, rate * rate)) - mean * mean)))
