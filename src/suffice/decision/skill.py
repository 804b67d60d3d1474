"""The success model: which arm solves a task of unknown difficulty, and how sure that is.

p_a(x, θ) = σ(α_a [b_a + u_{a,k} − θ]),  θ | x ~ N(m_k + r_repo + w·φ(x), τ_k²)      (ROUTING.md 3.2)

All parameters are independent Gaussians. A posterior is immutable: learning returns a new one (`learning.py`), so that
readers keep the old snapshot while a single writer swaps the reference. Does not read clocks or files.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from suffice.decision.calibration import Platt
from suffice.decision.grid import GRID, Floats, logit, normal_prior, sigmoid
from suffice.errors import DecisionError

LOW_Z = 1.28  # one-sided 90 %
ABILITY_SD = 1.5
CELL_VAR = 0.3**2
REPO_VAR = 0.5**2
SPREAD = 1.6
MAX_REPOS = 512
SHIFT_STEPS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillPosterior:
    """Parameters for A arms, K cells (task type x language), R repositories and D shared features.

    `ability`, `slope` are [A]; `cell_effect` [A, K]; `cell_mean`, `spread` [K]; `repo_effect` [R]; `feature_weight` [D];
    every `*_var` has the shape of its mean; `ability_var0` is the prior variance that forgetting returns to.
    `drift` [A, 2] holds the two one-sided CUSUM sums; `seen` the ids of the last labels, oldest first.
    """

    arms: tuple[str, ...]
    cells: tuple[str, ...]
    repos: tuple[str, ...] = ()
    ability: Floats
    ability_var: Floats
    ability_var0: Floats
    slope: Floats
    cell_effect: Floats
    cell_effect_var: Floats
    cell_mean: Floats
    cell_mean_var: Floats
    spread: Floats
    repo_effect: Floats
    repo_effect_var: Floats
    feature_weight: Floats
    feature_weight_var: Floats
    drift: Floats
    updated_at_s: float = 0.0
    seen: tuple[str, ...] = field(default=())
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Success of A arms: `grid` [A, 33] given the difficulty, `mean` [A], lower bound `low` [A], logit sd `sd` [A]."""

    grid: Floats
    mean: Floats
    low: Floats
    sd: Floats


def fresh(
    arms: tuple[str, ...], cells: tuple[str, ...], *, public: Floats | None = None, features: int = 0
) -> SkillPosterior:
    """Return a prior. `public` [A] holds public success rates in (0, 1) or NaN where none is known.

    Raises DecisionError when there is no arm, no cell, or a name occurs twice.
    """
    if not arms or not cells:
        raise DecisionError("a success model needs at least one arm and one cell")
    if len(set(arms)) != len(arms) or len(set(cells)) != len(cells):
        raise DecisionError("an arm or a cell is named twice in the success model")
    a, k = len(arms), len(cells)
    known = np.full(a, np.nan) if public is None else np.asarray(public, dtype=np.float64)
    has = np.isfinite(known)
    ability = np.where(has, 1.2 * logit(np.where(has, known, 0.5)), 0.0)
    var = np.where(has, 0.8**2, ABILITY_SD**2)
    return SkillPosterior(
        arms=arms, cells=cells, ability=ability, ability_var=var, ability_var0=var.copy(), slope=np.ones(a),
        cell_effect=np.zeros((a, k)), cell_effect_var=np.full((a, k), CELL_VAR), cell_mean=np.zeros(k),
        cell_mean_var=np.full(k, 1.0), spread=np.full(k, SPREAD), repo_effect=np.zeros(0),
        repo_effect_var=np.zeros(0), feature_weight=np.zeros(features), feature_weight_var=np.full(features, 0.04),
        drift=np.zeros((a, 2)),
    )  # fmt: skip


def index(names: tuple[str, ...], name: str, what: str) -> int:
    """Return the position of `name`; raises DecisionError that lists what is known."""
    try:
        return names.index(name)
    except ValueError:
        shown = ", ".join(names[:8]) or "none"
        raise DecisionError(f"unknown {what} {name!r}", hint=f"known: {shown}") from None


def difficulty_prior(post: SkillPosterior, cell: int, repo: str = "", phi: Floats | None = None) -> Floats:
    """Return weights[33] of the difficulty of a task in `cell` before any verdict.

    The spread of a cell is that over all repositories: to know the repository takes its share away. One never seen says nothing.
    """
    mean = float(post.cell_mean[cell])
    variance = float(post.spread[cell]) ** 2 + float(post.cell_mean_var[cell])
    if repo in post.repos:
        at = post.repos.index(repo)
        mean += float(post.repo_effect[at])
        variance = max(variance - REPO_VAR, 0.0) + float(post.repo_effect_var[at])
    if phi is not None and phi.shape == post.feature_weight.shape and np.isfinite(phi).all():
        mean += float(post.feature_weight @ phi)
        variance += float(post.feature_weight_var @ (phi * phi))
    return normal_prior(mean, float(np.sqrt(variance)))


