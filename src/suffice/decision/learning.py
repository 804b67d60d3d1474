"""Online learning of the success model: one label at a time, in the number of active parameters.

Does: the Gaussian update of ROUTING.md 3.5, forgetting, the CUSUM alarm. Does not: mutate a posterior. Invariant: a label is
counted once whatever its order of arrival, time never runs backwards inside the model, variances stay in (0, prior].
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from suffice.decision.grid import Floats
from suffice.decision.skill import SkillPosterior, difficulty_prior, predict, widen
from suffice.errors import DecisionError

HALF_LIFE_S = 30 * 86_400.0
CUSUM_SLACK = 0.25
CUSUM_LIMIT = 8.0
SEEN_LABELS = 4096
RELIABILITY = {"tests": 1.0, "ci": 1.0, "merged-24h": 0.9, "user": 0.5, "gate": 0.3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What became of one attempt. `weights[33]` is the task's difficulty posterior from its *other* verdicts, if known."""

    label_id: str
    arm: str
    cell: int
    success: bool
    reliability: float = 1.0
    repo: str = ""
    phi: Floats | None = None
    weights: Floats | None = None
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The new posterior, and what happened: `note` is empty, `repeated`, `unknown-arm` or `drift:<arm>`."""

    posterior: SkillPosterior
    note: str = ""
    residual: float = 0.0


def forget(post: SkillPosterior, now_s: float) -> SkillPosterior:
    """Return the posterior as it is believed at `now_s`: variances grow back towards the prior, half-way in 30 days.

    A clock that jumps back changes nothing; one that jumps ahead costs at most one full reset to the prior variance.
    """
    if not np.isfinite(now_s):
        return post
    if post.updated_at_s <= 0.0 or now_s <= post.updated_at_s:
        return replace(post, updated_at_s=max(post.updated_at_s, now_s))
    keep = 0.5 ** ((now_s - post.updated_at_s) / HALF_LIFE_S)
    var = np.maximum(post.ability_var, keep * post.ability_var + (1.0 - keep) * post.ability_var0)
    return replace(
        post, ability_var=np.minimum(var, np.maximum(post.ability_var0, post.ability_var)), updated_at_s=now_s
    )


def learn(post: SkillPosterior, label: Label) -> Learned:
    """Return the posterior after `label`.

    ḡ = ω(y − p̄), h = ω p̄(1 − p̄); each active parameter j with input f_j: v ← 1/(1/v + f² h), μ ← μ + v f ḡ.
    A repeated label and an arm nobody knows are no-ops with a note. Raises DecisionError for a cell out of range or a
    reliability outside [0, 1].
    """
    if not 0 <= label.cell < len(post.cells):
        raise DecisionError(f"label {label.label_id}: cell {label.cell} of {len(post.cells)}")
    if not np.isfinite(label.reliability) or not 0.0 <= label.reliability <= 1.0:
        raise DecisionError(f"label {label.label_id}: reliability {label.reliability} is outside [0, 1]")
    if label.label_id in post.seen:
        return Learned(posterior=post, note="repeated")
    if label.arm not in post.arms:
        return Learned(posterior=post, note="unknown-arm")
    at = post.arms.index(label.arm)
    post = forget(post, label.at_s)
    weights = label.weights
    if weights is None:
        weights = difficulty_prior(post, label.cell, label.repo, label.phi)
    p = float(predict(post, label.cell, weights, np.array([at])).mean[0])
    residual = float(label.success) - p
    g, h = label.reliability * residual, label.reliability * max(p * (1.0 - p), 1e-4)
    updated = _shift(post, label, at, g, h)
    drift = updated.drift.copy()
    scale = float(np.sqrt(max(p * (1.0 - p), 0.02)))
    # An arm still being learned surprises by nature: its residuals count by how much of the prior variance is gone.
    known = max(0.0, 1.0 - float(updated.ability_var[at] / updated.ability_var0[at]))
    step = known * label.reliability * residual / scale
    drift[at, 0] = max(0.0, drift[at, 0] + step - CUSUM_SLACK)
    drift[at, 1] = max(0.0, drift[at, 1] - step - CUSUM_SLACK)
    seen = (*post.seen, label.label_id)[-SEEN_LABELS:]
    updated = replace(updated, drift=drift, seen=seen, version=post.version + 1)
    if drift[at].max() > CUSUM_LIMIT:
        return Learned(posterior=widen(updated, label.arm, sd=0.8), note=f"drift:{label.arm}", residual=residual)
    return Learned(posterior=updated, residual=residual)


def _shift(post: SkillPosterior, label: Label, at: int, g: float, h: float) -> SkillPosterior:
    """Move every active parameter by one Gaussian step; arrays are copied, never written in place."""
    slope, k = float(post.slope[at]), label.cell
    ability, ability_var = post.ability.copy(), post.ability_var.copy()
    ability_var[at] = 1.0 / (1.0 / ability_var[at] + slope * slope * h)
    ability[at] += ability_var[at] * slope * g
    effect, effect_var = post.cell_effect.copy(), post.cell_effect_var.copy()
    effect_var[at, k] = 1.0 / (1.0 / effect_var[at, k] + slope * slope * h)
    effect[at, k] += effect_var[at, k] * slope * g
    mean, mean_var = post.cell_mean.copy(), post.cell_mean_var.copy()
    mean_var[k] = 1.0 / (1.0 / mean_var[k] + slope * slope * h)
    mean[k] -= mean_var[k] * slope * g
    repo, repo_var = post.repo_effect, post.repo_effect_var
    if label.repo in post.repos:
        r = post.repos.index(label.repo)
        repo, repo_var = repo.copy(), repo_var.copy()
        repo_var[r] = 1.0 / (1.0 / repo_var[r] + slope * slope * h)
        repo[r] -= repo_var[r] * slope * g
    weight, weight_var = post.feature_weight, post.feature_weight_var
    phi = label.phi
    if phi is not None and phi.shape == weight.shape and np.isfinite(phi).all():
        weight_var = 1.0 / (1.0 / weight_var + slope * slope * phi * phi * h)
        weight = weight - weight_var * slope * phi * g
    return replace(
        post, ability=ability, ability_var=ability_var, cell_effect=effect, cell_effect_var=effect_var, cell_mean=mean,
        cell_mean_var=mean_var, repo_effect=repo, repo_effect_var=repo_var, feature_weight=weight,
        feature_weight_var=weight_var,
    )  # fmt: skip
