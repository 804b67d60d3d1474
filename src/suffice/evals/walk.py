"""Build the plan tree's inputs from a fitted model, and walk recorded tasks through compiled policies, exactly in
expectation.

The verifier's errors are not drawn: given the hidden state of a task's check, each verdict branches with its
probability, so every policy is
judged on the same infinite set of draws. Does not look at a task's outcome before the policy has paid for the attempt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suffice.decision.gates import error_states
from suffice.decision.grid import Floats, Ints
from suffice.decision.tree import STOP, Leaves, Policy, Shown
from suffice.evals.fit import Fitted, bin_of

OVERSHOOT = 0.03  # of the arm's mean cost: a stopped run still finishes the turn that it is in


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """A check with true-accept rate, false-accept rate and error correlation ρ; `gate` False means there is no check.

    `spend` tells whether the policy may look at the spend of finished attempts.
    """

    name: str
    tpr: float = 1.0
    fpr: float = 1.0
    rho: float = 0.0
    gate: bool = True
    spend: bool = True

    @property
    def states(self) -> tuple[Floats, Floats, Floats]:
        """Hidden states of a task's check: (weight, tpr, fpr)."""
        return error_states(self.tpr, self.fpr, self.rho)


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """E rows to choose from: `base` [E] arm index, `cap` [E] the spend bin at which the attempt is stopped (B: never)."""

    base: Ints
    cap: Ints


def build(model: Fitted, menu: Menu, verifier: Verifier) -> tuple[Shown, Floats]:
    """Return (what attempts show, weights) over G = states x 33 points; observation = verdict·B + bin (verdict 1 =
    accepted)."""
    state_weight, tprs, fprs = verifier.states
    bins = model.bin_usd.shape[1]
    e, g = menu.base.shape[0], model.prior.shape[0]
    p = model.p[menu.base]
    right = p[:, None, :] * model.spend[menu.base, 1]
    wrong = (1 - p)[:, None, :] * model.spend[menu.base, 0]
    stopped = np.arange(bins)[None, :] >= menu.cap[:, None]
    lost = ((right + wrong) * stopped[:, :, None]).sum(axis=1)
    right, wrong = right * ~stopped[:, :, None], wrong * ~stopped[:, :, None]
    seen = np.empty((e, 2, bins, len(state_weight), g))
    good = np.empty_like(seen)
    for s, (t, f) in enumerate(zip(tprs, fprs, strict=True)):
        good[:, 1, :, s], good[:, 0, :, s] = t * right, (1 - t) * right
        seen[:, 1, :, s], seen[:, 0, :, s] = t * right + f * wrong, (1 - t) * right + (1 - f) * wrong
        seen[:, 0, bins - 1, s] += lost
    paid = spend_table(model, menu)
    cost = np.einsum("ebg,eb->eg", right + wrong, np.where(stopped, 0.0, paid)) + lost * paid.max(axis=1)[:, None]
    shown = Shown(
        seen=seen.reshape(e, 2 * bins, -1), right=good.reshape(e, 2 * bins, -1), cost=np.tile(cost, (1, len(state_weight))),
        base=menu.base,
    )  # fmt: skip
    return shown, (state_weight[:, None] * model.prior).ravel()


def spend_table(model: Fitted, menu: Menu) -> Floats:
    """Return dollars [E, B]: the mean cost of the bin, or the cap with its overshoot from the cap's bin on."""
    bins = model.bin_usd.shape[1]
    paid = model.bin_usd[menu.base].copy()
    over = OVERSHOOT * model.bin_usd[menu.base].mean(axis=1)
    for row, cap in enumerate(menu.cap):
        if cap < bins:
            paid[row, cap:] = model.edges[menu.base[row], cap - 1] + over[row]
    return paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """Recorded tasks as rows of the menu [n, E], caps applied: spend bin, outcome, dollars, and whether the run was
    stopped."""

    bins: Ints
    right: Floats
    cost: Floats
    stopped: npt.NDArray[np.bool_]


