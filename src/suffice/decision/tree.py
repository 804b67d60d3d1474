"""The plan as a tree over what an attempt shows: verdict and spend, with spend caps and a choice among the answers so far.

`plan.py` plans one request in microseconds from accept or reject. This module compiles, once per snapshot, the
richer problem in
which every finished attempt also shows how much it spent (a run that went far over its usual spend has probably
failed), an attempt
may be stopped at a cap, and at the end the answer most likely to be right is returned, be it the first or the last.
A request then only walks the tables. One compilation serves every repair cost: beliefs do not depend on it.

Belief weights stay unnormalised over support points g (difficulty x hidden state of the check). Does not know arms'
names or tables of
outcomes. Invariant: with one spend bin, no cap and `accepting`, its value is `plan.solve`'s (property-tested).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suffice.decision.grid import Floats, Ints
from suffice.errors import DecisionError

STOP = -1
Small = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What attempts show: E arms (an arm with two caps counts twice), O observations, G support points.

    `seen` [E, O, G] = P(observation | point); `right` [E, O, G] = P(observation and the answer is right | point),
    both given the
    attempt; `cost` [E, G] dollars; `base` [E] the arm behind each row: a base is attempted at most once per task.
    """

    seen: Floats
    right: Floats
    cost: Floats
    base: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves:
    """The compiled sums, for every history of up to three attempts. Losses are shares of H, not yet multiplied by it.

    `cost0` [E]; `stop1` [N1], `cost1` [N1, E]; `stop2` [N2], `last2` [N2], `cost2`, `loss3` [N2, E]; `pick3` [N2, E,
    O]: which attempt's
    answer is returned. N1 = E·O histories (e, o), N2 = N1·N1. `human` is the share of H that stopping before any
    attempt costs.
    `take1`, `take2`, `take3`: whether the answer is taken at all or the task goes to the human.
    """

    cost0: Floats
    stop1: Floats
    cost1: Floats
    stop2: Floats
    pick2: Small
    cost2: Floats
    loss3: Floats
    pick3: Small
    take1: npt.NDArray[np.bool_]
    take2: npt.NDArray[np.bool_]
    take3: npt.NDArray[np.bool_]
    base: Ints
    observations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Decisions for L repair costs: first arm [L], after one [L, N1], after two [L, N2]; -1 stops. `value` [L] in
    dollars."""

    first: Small
    second: Small
    third: Small
    value: Floats


def _loss(mass: Floats, right: Floats, escape: float, human: bool) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the loss of stopping (share of H, times the mass) and whether the answer is taken rather than handed over."""
    wrong = escape * np.maximum(mass - right, 0.0)
    if not human:
        return wrong, np.ones(mass.shape, dtype=np.bool_)
    return np.minimum(wrong, mass), wrong <= mass


