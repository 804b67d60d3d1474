"""The gateway's own planner on recorded outcomes: the first arm by `plan.solve`, what follows each verdict by `sequel`.

Does: fit on training rows, plan for a repair cost with errors of the check that go together, and plan again after every attempt from
its verdict and spend, as the gateway does (`decision/core.py` calls the same functions). Does not: cap an attempt, or search policies.
Beliefs here are fitted to the training part at once; a gateway's come from priors and labels one by one. Invariant: test rows never
reach the plan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suffice.decision import joint, sequel
from suffice.decision.core import HELD_MARGIN
from suffice.decision.grid import Floats
from suffice.decision.plan import Problem, shortlist, solve
from suffice.decision.sequel import Ending, Known
from suffice.decision.spend import QUANTILES
from suffice.decision.tree import STOP, Leaves, Policy
from suffice.evals import baselines
from suffice.evals.baselines import Judged
from suffice.evals.choice import MARGIN, REPEATS, best_single, honest_best, monotone, safe_mixture
from suffice.evals.fit import Fitted
from suffice.evals.tree_policy import LEVELS, Data, cells_of
from suffice.evals.walk import Menu, Verifier, tasks_of, walk

ATTEMPTS = 3
SHRINK = 10.0  # tasks that the belief above a cell counts as


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Repair costs with one shortlist: their positions `levels`, the arms as a menu, and what is done after every history."""

    levels: list[int]
    menu: Menu
    model: Fitted
    leaves: Leaves
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """Continuations after every observation of a first arm [O], and after every second attempt [K, O, O]; with them, and after every
    third attempt [K, O, O, K, O], the mass of the history and of each answer being right."""

    one: sequel.Ahead
    two: sequel.Ahead
    after_one: Floats
    after_two: Floats
    after_three: Floats


def _shown(known: Known, support: joint.Joint, model: Fitted, arm: int, base: int) -> Known:
    """Return every history followed by every observation of `arm`: [M·O], observation = verdict·B + bin."""
    bins = model.bin_usd.shape[1]
    m, states = known.weights.shape[0], support.weights.shape[0] // support.points
    seen = np.tile(np.arange(2 * bins), m)
    spend = np.tile(model.spend[base], (1, 1, states))
    again = Known(
        weights=np.repeat(known.weights, 2 * bins, axis=0), right=np.repeat(known.right, 2 * bins, axis=0),
        tried=np.repeat(known.tried, 2 * bins, axis=0), accepted=np.repeat(known.accepted, 2 * bins),
    )  # fmt: skip
    at = seen % bins
    return sequel.observe(support, again, np.full(seen.size, arm), seen >= bins, spend[1, at], spend[0, at])


def _sums(support: joint.Joint, model: Fitted, arm: int, keep: np.ndarray, ending: Ending) -> _Sums:
    one = _shown(sequel.start(support), support, model, arm, int(keep[arm]))
    parts = [_shown(one, support, model, b, int(keep[b])) for b in range(keep.size)]
    two = Known(
        weights=np.concatenate([x.weights for x in parts]), right=np.concatenate([x.right for x in parts]),
        tried=np.concatenate([x.tried for x in parts]), accepted=np.concatenate([x.accepted for x in parts]),
    )  # fmt: skip
    # The same for third attempts, where only sums are needed: every arm's observations of the uniform history, as linear forms.
    free = Known(
        weights=np.ones((1, support.weights.size)), right=np.zeros((1, 0, support.weights.size)),
        tried=np.zeros((1, 0), dtype=np.int64), accepted=np.zeros(1, dtype=np.bool_),
    )  # fmt: skip
    forms = [_shown(free, support, model, c, int(keep[c])) for c in range(keep.size)]
    seen = np.concatenate([x.weights for x in forms]).T
    good = np.concatenate([x.right[:, 0] for x in forms]).T
    sums = [two.weights @ seen, two.right[:, 0] @ seen, two.right[:, 1] @ seen, two.weights @ good]
    return _Sums(
        one=sequel.look_ahead(support, one, ending, ATTEMPTS - 1), two=sequel.look_ahead(support, two, ending, 1),
        after_one=_masses(one), after_two=_masses(two),
        after_three=np.stack(sums, axis=-1),
    )  # fmt: skip


def _support(model: Fitted, cost: Floats, keep: np.ndarray, verifier: Verifier, *, merged: bool) -> joint.Joint:
    make = joint.planning if merged else joint.joint
    return make(
        model.p[keep], model.attempt_usd(cost)[keep], model.prior,
        tpr=verifier.tpr, fpr=verifier.fpr, rho=verifier.rho,
    )  # fmt: skip


