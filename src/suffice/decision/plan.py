"""The plan: exact optimal stopping over up to three attempts of six to eight arms, with the human as the last arm.

V_d(w, T) = min{ H, min_{a∉T} Σ w [C_a + (1 − p_a) f_a κH] + Σ w (1 − q_a) V_{d−1}(w′, T ∪ a) },  q_a = t_a p_a + f_a (1 − p_a)

(ROUTING.md 3.2). Weights are kept unnormalised, so that V is a sum and no division is needed; w′ after a rejection is
w (1 − q). Does: shortlists, solves, accepts. Does not: know where numbers come from. Invariants (property-tested): V is
monotone in H, in every cost and, for gates with TPR 1, in every false-accept rate; it equals brute force over all sequences;
with one attempt and no gate it is the plug-in rule C + (1 − p) H.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suffice.decision.grid import Floats, Ints
from suffice.errors import DecisionError

STOP = -1
MARGIN = 0.05  # of H, charged for every attempt after the first: the guard against over-escalation
ESCAPE_FACTOR = 1.5
SHORTLIST = 8
ATTEMPTS = {"stream": 1, "chat": 1, "edit": 2, "agent": 3, "batch": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One decision over K arms on G support points. Money in dollars.

    `p`, `cost` [K, G]: success and cost of an attempt given the support point; `tpr`, `fpr` [K] or [K, G] (both 1 without a
    gate); `weights` [G] sum to one; `repair_usd` is H; `escape_factor` κ >= 1 makes an accepted defect cost κH;
    `margin` is the share of H charged per escalation.
    """

    p: Floats
    cost: Floats
    tpr: Floats
    fpr: Floats
    weights: Floats
    repair_usd: float
    escape_factor: float = ESCAPE_FACTOR
    attempts: int = 3
    margin: float = MARGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The optimal plan: `value` in dollars, `first`[K] = expected total when that arm goes first, and the sequence.

    `sequence` holds arm indices along rejections (empty: straight to the human), `reach` the probability of getting to each
    step, `p_accept` of being accepted somewhere, `p_escape` of being accepted and wrong.
    """

    value: float
    first: Floats
    sequence: tuple[int, ...]
    reach: tuple[float, ...]
    p_accept: float
    p_escape: float


def check(problem: Problem) -> None:
    """Raise DecisionError when the problem is empty, misshapen, not finite, or has costs or probabilities out of range."""
    p, cost = problem.p, problem.cost
    if p.ndim != 2 or p.shape[0] == 0:
        raise DecisionError("no candidate is left to plan over", hint="see the masks of the decision record")
    if cost.shape != p.shape or problem.weights.shape != p.shape[1:] or problem.attempts < 1:
        raise DecisionError(f"plan inputs do not fit: p {p.shape}, cost {cost.shape}, weights {problem.weights.shape}")
    total = p.sum() + problem.weights.sum() + problem.tpr.sum() + problem.fpr.sum() + cost.sum()
    if not np.isfinite(total + problem.repair_usd):
        raise DecisionError("a probability, cost or repair cost is not finite")
    if problem.repair_usd < 0 or problem.escape_factor < 1 or problem.margin < 0 or cost.min() < 0:
        raise DecisionError("a cost, the repair cost or the margin is negative, or the escape factor is below 1")
    if p.min() < 0 or p.max() > 1 or problem.weights.min() < 0:
        raise DecisionError("a probability is outside [0, 1]")


def _per_point(rate: Floats) -> Floats:
    return rate[:, None] if rate.ndim == 1 else rate


def solve(problem: Problem) -> Solution:
    """Return the optimal plan of at most three attempts. Raises DecisionError for inputs that `check` refuses."""
    check(problem)
    p, w, h = problem.p, problem.weights, problem.repair_usd
    k = p.shape[0]
    wrong_passed = (1.0 - p) * _per_point(problem.fpr)
    reject = 1.0 - _per_point(problem.tpr) * p - wrong_passed
    now = problem.cost + (problem.escape_factor * h) * wrong_passed
    depth = min(problem.attempts, 3, k)
    if problem.escape_factor == 1.0 and np.all(problem.fpr == 1.0) and np.all(problem.tpr == 1.0):
        depth = 1  # nothing can be rejected, so nothing follows
    w1 = w * reject
    ones = np.ones(p.shape[1])  # a product with ones is several times faster than a sum along an axis
    mass1 = w1 @ ones
    best2 = h * mass1
    second = np.full(k, STOP)
    third: Ints | None = None
    fee = problem.margin * h
    diagonal = np.arange(k)
    if depth >= 2:
        pair_cost = w1 @ now.T + fee * mass1[:, None]
        if depth >= 3:
            w2 = (w1[:, None, :] * reject[None, :, :]).reshape(k * k, -1)
            mass2 = w2 @ ones
            tail = w2 @ (now + h * reject).T
            tail += fee * mass2[:, None]
            tail = tail.reshape(k, k, k)
            tail[:, diagonal, diagonal] = np.inf
            tail[diagonal, :, diagonal] = np.inf
            third = tail.argmin(axis=2)
            best3 = tail.min(axis=2)
            stop3 = h * mass2.reshape(k, k)
            third = np.where(best3 < stop3, third, STOP)
            pair_cost += np.minimum(best3, stop3)
        else:
            pair_cost += h * (w1 @ reject.T)
        pair_cost[diagonal, diagonal] = np.inf
        second = pair_cost.argmin(axis=1)
        continued = pair_cost[diagonal, second]
        second = np.where(continued < best2, second, STOP)
        best2 = np.minimum(continued, best2)
    first = now @ w + best2
    return _unroll(problem, first, second, third, wrong_passed, reject)


def _unroll(
    problem: Problem, first: Floats, second: Ints, third: Ints | None, wrong_passed: Floats, reject: Floats
) -> Solution:
    """Read the sequence off the decision tables, with the probability of reaching and of passing each step."""
    a = int(first.argmin())
    if first[a] >= problem.repair_usd:
        return Solution(
            value=problem.repair_usd, first=first, sequence=(), reach=(), p_accept=0.0, p_escape=0.0
        )  # fmt: skip
    sequence = [a]
    b = int(second[a])
    if b != STOP:
        sequence.append(b)
        c = STOP if third is None else int(third[a, b])
        if c != STOP:
            sequence.append(c)
    w, reach, escape = problem.weights, [], 0.0
    ones = np.ones(w.shape[0])
    for arm in sequence:
        reach.append(float(w @ ones))
        escape += float(w @ wrong_passed[arm])
        w = w * reject[arm]
    return Solution(
        value=float(first[a]), first=first, sequence=tuple(sequence), reach=tuple(reach),
        p_accept=max(0.0, reach[0] - float(w @ ones)), p_escape=escape,
    )  # fmt: skip


def plug_in(p: Floats, cost: Floats, repair_usd: float) -> Floats:
    """Return C + (1 − p) H for arms with mean success `p` [K] and cost `cost` [K]: the rule without any verifier."""
    return cost + (1.0 - p) * repair_usd


def accept(p_right: float, continue_usd: float, repair_usd: float, escape_factor: float = ESCAPE_FACTOR) -> bool:
    """Return whether an answer is taken: its residual risk (1 − p) κH is no dearer than going on or than the human."""
    return (1.0 - p_right) * escape_factor * repair_usd <= min(continue_usd, repair_usd)


def shortlist(p: Floats, cost: Floats, repair_usd: float, keep: tuple[int, ...] = (), size: int = SHORTLIST) -> Ints:
    """Return up to `size` arm indices, ascending: `keep` (pinned, retry), the Pareto front of (p, cost), best one-shots.

    `p`, `cost` are means [A]. Raises DecisionError when there is no arm or a value is not finite.
    """
    n = p.shape[0]
    if n == 0:
        raise DecisionError("no candidate is left to plan over", hint="see the masks of the decision record")
    if not np.isfinite(p.sum() + cost.sum()):
        raise DecisionError("a probability or cost of a candidate is not finite")
    if n <= size:
        return np.arange(n)
    one_shot = plug_in(p, cost, repair_usd)
    order = np.lexsort((-p, cost))
    front = order[p[order] > np.maximum.accumulate(np.concatenate(([-1.0], p[order][:-1])))]
    value = np.argsort(one_shot, kind="stable")
    room = max(0, size - len(keep))
    if front.size > max(1, (3 * room) // 4):
        front = front[np.argsort(one_shot[front], kind="stable")][: max(1, (3 * room) // 4)]
    picked = dict.fromkeys([*keep, *front.tolist(), *value.tolist()])
    return np.sort(np.array(list(picked)[:size]))
