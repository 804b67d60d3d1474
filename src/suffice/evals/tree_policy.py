"""The plan tree on recorded outcomes, with spend caps: what could be reached if runs were stopped on the way.

Not what the gateway does (`evals/ours.py`): it has no caps on whole runs. With a check, or with spend as the only evidence: one tree per
cell, the repair cost as the only dial. With nothing to go by after an attempt: the plug-in rule on predictions that are only as fine as
cross-validation allows. Fitted and chosen on the training part alone; no number here is set per pool.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np

from suffice.decision.grid import Floats, Ints
from suffice.decision.tree import STOP, Leaves, Policy, compile_tree, decide
from suffice.evals import baselines
from suffice.evals.baselines import Judged
from suffice.evals.choice import (
    MARGIN,
    Mixture,
    best_single,
    cheapest_mixture,
    folds,
    honest_best,
    monotone,
    safe_mixture,
)
from suffice.evals.fit import Fitted, fit
from suffice.evals.outcomes import Pool
from suffice.evals.walk import Menu, Tasks, Verifier, Walked, build, tasks_of, walk

LEVELS: Floats = np.geomspace(
    0.03, 300.0, 48
)  # times the best single model's cost: repair costs that the dial runs through
SPEND_QUANTILES = (0.5, 0.8)
SHORTLIST = 6
FOLDS = 4
FOCUS = 10.0
MIN_CELL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Rows of a pool: `right`, `cost` [n, A], `cell` [n] (all 0 when families are not cells), `family` and `text` [n].

    `kind` [n] is the cell with the language of the task, "" where families are not cells.
    """

    right: Floats
    cost: Floats
    cell: Ints
    family: tuple[str, ...]
    text: Floats
    kind: tuple[str, ...] = ()
    cache: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    def fitted(self, quantiles: tuple[float, ...]) -> Fitted:
        """Return the models fitted on these rows, once."""
        key = ("fit", quantiles)
        if key not in self.cache:
            self.cache[key] = fit(self.right, self.cost, quantiles)
        return cast(Fitted, self.cache[key])

    def parts(self, repeat: int = 0) -> list[tuple[Data, np.ndarray, Data]]:
        """Return the cross-fitting folds, made once per `repeat`: (rows to fit on, indices to judge, rows to judge)."""
        key = ("folds", repeat)
        if key not in self.cache:
            made = [(self.rows(a), b, self.rows(b)) for a, b in folds(self.right.shape[0], FOLDS, seed=repeat)]
            self.cache[key] = made
        return cast(list[tuple[Data, np.ndarray, Data]], self.cache[key])

    def of_cell(self, cell: int, own: tuple[int, ...]) -> Data:
        """Return the rows of a cell, made once; -1 is what no cell of `own` holds."""
        key = ("cell", cell, own)
        if key not in self.cache:
            self.cache[key] = self.rows(_of_cell(self, cell, list(own)))
        return cast(Data, self.cache[key])

    def rows(self, index: np.ndarray) -> Data:
        """Return some of the rows."""
        return Data(
            right=self.right[index], cost=self.cost[index], cell=self.cell[index],
            family=tuple(self.family[i] for i in index), text=self.text[index],
            kind=tuple(self.kind[i] for i in index) if self.kind else (),
        )  # fmt: skip