def first_of(support: joint.Joint, repair_usd: float, escape: float, attempts: int) -> int:
    """Return the arm that the gateway's plan begins with."""
    shape = support.p.shape
    problem = Problem(
        p=support.p, cost=support.cost, tpr=np.broadcast_to(support.tpr, shape), fpr=np.broadcast_to(support.fpr, shape),
        weights=support.weights, repair_usd=repair_usd, escape_factor=escape, attempts=attempts, margin=HELD_MARGIN,
    )  # fmt: skip
    return int(solve(problem).first.argmin())


def groups(train: Data, verifier: Verifier, repair_usd: Floats, escape: float, *, human: bool) -> list[Group]:
    """Return what the planner does for every repair cost, grouped by shortlist. The check must be one."""
    model = train.fitted(QUANTILES)
    cost = train.cost.mean(axis=0)
    mean = model.p @ model.prior
    lists: dict[tuple[int, ...], list[int]] = {}
    for at, h in enumerate(repair_usd):
        lists.setdefault(tuple(shortlist(mean, cost, float(h)).tolist()), []).append(at)
    return [
        _group(
            model,
            cost,
            np.array(keep),
            levels,
            repair_usd,
            verifier,
            Ending(escape=escape, human=human),
        )
        for keep, levels in lists.items()
    ]