def predict(post: SkillPosterior, cell: int, weights: Floats, arms: np.ndarray | None = None) -> Prediction:
    """Return the success of `arms` (indices, default all) in `cell` under difficulty `weights[33]`.

    The noise of the parameters is integrated by the probit trick κ = 1/√(1 + π s²/8); `low` is σ(κ(z̄ − 1.28 s)), where s
    also holds the spread of the difficulty, because a floor asks about this task and not about the average one.
    """
    rows = slice(None) if arms is None else arms
    slope = post.slope[rows]
    centre = post.ability[rows] + post.cell_effect[rows, cell]
    var = slope * slope * (post.ability_var[rows] + post.cell_effect_var[rows, cell])
    kappa = 1.0 / np.sqrt(1.0 + np.pi * var / 8.0)
    grid = sigmoid((kappa * slope)[:, None] * (centre[:, None] - GRID))
    mean = grid @ weights
    sd = np.sqrt(var)
    low = sigmoid(logit(mean) - LOW_Z * kappa * sd)
    return Prediction(grid=grid, mean=mean, low=low, sd=sd)


def mapped(said: Prediction, weights: Floats, platt: Platt) -> Prediction:
    """Return the prediction under a calibration map of its means: every arm's curve is moved in logits until its mean is the mapped one."""
    mean, low = platt.apply(said.mean), platt.apply(said.low)
    z, shift = logit(said.grid), np.zeros((said.mean.shape[0], 1))
    grid = said.grid
    for _ in range(SHIFT_STEPS):
        slope = np.maximum((grid * (1.0 - grid)) @ weights, 1e-6)
        shift = shift + np.clip((mean - grid @ weights) / slope, -2.0, 2.0)[:, None]
        grid = sigmoid(z + shift)
    return Prediction(grid=grid, mean=grid @ weights, low=np.minimum(low, grid @ weights), sd=said.sd)


def add_arm(
    post: SkillPosterior, arm: str, *, ability: float = 0.0, sd: float = ABILITY_SD, slope: float = 1.0
) -> SkillPosterior:
    """Return the posterior with one more arm; an arm that is there already is left alone."""
    if arm in post.arms:
        return post
    k = len(post.cells)
    return replace(
        post, arms=(*post.arms, arm), ability=np.append(post.ability, ability),
        ability_var=np.append(post.ability_var, sd * sd), ability_var0=np.append(post.ability_var0, sd * sd),
        slope=np.append(post.slope, min(2.0, max(0.5, slope))),
        cell_effect=np.vstack([post.cell_effect, np.zeros((1, k))]),
        cell_effect_var=np.vstack([post.cell_effect_var, np.full((1, k), CELL_VAR)]),
        drift=np.vstack([post.drift, np.zeros((1, 2))]), version=post.version + 1,
    )  # fmt: skip


def add_repo(post: SkillPosterior, repo: str) -> SkillPosterior:
    """Return the posterior with one more repository at effect 0; a known one is left alone.

    Beyond MAX_REPOS the one of which least was learned makes room.
    """
    if not repo or repo in post.repos:
        return post
    if len(post.repos) >= MAX_REPOS:
        out = int(post.repo_effect_var.argmax())
        post = replace(
            post, repos=post.repos[:out] + post.repos[out + 1 :], repo_effect=np.delete(post.repo_effect, out),
            repo_effect_var=np.delete(post.repo_effect_var, out),
        )  # fmt: skip
    return replace(
        post, repos=(*post.repos, repo), repo_effect=np.append(post.repo_effect, 0.0),
        repo_effect_var=np.append(post.repo_effect_var, REPO_VAR), version=post.version + 1,
    )  # fmt: skip


def widen(post: SkillPosterior, arm: str, *, sd: float = 0.3) -> SkillPosterior:
    """Return the posterior less sure of `arm`: its version or slug changed, or its residuals drifted."""
    at = index(post.arms, arm, "arm")
    var = post.ability_var.copy()
    var[at] += sd * sd
    drift = post.drift.copy()
    drift[at] = 0.0
    return replace(post, ability_var=var, drift=drift, version=post.version + 1)
