"""The gateway's own planner on recorded outcomes: one fixed order per cell by `decision.plan.solve`, without spend, caps or a tree.

Does: fit on training rows, solve for a repair cost, run the order. Does not: look at spend or turns, nor know that errors of a check
go together. The gateway plans like this; its beliefs come from priors and labels one by one, here they are fitted to the training
part at once. Invariant: test rows never reach the plan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suffice.decision.core import HELD_MARGIN
from suffice.decision.grid import Floats, Ints
from suffice.decision.plan import Problem, shortlist, solve
from suffice.evals import baselines
from suffice.evals.baselines import Judged
from suffice.evals.choice import MARGIN, best_single, honest_best, monotone, safe_mixture
from suffice.evals.ours import LEVELS, Data, cells_of
from suffice.evals.walk import Verifier

ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The order of arms per cell of a training part, and which cells it knows."""

    by_cell: dict[int, list[int]]

    def run(self, test: Data, verifier: Verifier, escape: float) -> Judged:
        """Return what the orders do on test tasks; a rejected last answer goes to the human."""
        out = [np.zeros(test.right.shape[0]) for _ in range(3)]
        for cell, order in self.by_cell.items():
            index = _rows(test, cell, self.by_cell)
            done = baselines.run_sequence(
                order, test.right[index], test.cost[index], verifier, escape, hand_over=verifier.gate
            )
            for whole, part in zip(out, (done.cost, done.right, done.loss), strict=True):
                whole[index] = part
        return Judged(cost=out[0], right=out[1], loss=out[2])


def _rows(data: Data, cell: int, known: dict[int, list[int]]) -> Ints:
    if cell == -1:
        return np.flatnonzero(~np.isin(data.cell, [c for c in known if c != -1]))
    return np.flatnonzero(data.cell == cell)


def order_of(train: Data, verifier: Verifier, repair_usd: float, escape: float) -> list[int]:
    """Return the arms in the order in which the planner tries them; one at least, as the gateway always answers."""
    model = train.fitted(())
    cost = train.cost.mean(axis=0)
    mean = model.p @ model.prior
    keep = shortlist(mean, cost, repair_usd)
    k = keep.size
    solved = solve(
        Problem(
            p=model.p[keep],
            cost=np.repeat(cost[keep][:, None], model.prior.size, axis=1),
            tpr=np.full(k, verifier.tpr if verifier.gate else 1.0),
            fpr=np.full(k, verifier.fpr if verifier.gate else 1.0),
            weights=model.prior,
            repair_usd=repair_usd,
            escape_factor=escape,
            attempts=ATTEMPTS if verifier.gate else 1,
            margin=HELD_MARGIN,
        )
    )
    return [int(keep[at]) for at in solved.sequence or (int(solved.first.argmin()),)]


def orders(train: Data, verifier: Verifier, repair_usd: float, escape: float) -> Orders:
    """Return the plan of every cell with enough tasks of its own, and of all others together (-1)."""
    own = cells_of(train)
    cells = own if own == [-1] else [*own, -1]
    part = {c: train if c == -1 else train.of_cell(c, tuple(cells)) for c in cells}
    return Orders(by_cell={c: order_of(rows, verifier, repair_usd, escape) for c, rows in part.items()})


def least_cost(train: Data, test: Data, verifier: Verifier, repair_usd: Floats, escape: float) -> list[Judged]:
    """Return what the plan does on the test tasks for every repair cost."""
    return [orders(train, verifier, float(h), escape).run(test, verifier, escape) for h in repair_usd]


def iso(train: Data, test: Data, verifier: Verifier, margin: float = MARGIN) -> Judged:
    """Return the cheapest mixture of two repair costs whose cross-fitted accuracy is the best single model's and the margin."""
    target = honest_best(train.right) + margin
    scale = float(train.cost[:, best_single(train.right, train.cost)].mean())
    levels = LEVELS * scale
    n = train.right.shape[0]
    accuracy, cost = np.zeros(levels.size), np.zeros(levels.size)
    for inner, _, judged in train.parts():
        for at, done in enumerate(least_cost(inner, judged, verifier, levels, 1.0)):
            accuracy[at] += done.right.sum() / n
            cost[at] += done.cost.sum() / n
    mixture = safe_mixture(monotone(accuracy), monotone(cost), target, scale)
    final = least_cost(train, test, verifier, levels, 1.0)
    spent, right, loss = (np.stack([getattr(done, name) for done in final]) for name in ("cost", "right", "loss"))
    return Judged(cost=mixture.of(spent), right=mixture.of(right), loss=mixture.of(loss))