def _group(
    model: Fitted, cost: Floats, keep: np.ndarray, levels: list[int], repair_usd: Floats, verifier: Verifier, ending: Ending
) -> Group:  # fmt: skip
    k, o = keep.size, 2 * model.bin_usd.shape[1]
    menu = Menu(base=keep, cap=np.full(k, o // 2))
    merged = _support(model, cost, keep, verifier, merged=True)
    support = _support(model, cost, keep, verifier, merged=False)
    size = len(levels)
    first = np.zeros(size, dtype=np.int16)
    second = np.full((size, k * o), STOP, dtype=np.int16)
    third = np.full((size, k * o, k * o), STOP, dtype=np.int16)
    known: dict[int, _Sums] = {}
    for row, at in enumerate(levels):
        h = float(repair_usd[at])
        arm = first_of(merged, h, ending.escape, min(ATTEMPTS, k))
        if arm not in known:
            known[arm] = _sums(support, model, arm, keep, ending)
        nodes = slice(arm * o, (arm + 1) * o)
        first[row] = arm
        second[row, nodes], _ = sequel.choose(known[arm].one, h, margin=HELD_MARGIN)
        after, _ = sequel.choose(known[arm].two, h, margin=HELD_MARGIN)
        # Histories of `two` run over (second arm, first observation, second observation).
        third[row, nodes] = after.reshape(k, o, o).transpose(1, 0, 2).reshape(o, k * o)
    policy = Policy(first=first, second=second, third=third.reshape(size, -1), value=np.zeros(size))
    return Group(levels=levels, menu=menu, model=model, leaves=_given(known, keep, o, ending), policy=policy)


def _given(known: dict[int, _Sums], keep: np.ndarray, o: int, ending: Ending) -> Leaves:
    """Return which answer is given after every history, the one most likely right, or whether a human takes over."""
    k = keep.size
    n = k * o
    pick2, take2 = np.zeros((k, o, k, o), dtype=np.int16), np.ones((k, o, k, o), dtype=np.bool_)
    pick3, take3 = np.zeros((k, o, k, o, k, o), dtype=np.int16), np.ones((k, o, k, o, k, o), dtype=np.bool_)
    take1 = np.ones((k, o), dtype=np.bool_)
    for arm, sums in known.items():
        # Sums run over (second arm, first observation, second observation).
        take1[arm] = _taken(sums.after_one, ending)
        two, three = sums.after_two.reshape(k, o, o, -1), sums.after_three.reshape(k, o, o, k, o, -1)
        pick2[arm] = two[..., 1:].argmax(axis=-1).transpose(1, 0, 2)
        take2[arm] = _taken(two, ending).transpose(1, 0, 2)
        pick3[arm] = three[..., 1:].argmax(axis=-1).transpose(1, 0, 2, 3, 4)
        take3[arm] = _taken(three, ending).transpose(1, 0, 2, 3, 4)
    none = np.zeros(0)
    return Leaves(
        cost0=none, stop1=none, cost1=none, stop2=none, cost2=none, loss3=none, base=keep, observations=o,
        pick2=pick2.ravel(), pick3=pick3.reshape(n * n, k, o), take1=take1.ravel(), take2=take2.ravel(),
        take3=take3.reshape(n * n, k, o),
    )  # fmt: skip


def _masses(known: Known) -> Floats:
    """Return [M, 1 + n]: the mass of every history, then of each answer being right."""
    return np.concatenate([known.weights.sum(axis=1)[:, None], known.right.sum(axis=2)], axis=1)


def _taken(masses: Floats, ending: Ending) -> np.ndarray:
    mass, best = masses[..., 0], masses[..., 1:].max(axis=-1)
    return np.asarray((ending.escape * (mass - best) <= mass) | (not ending.human))


def _cell_means(train: Data, test: Data) -> tuple[Floats, Floats]:
    """Return success and dollars [n, A] of the test tasks by task type, then type and language, each shrunk to what stands above it.

    On top stand the fitted model's means over all tasks. Where families are no task types there is nothing below them.
    """
    model = train.fitted(())
    n = test.right.shape[0]
    out = []
    for top, seen in ((model.p @ model.prior, train.right), (train.cost.mean(axis=0), train.cost)):
        believed = np.repeat(top[None], n, axis=0)
        levels = ((train.family, test.family), (train.kind, test.kind)) if any(train.kind) else ()
        for known, asked in levels:
            fresh = believed.copy()
            for name in set(asked):
                to = np.array([one == name for one in asked])
                of = np.array([one == name for one in known])
                fresh[to] = (seen[of].sum(axis=0) + SHRINK * believed[to]) / (of.sum() + SHRINK)
            believed = fresh
        out.append(believed)
    return out[0], out[1]


def _one_shot(train: Data, test: Data, repair_usd: Floats, escape: float) -> list[Judged]:
    """Return what the plan does where nothing judges: one attempt per task, the plug-in rule."""
    p, cost = _cell_means(train, test)
    picks = [(cost + float(h) * escape * (1.0 - p)).argmin(axis=1) for h in repair_usd]
    return [baselines.routed(pick, test.right, test.cost, escape) for pick in picks]


def _cells(train: Data, test: Data) -> list[tuple[Data, np.ndarray]]:
    """Return (training rows, positions of the test rows) of every cell with enough tasks of its own, and of all others."""
    own = cells_of(train)
    known = [c for c in own if c != -1]
    out = [(train.of_cell(c, (*known, -1)), np.flatnonzero(test.cell == c)) for c in known]
    return [*out, (train, np.flatnonzero(~np.isin(test.cell, known)))]


def least_cost(
    train: Data, test: Data, verifier: Verifier, repair_usd: Floats, escape: float, *, human: bool = True
) -> list[Judged]:
    """Return what the planner does on the test tasks for every repair cost; without `human` an answer is always returned."""
    if not verifier.gate:
        return _one_shot(train, test, repair_usd, escape)
    shape = (repair_usd.shape[0], test.right.shape[0])
    cost, right, loss = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for part, index in _cells(train, test):
        rows = test.rows(index) if index.size else None
        if rows is None:
            continue
        for group in groups(part, verifier, repair_usd, escape, human=human):
            tasks = tasks_of(group.model, group.menu, rows.right, rows.cost)
            walked = walk(group.leaves, group.policy, tasks, verifier, escape=escape)
            where = np.ix_(np.array(group.levels), index)
            cost[where], right[where], loss[where] = walked.cost, walked.right, walked.loss
    return [Judged(cost=c, right=r, loss=x) for c, r, x in zip(cost, right, loss, strict=True)]


def iso(train: Data, test: Data, verifier: Verifier, margin: float = MARGIN) -> Judged:
    """Return the cheapest mixture of two repair costs whose cross-fitted accuracy is the best single model's and the margin."""
    target = honest_best(train.right) + margin
    scale = float(train.cost[:, best_single(train.right, train.cost)].mean())
    levels = LEVELS * scale
    n = train.right.shape[0] * REPEATS
    accuracy, cost = np.zeros(levels.size), np.zeros(levels.size)
    for inner, _, judged in (part for repeat in range(REPEATS) for part in train.parts(repeat)):
        for at, done in enumerate(least_cost(inner, judged, verifier, levels, 1.0, human=False)):
            accuracy[at] += done.right.sum() / n
            cost[at] += done.cost.sum() / n
    mixture = safe_mixture(monotone(accuracy), monotone(cost), target, scale)
    final = least_cost(train, test, verifier, levels, 1.0, human=False)
    spent, right, loss = (np.stack([getattr(done, name) for done in final]) for name in ("cost", "right", "loss"))
    return Judged(cost=mixture.of(spent), right=mixture.of(right), loss=mixture.of(loss))