def data_of(pool: Pool) -> Data:
    """Return the pool's rows; families become cells only where the pool says that they are task types."""
    names = {name: i for i, name in enumerate(sorted(set(pool.family)))}
    cell = np.array([names[f] if pool.cells else 0 for f in pool.family], dtype=np.int64)
    both = zip(pool.family, pool.language or ("",) * len(pool.family), strict=True)
    return Data(
        right=pool.right, cost=pool.cost, cell=cell, family=pool.family, text=baselines.text_features(pool.text),
        kind=tuple(f"{family}/{language}" if pool.cells else "" for family, language in both),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is minimised: cost + H (error rate), or with `human` cost + H (handed over) + κ H (escaped)."""

    escape: float
    human: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """One cell's model, menu and policies."""

    model: Fitted
    menu: Menu
    leaves: Leaves
    policy: Policy


def _used(leaves: Leaves, policy: Policy, levels: Ints) -> Floats:
    """Return how much probability each row of a menu is attempted with, summed over some levels."""
    e, o = leaves.base.shape[0], leaves.observations
    use = np.zeros(e)
    for level in levels:
        first = int(policy.first[level])
        use[first] += 1.0
        nodes = first * o + np.arange(o)
        second = policy.second[level, nodes].astype(np.int64)
        for node, arm in zip(nodes[second != STOP], second[second != STOP], strict=True):
            use[arm] += leaves.stop1[node]
            deeper = (node * e + arm) * o + np.arange(o)
            third = policy.third[level, deeper].astype(np.int64)
            np.add.at(use, third[third != STOP], leaves.stop2[deeper[third != STOP]])
    return use


@dataclass(frozen=True, slots=True, kw_only=True)
class Coarse:
    """The plan over all arms without spend and caps, compiled once: it finds the menu and the region of the dial."""

    model: Fitted
    menu: Menu
    leaves: Leaves


def coarse(train: Data, verifier: Verifier, goal: Goal) -> Coarse:
    """Return the coarse plan of all arms."""
    a = train.right.shape[1]
    model = train.fitted(())
    menu = Menu(base=np.arange(a), cap=np.ones(a, dtype=np.int64))
    shown, weights = build(model, menu, verifier)
    return Coarse(model=model, menu=menu, leaves=compile_tree(shown, weights, escape=goal.escape, human=goal.human))


def choose_menu(plain: Coarse, levels: Floats, bins: int) -> Menu:
    """Return up to six arms, each with every spend cap: those that the coarse plan uses at `levels`."""
    use = _used(plain.leaves, decide(plain.leaves, levels), np.arange(levels.shape[0]))
    rows = [int(r) for r in np.argsort(-use, kind="stable")[:SHORTLIST] if use[r] > 0]
    caps = [bins, *range(1, bins)]
    return Menu(base=np.repeat(rows, len(caps)), cap=np.tile(caps, len(rows)))


def focus(train: Data, verifier: Verifier, target: float, levels: Floats) -> Floats:
    """Return the levels within a factor of ten of the one at which the coarse plan meets `target` on the training part."""
    plain = coarse(train, verifier, Goal(escape=1.0, human=False))
    policy = decide(plain.leaves, levels)
    rows = tasks_of(plain.model, plain.menu, train.right, train.cost)
    done = walk(plain.leaves, policy, rows, verifier, escape=1.0)
    middle = levels[cheapest_mixture(done.right.mean(axis=1), done.cost.mean(axis=1), target).high]
    return np.asarray(levels[(levels >= middle / FOCUS) & (levels <= middle * FOCUS)])


def compile_cell(
    train: Data, menu: Menu, verifier: Verifier, goal: Goal, levels: Floats, quantiles: tuple[float, ...]
) -> Compiled:
    """Return the fitted and compiled policies of one cell for every level."""
    model = train.fitted(quantiles)
    shown, weights = build(model, menu, verifier)
    leaves = compile_tree(shown, weights, escape=goal.escape, human=goal.human)
    return Compiled(model=model, menu=menu, leaves=leaves, policy=decide(leaves, levels))


def cells_of(train: Data) -> list[int]:
    """Return the cells with enough training tasks for a model of their own; -1 stands for all tasks together."""
    names, counts = np.unique(train.cell, return_counts=True)
    own = [int(c) for c, k in zip(names, counts, strict=True) if k >= MIN_CELL]
    return own if len(names) > 1 and own else [-1]


def _of_cell(data: Data, cell: int, own: list[int]) -> np.ndarray:
    if cell == -1:
        return np.flatnonzero(~np.isin(data.cell, [c for c in own if c != -1]))
    return np.flatnonzero(data.cell == cell)


def tree_walk(
    train: Data,
    test: Data,
    menus: dict[int, Menu],
    verifier: Verifier,
    goal: Goal,
    levels: Floats,
    quantiles: tuple[float, ...],
) -> Walked:
    """Return what the policies fitted on `train` do on `test`, for every level [L, n]."""
    shape = (levels.shape[0], test.right.shape[0])
    cost, right, loss = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for cell, menu in menus.items():
        index = _of_cell(test, cell, list(menus))
        if index.size == 0:
            continue
        own = train if cell == -1 else train.of_cell(cell, tuple(menus))
        made = compile_cell(own, menu, verifier, goal, levels, quantiles)
        rows: Tasks = tasks_of(made.model, menu, test.right[index], test.cost[index])
        done = walk(made.leaves, made.policy, rows, verifier, escape=goal.escape)
        cost[:, index], right[:, index], loss[:, index] = done.cost, done.right, done.loss
    return Walked(cost=cost, right=right, loss=loss)


def coarse_cells(train: Data, verifier: Verifier, goal: Goal) -> dict[int, Coarse]:
    """Return the coarse plan per cell (-1: all other tasks together, from all rows)."""
    own = cells_of(train)
    cells = own if own == [-1] else [*own, -1]
    return {cell: coarse(train if cell == -1 else train.of_cell(cell, tuple(cells)), verifier, goal) for cell in cells}


def quantiles_of(verifier: Verifier) -> tuple[float, ...]:
    """Return the spend bins that may be looked at."""
    return SPEND_QUANTILES if verifier.spend else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoChoice:
    """An iso-quality choice: what it does on the test tasks, the mixture, and what cross-validation promised."""

    judged: Judged
    mixture: Mixture
    promised_accuracy: float
    target: float


def iso(train: Data, test: Data, verifier: Verifier, margin: float = MARGIN) -> IsoChoice:
    """Return the cheapest policy whose cross-fitted accuracy is at least the best single model's, plus the margin."""
    target = honest_best(train.right) + margin
    scale = float(train.cost[:, best_single(train.right, train.cost)].mean())
    levels = LEVELS * scale
    goal = Goal(escape=1.0, human=False)
    if not verifier.gate and not verifier.spend:
        return _iso_plug_in(train, test, levels, target)
    quantiles = quantiles_of(verifier)
    near = focus(train, verifier, target, levels)
    plain = coarse_cells(train, verifier, goal)
    menus = {cell: choose_menu(one, near, len(quantiles) + 1) for cell, one in plain.items()}
    n = train.right.shape[0]
    accuracy, cost = np.zeros(levels.shape[0]), np.zeros(levels.shape[0])
    for inner, _, judged in train.parts():
        done = tree_walk(inner, judged, menus, verifier, goal, levels, quantiles)
        accuracy += done.right.sum(axis=1) / n
        cost += done.cost.sum(axis=1) / n
    accuracy, cost = monotone(accuracy), monotone(cost)
    mixture = safe_mixture(accuracy, cost, target, scale)
    done = tree_walk(train, test, menus, verifier, goal, levels, quantiles)
    return IsoChoice(
        judged=Judged(cost=mixture.of(done.cost), right=mixture.of(done.right), loss=mixture.of(done.loss)), mixture=mixture,
        promised_accuracy=float(mixture.of(accuracy[:, None])[0]), target=target,
    )  # fmt: skip


def least_cost(train: Data, test: Data, verifier: Verifier, repair_usd: Floats, escape: float) -> list[Judged]:
    """Return what the plan does on the test tasks for every repair cost: nothing is tuned but the model itself."""
    if not verifier.gate and not verifier.spend:
        return [_plug_in(train, test, float(h), escape) for h in repair_usd]
    goal = Goal(escape=escape, human=verifier.gate)
    quantiles = quantiles_of(verifier)
    plain = coarse_cells(train, verifier, goal)
    out = []
    for h in repair_usd:
        level = np.array([float(h)])
        menus = {c: choose_menu(one, level * np.array([0.5, 1.0, 2.0]), len(quantiles) + 1) for c, one in plain.items()}
        done = tree_walk(train, test, menus, verifier, goal, level, quantiles)
        out.append(Judged(cost=done.cost[0], right=done.right[0], loss=done.loss[0]))
    return out


def _predictions(train: Data, test: Data) -> list[tuple[Floats, Floats]]:
    """Return (p, cost) [n, A] of the test tasks from nothing, from the family, and from family, length within the
    family, and text."""
    key = ("predictions", id(test))
    if key in train.cache:
        return cast(tuple[Data, list[tuple[Floats, Floats]]], train.cache[key])[1]
    known = tuple(sorted(set(train.family)))
    inside, outside = (baselines.family_features(d.family, known) for d in (train, test))
    long = train.text[:, 1].mean()
    both = [
        np.hstack([x, x[:, 1:] * (d.text[:, 1:2] - long) * 10.0, d.text[:, 2:]])
        for x, d in ((inside, train), (outside, test))
    ]
    pairs = [(inside[:, :1], outside[:, :1]), (inside, outside), (both[0], both[1])]
    out = []
    for (x, z), penalty in zip(pairs, (1.0, baselines.RIDGE_FAMILY, baselines.RIDGE_FAMILY), strict=True):
        p = np.clip(z @ baselines.ridge(x, train.right, penalty), 0.0, 1.0)
        cost = np.maximum(z @ baselines.ridge(x, train.cost, penalty), 0.2 * train.cost.mean(axis=0))
        out.append((p, cost))
    train.cache[key] = (test, out)  # holding the rows keeps their id from being given to others
    return out


def _plug_in(train: Data, test: Data, repair_usd: float, escape: float) -> Judged:
    """Return the plug-in rule C + (1 − p) H on means; family and text come in only when cross-validation is sure of them.

    Sure: J falls by more than one and a half standard errors. Without evidence after an attempt there is noise to lose by.
    """
    j = np.zeros((3, train.right.shape[0]))
    for inner, judge, part in train.parts():
        for k, (p, cost) in enumerate(_predictions(inner, part)):
            done = baselines.routed(
                (cost + repair_usd * escape * (1 - p)).argmin(axis=1), part.right, part.cost, escape
            )
            j[k, judge] = done.cost + repair_usd * done.loss
    use = 0
    for k in (1, 2):
        gain = j[use] - j[k]
        if gain.mean() > 1.5 * gain.std() / np.sqrt(gain.size):
            use = k
    p, cost = _predictions(train, test)[use]
    pick = (cost + repair_usd * escape * (1 - p)).argmin(axis=1)
    return baselines.routed(pick, test.right, test.cost, escape)


def _iso_plug_in(train: Data, test: Data, levels: Floats, target: float) -> IsoChoice:
    """Return the cheapest mixture over prediction kinds and levels, cross-fitted like the tree."""
    n, size = train.right.shape[0], levels.shape[0]

    def members(fit_on: Data, judge_on: Data) -> tuple[Floats, Floats]:
        picks = [
            (cost[None] + levels[:, None, None] * (1 - p)[None]).argmin(axis=2)
            for p, cost in _predictions(fit_on, judge_on)
        ]
        pick = np.concatenate(picks)
        rows = np.arange(judge_on.right.shape[0])
        return judge_on.right[rows, pick], judge_on.cost[rows, pick]

    accuracy, cost = np.zeros(3 * size), np.zeros(3 * size)
    for inner, _, judged in train.parts():
        right, paid = members(inner, judged)
        accuracy += right.sum(axis=1) / n
        cost += paid.sum(axis=1) / n
    accuracy = np.concatenate([monotone(part) for part in np.split(accuracy, 3)])
    mixture = cheapest_mixture(accuracy, cost, target)
    right, paid = members(train, test)
    got = mixture.of(right)
    return IsoChoice(
        judged=Judged(cost=mixture.of(paid), right=got, loss=1.0 - got), mixture=mixture,
        promised_accuracy=float(mixture.of(accuracy[:, None])[0]), target=target,
    )  # fmt: skip