def tasks_of(model: Fitted, menu: Menu, right: Floats, cost: Floats) -> Tasks:
    """Return the rows [n, E] of recorded outcomes [n, A]: a run over its cap is stopped, wrong, and costs the cap
    and its overshoot."""
    bins = model.bin_usd.shape[1]
    where = bin_of(cost, model.edges)[:, menu.base]
    stopped = where >= menu.cap[None, :]
    cap_usd = spend_table(model, menu)[:, bins - 1]
    base_cost = cost[:, menu.base]
    return Tasks(
        bins=np.where(stopped, bins - 1, where), right=np.where(stopped, 0.0, right[:, menu.base]),
        cost=np.where(stopped, np.minimum(cap_usd[None, :], base_cost), base_cost), stopped=stopped,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """Per repair cost and task [L, n]: dollars spent, probability that the returned answer is right, loss as a share
    of H."""

    cost: Floats
    right: Floats
    loss: Floats


def walk(leaves: Leaves, policy: Policy, tasks: Tasks, verifier: Verifier, *, escape: float) -> Walked:
    """Return what each policy does on each task, averaged exactly over the verifier's verdicts."""
    levels, n = policy.first.shape[0], tasks.right.shape[0]
    out = [np.zeros((levels, n)) for _ in range(3)]
    for weight, t, f in zip(*verifier.states, strict=True):
        walker = _Walker(leaves, policy, tasks, (float(t), float(f)), escape, float(weight), out)
        walker.run()
    return Walked(cost=out[0], right=out[1], loss=out[2])


class _Walker:
    """One pass over all (policy, task) pairs for one hidden state; only the branches with positive probability are
    followed."""

    def __init__(
        self, leaves: Leaves, policy: Policy, tasks: Tasks, rates: tuple[float, float], escape: float, weight: float,
        out: list[Floats],
    ) -> None:  # fmt: skip
        self.leaves, self.policy, self.tasks, self.rates = leaves, policy, tasks, rates
        self.escape, self.weight, self.out = escape, weight, out
        self.e, self.o = leaves.base.shape[0], leaves.observations

    def run(self) -> None:
        levels, n = self.out[0].shape
        level, task = np.repeat(np.arange(levels), n), np.tile(np.arange(n), levels)
        reach = np.full(levels * n, self.weight)
        arm = self.policy.first[level].astype(np.int64)
        self.step(level, task, reach, arm, np.zeros(levels * n, dtype=np.int64), [])

    def step(self, level: Ints, task: Ints, reach: Floats, arm: Ints, history: Ints, rights: list[Floats]) -> None:
        """Attempt `arm` at the belief `history` (0 for the root) and branch over the verdict."""
        np.add.at(self.out[0], (level, task), reach * self.tasks.cost[task, arm])
        right = self.tasks.right[task, arm]
        accept = np.where(right > 0.5, self.rates[0], self.rates[1])
        bins = self.o // 2
        spent = self.tasks.bins[task, arm]
        stopped = self.tasks.stopped[task, arm]  # nothing came back, so nothing can be accepted
        for verdict in (1, 0):
            chance = np.where(stopped, float(verdict == 0), accept if verdict else 1 - accept)
            keep = np.flatnonzero(reach * chance > 1e-12)
            if keep.size == 0:
                continue
            node = (history * self.e + arm) * self.o + verdict * bins + spent
            rest = [r[keep] for r in rights] + [right[keep]]
            self.after(level[keep], task[keep], (reach * chance)[keep], node[keep], arm[keep], rest)

    def after(self, level: Ints, task: Ints, reach: Floats, node: Ints, arm: Ints, rights: list[Floats]) -> None:
        """Stop or go on at a belief."""
        depth = len(rights)
        if depth == 3:
            flat = self.leaves.pick3.reshape(-1)[node]
            self.stop(level, task, reach, np.choose(flat, rights), self.leaves.take3.reshape(-1)[node])
            return
        table = self.policy.second if depth == 1 else self.policy.third
        follow = table[level, node].astype(np.int64)
        ends = follow == STOP
        if ends.any():
            if depth == 1:
                given, take = rights[0], self.leaves.take1[node]
            else:
                given, take = np.choose(self.leaves.pick2[node], rights), self.leaves.take2[node]
            self.stop(level[ends], task[ends], reach[ends], given[ends], take[ends])
        on = ~ends
        if on.any():
            self.step(level[on], task[on], reach[on], follow[on], node[on], [r[on] for r in rights])

    def stop(self, level: Ints, task: Ints, reach: Floats, right: Floats, take: np.ndarray) -> None:
        """Book the end: the answer is taken (wrong costs κ) or the task goes to the human (costs 1)."""
        np.add.at(self.out[1], (level, task), reach * right)
        np.add.at(self.out[2], (level, task), reach * np.where(take, self.escape * (1 - right), 1.0))
