"""How good the success predictions are: Brier score and calibration error on test tasks, before and after one verified outcome.

Does: predict every model but the cheapest from what the training part taught, once from nothing and once given the true outcome of
the cheapest model on the same task, as a plan knows it after its first attempt. Does not: recalibrate. Invariant: both are scored on
the same (task, model) pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suffice.decision.calibration import brier, ece
from suffice.decision.grid import Floats
from suffice.evals.fit import difficulty_posterior
from suffice.evals.tree_policy import Data, cells_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Brier score and expected calibration error, from nothing and given one outcome. Lower is better; NaN with one model."""

    brier: float
    ece: float
    brier_one_outcome: float
    ece_one_outcome: float


def predicted(train: Data, test: Data) -> tuple[Floats, Floats, Floats]:
    """Return (from nothing, given one outcome, truth), each flat over the test tasks and all models but the cheapest."""
    own = cells_of(train)
    cells = own if own == [-1] else [*own, -1]
    parts: list[tuple[Floats, Floats, Floats]] = []
    known = [c for c in cells if c != -1]
    for cell in cells:
        index = np.flatnonzero(~np.isin(test.cell, known) if cell == -1 else test.cell == cell)
        model = (train if cell == -1 else train.of_cell(cell, tuple(cells))).fitted(())
        cheapest = int(train.cost.mean(axis=0).argmin())
        others = np.flatnonzero(np.arange(train.right.shape[1]) != cheapest)
        before = np.repeat((model.p @ model.prior)[others][None], index.size, axis=0)
        seen = test.right[index][:, [cheapest]]
        after = difficulty_posterior(model.p[[cheapest]], seen, model.prior) @ model.p[others].T
        parts.append((before.ravel(), after.ravel(), test.right[index][:, others].ravel()))
    nothing, one, truth = (np.concatenate(column) for column in zip(*parts, strict=True))
    return nothing, one, truth


def scores(train: Data, test: Data) -> Scores:
    """Return the scores of one split."""
    nothing, one, truth = predicted(train, test)
    return Scores(
        brier=brier(nothing, truth),
        ece=ece(nothing, truth),
        brier_one_outcome=brier(one, truth),
        ece_one_outcome=ece(one, truth),
    )


def mean(all_scores: list[Scores]) -> dict[str, float]:
    """Return the means over splits by field name; NaN without splits."""
    names = Scores.__slots__
    return {n: float(np.mean([getattr(s, n) for s in all_scores])) if all_scores else float("nan") for n in names}