def compile_tree(shown: Shown, weights: Floats, *, escape: float, human: bool, attempts: int = 3) -> Leaves:
    """Return the sums that planning needs. `escape` κ: loss of returning a wrong answer; `human`: may the task be
    handed over for H.

    With `human` False the best answer so far is always returned (iso-quality: the loss is the error rate). Raises
    DecisionError when the
    inputs do not fit or are not finite.
    """
    e, o, g = shown.seen.shape
    if shown.right.shape != (e, o, g) or shown.cost.shape != (e, g) or weights.shape != (g,) or e == 0:
        raise DecisionError(f"tree inputs do not fit: {shown.seen.shape}, {shown.cost.shape}, {weights.shape}")
    if not np.isfinite(shown.seen.sum() + shown.right.sum() + shown.cost.sum() + weights.sum()):
        raise DecisionError("a probability or cost of the tree is not finite")
    n1 = e * o
    seen, right = shown.seen.reshape(n1, g), shown.right.reshape(n1, g)
    w1, r1 = seen * weights, right * weights
    stop1, take1 = _loss(w1.sum(axis=1), r1.sum(axis=1), escape, human)
    again = np.repeat(shown.base, o)[:, None] == shown.base
    cost1 = w1 @ shown.cost.T
    cost1[again] = np.inf
    # After two attempts: total weight, and weight with the first or the second answer right.
    w2 = (w1[:, None, :] * seen).reshape(n1 * n1, g)
    r12 = (r1[:, None, :] * seen).reshape(n1 * n1, g)
    r22 = (w1[:, None, :] * right).reshape(n1 * n1, g)
    sums = np.stack([r12.sum(axis=1), r22.sum(axis=1)])
    pick2 = sums.argmax(axis=0).astype(np.int16)
    stop2, take2 = _loss(w2.sum(axis=1), sums.max(axis=0), escape, human)
    used = np.repeat(again, n1, axis=0) | np.tile(again, (n1, 1))
    if attempts < 3:
        wide = np.full((n1 * n1, e), np.inf)
        empty = np.zeros((n1 * n1, e, o), dtype=np.int16)
        return Leaves(
            cost0=shown.cost @ weights, stop1=stop1, cost1=cost1, stop2=stop2, pick2=pick2, cost2=wide, loss3=wide,
            pick3=empty, take1=take1, take2=take2, take3=empty.astype(np.bool_), base=shown.base, observations=o,
        )  # fmt: skip
    cost2 = w2 @ shown.cost.T
    cost2[used] = np.inf
    ones, twos, threes = r12 @ seen.T, r22 @ seen.T, w2 @ right.T
    pick3 = (twos > ones).astype(np.int16)
    top = np.maximum(ones, twos)
    pick3[threes > top] = 2
    loss, take3 = _loss(w2 @ seen.T, np.maximum(top, threes), escape, human)
    return Leaves(
        cost0=shown.cost @ weights, stop1=stop1, cost1=cost1, stop2=stop2, pick2=pick2, cost2=cost2,
        loss3=loss.reshape(-1, e, o).sum(axis=2), pick3=pick3.reshape(-1, e, o), take1=take1, take2=take2,
        take3=take3.reshape(-1, e, o), base=shown.base, observations=o,
    )  # fmt: skip


def decide(leaves: Leaves, repair_usd: Floats, *, margin: float = 0.0) -> Policy:
    """Return the optimal policy for every repair cost in `repair_usd` [L], by backward induction over the compiled sums.

    `margin` is the share of H charged for every attempt after the first, against over-escalation; its mass is bounded by the
    loss of stopping, so a branch that would stop for nothing is never charged.
    """
    e, o = leaves.base.shape[0], leaves.observations
    n1 = e * o
    first = np.empty(repair_usd.shape[0], dtype=np.int16)
    second = np.empty((repair_usd.shape[0], n1), dtype=np.int16)
    third = np.empty((repair_usd.shape[0], n1 * n1), dtype=np.int16)
    value = np.empty(repair_usd.shape[0])
    rows1, rows2 = np.arange(n1), np.arange(n1 * n1)
    for at, h in enumerate(repair_usd):
        go3 = leaves.cost2 + h * leaves.loss3
        best3 = go3.argmin(axis=1)
        stay2 = h * leaves.stop2
        go3v = go3[rows2, best3]
        third[at] = np.where(go3v + margin * stay2 < stay2, best3, STOP)
        v2 = np.where(third[at] == STOP, stay2, go3v)
        go2 = leaves.cost1 + v2.reshape(n1, e, o).sum(axis=2)
        best2 = go2.argmin(axis=1)
        stay1 = h * leaves.stop1
        go2v = go2[rows1, best2]
        second[at] = np.where(go2v + margin * stay1 < stay1, best2, STOP)
        v1 = np.where(second[at] == STOP, stay1, go2v)
        go1 = leaves.cost0 + v1.reshape(e, o).sum(axis=1)
        first[at] = go1.argmin()
        value[at] = go1[first[at]]
    return Policy(first=first, second=second, third=third, value=value)
