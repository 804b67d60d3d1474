"""A team's own tasks, tried on purpose: how hard they are by what other models did on them, and what a new model's results teach.

Does: everything on the scale of the live beliefs, so that results need no conversion. Does not: run tasks, or keep any but the ids of
labels. Invariants: a result of one model on one task counts once; results never make an ability less certain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from suffice.decision.coldstart import fit_ability, rate_sd
from suffice.decision.grid import Floats, observe
from suffice.decision.learning import SEEN_LABELS
from suffice.decision.skill import SkillPosterior, difficulty_prior, index, predict


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One task: its id, whether the new model did it right, and whether others did, by model."""

    task: str
    right: bool
    others: Mapping[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is believed of a model in a cell: its ability there with its sd, its success rate with the sd that the ability leaves."""

    ability: float
    sd: float
    slope: float
    p: float
    p_sd: float


def difficulties(post: SkillPosterior, cell: int, outcomes: Sequence[Mapping[str, bool]]) -> Floats:
    """Return the difficulty [n, 33] of tasks in `cell` from what models did on them; models that are not known here say nothing."""
    prior = difficulty_prior(post, cell)
    grid = dict(zip(post.arms, predict(post, cell, prior).grid, strict=True))
    out = np.repeat(prior[None], len(outcomes), axis=0)
    for row, others in enumerate(outcomes):
        for model, right in others.items():
            if model in grid:
                out[row] = observe(out[row], grid[model] if right else 1.0 - grid[model])
    return out


def standing(post: SkillPosterior, model: str, cell: int) -> Standing:
    """Return what is believed of `model`. Raises DecisionError for one that is not known."""
    at = index(post.arms, model, "model")
    ability = float(post.ability[at] + post.cell_effect[at, cell])
    sd, slope = float(np.sqrt(post.ability_var[at] + post.cell_effect_var[at, cell])), float(post.slope[at])
    weights = difficulty_prior(post, cell)
    p = float(predict(post, cell, weights, np.array([at])).mean[0])
    return Standing(ability=ability, sd=sd, slope=slope, p=p, p_sd=rate_sd(ability, sd, slope, weights))


def taught(post: SkillPosterior, model: str, cell: int, results: Sequence[Tried]) -> tuple[SkillPosterior, int]:
    """Return the posterior after a model's results on tasks of a cell, and how many of them were new.

    The ability in the cell is fitted exactly; the change is divided between the model's ability and its effect in the cell by how
    uncertain each was. Raises DecisionError for a model that is not known.
    """
    ids = {f"own/{model}/{one.task}": one for one in results}
    fresh = {name: one for name, one in ids.items() if name not in post.seen}
    before, at = standing(post, model, cell), index(post.arms, model, "model")
    if not fresh:
        return post, 0
    others = [{name: y for name, y in one.others.items() if name != model} for one in fresh.values()]
    right = np.array([float(one.right) for one in fresh.values()])
    weights = difficulties(post, cell, others)
    mean, sd = fit_ability(right, weights, prior=before.ability, sd=before.sd, slope=before.slope)
    ability, ability_var = post.ability.copy(), post.ability_var.copy()
    effect, effect_var = post.cell_effect.copy(), post.cell_effect_var.copy()
    total, gone = before.sd**2, 1.0 - (sd / before.sd) ** 2
    for values, variances, place in ((ability, ability_var, at), (effect, effect_var, (at, cell))):
        share = variances[place] / total
        values[place] += share * (mean - before.ability)
        variances[place] *= 1.0 - share * gone
    seen = (*post.seen, *fresh)[-SEEN_LABELS:]
    changed = replace(
        post, ability=ability, ability_var=ability_var, cell_effect=effect, cell_effect_var=effect_var, seen=seen,
        version=post.version + 1,
    )  # fmt: skip
    return changed, len(fresh)
