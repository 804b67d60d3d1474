"""The plan: exact optimal stopping over up to three attempts of six to eight arms, with the human as the last arm.

V_d(w, T) = min{ H, min_{a∉T} Σ w [C_a + (1 − p_a) f_a κH] + Σ w (1 − q_a) V_{d−1}(w′, T ∪ a) },  q_a = t_a p_a + f_a (1 − p_a)

(ROUTING.md 3.2). An arm that was rejected may be asked again at once, told what was wrong: a retry has its own success and cost,
and never a second one. Weights are kept unnormalised, so that V is a sum and no division is needed; w′ after a rejection is
w (1 − q). Does: shortlists, solves, accepts. Does not: know where numbers come from. Invariants (property-tested): V is
monotone in H, in every cost and, for gates with TPR 1, in every false-accept rate; it equals brute force over all sequences;
with one attempt and no gate it is the plug-in rule C + (1 − p) H.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suffice.decision.grid import Floats, Ints
from suffice.decision.outlook import MOST_ATTEMPTS, Few, Outlook, after_two, barred, check_belief, outlook, rejected
from suffice.errors import DecisionError

STOP = -1
MARGIN = 0.05  # of H, charged for every attempt after the first: the guard against over-escalation
ESCAPE_FACTOR = 1.5
SHORTLIST = 8
# Success of a retry that is told what a check found, from the success of the first try: median over models of Aider's
# second tries with test output (ROUTING.md 1.3). Measured up to 0.55 and held level from there on.
AGAIN_BASE, AGAIN_SLOPE, AGAIN_MEASURED = 0.07, 1.4, 0.55
MOST_KEPT = 8
ATTEMPTS = {"stream": 1, "chat": 1, "edit": 2, "agent": 3, "batch": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One decision over K arms on G support points. Money in dollars.

    `p`, `cost` [K, G]: success and cost of an attempt given the support point; `tpr`, `fpr` [K] or [K, G] (both 1 without a
    gate); `weights` [G] sum to one; `repair_usd` is H; `escape_factor` κ >= 1 makes an accepted defect cost κH;
    `margin` is the share of H charged per escalation. `again`, `again_cost` [K, G] are success and cost of an arm that is asked
    once more directly after its own rejection; None where nobody is.
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
    again: Floats | None = None
    again_cost: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The optimal plan: `value` in dollars, `first`[K] = expected total when that arm goes first, and the sequence.

    `sequence` holds arm indices along rejections (empty: straight to the human; one that follows itself is a retry),
    `reach` the probability of getting to each step, `p_accept` of being accepted somewhere, `p_escape` of being accepted and
    wrong.
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
    check_belief(p, problem.tpr, problem.fpr, problem.weights)
    if cost.shape != p.shape or problem.attempts < 1:
        raise DecisionError(f"plan inputs do not fit: p {p.shape}, cost {cost.shape}, weights {problem.weights.shape}")
    check_money(cost, problem.repair_usd, problem.escape_factor, problem.margin)
    again, again_cost = problem.again, problem.again_cost
    if again is not None and again_cost is not None:
        if again.shape != p.shape or again_cost.shape != p.shape:
            raise DecisionError(f"the numbers of a retry do not fit: {again.shape}, {again_cost.shape}")
        check_money(again_cost, problem.repair_usd, problem.escape_factor, problem.margin)


def check_money(cost: Floats, repair_usd: float, escape_factor: float, margin: float) -> None:
    """Raise DecisionError when a cost or factor is not finite or out of range."""
    if not math.isfinite(float(cost.sum()) + repair_usd):
        raise DecisionError("a probability, cost or repair cost is not finite")
    if repair_usd < 0 or escape_factor < 1 or margin < 0 or cost.min() < 0:
        raise DecisionError("a cost, the repair cost or the margin is negative, or the escape factor is below 1")


def solve(problem: Problem) -> Solution:
    """Return the optimal plan of at most three attempts. Raises DecisionError for inputs that `check` refuses."""
    check(problem)
    if problem.again is None:
        return _solve_fresh(problem)
    w, k = problem.weights, problem.p.shape[0]
    again, again_cost = problem.again, problem.again_cost
    known = outlook(
        problem.p,
        problem.tpr,
        problem.fpr,
        w,
        attempts=problem.attempts,
        escape_factor=problem.escape_factor,
        again=again,
    )
    _, reject = rejected(problem.p, problem.tpr, problem.fpr)
    spend: list[Floats] = [problem.cost @ w]
    if known.depth >= 2:
        spend.append((w * reject) @ problem.cost.T)
    second_reject = rejected(again, problem.tpr, problem.fpr)[1] if again is not None else None
    if known.depth >= 3:
        spend.append((after_two(w, reject, second_reject) @ problem.cost.T).reshape(k, k, k))
    if again_cost is not None and known.depth >= 2:
        each = np.arange(k)
        spend[1][each, each] = (w * reject * again_cost).sum(axis=1)
        if known.depth >= 3:
            pairs = after_two(w, reject, second_reject).reshape(k, k, -1)
            spend[2][:, each, each] = (pairs * again_cost).sum(axis=2)
    return _decide(known, spend, problem.repair_usd, problem.escape_factor, problem.margin)


def _solve_fresh(problem: Problem) -> Solution:
    """Return the plan where no arm is asked again: what an attempt costs, risks and leaves to a person is summed in one product."""
    w, cost, h = problem.weights, problem.cost, problem.repair_usd
    risk, fee = problem.escape_factor * h, problem.margin * h
    wrong, reject = rejected(problem.p, problem.tpr, problem.fpr)
    k, points = reject.shape
    depth = min(problem.attempts, MOST_ATTEMPTS, k)
    if problem.escape_factor == 1.0 and problem.tpr.min() == 1.0 and problem.fpr.min() == 1.0:
        depth = 1  # nothing can be rejected, so nothing follows
    attempt = cost + risk * wrong
    left = w * reject
    reach2 = left.sum(axis=1)
    first = attempt @ w
    ahead = h * reach2
    second: Ints | None = None
    third: Ints | None = None
    twice = left
    if depth >= 2:
        never2, never3 = barred(k)
        reach3 = left @ reject.T
        after = h * reach3
        if depth >= 3:
            twice = (left[:, None, :] * reject).reshape(k * k, points)
            tail = (twice @ (attempt + (fee + h * reject)).T).reshape(k, k, k) + never3
            third = tail.argmin(axis=2)
            best3 = tail.min(axis=2)
            third = np.where(best3 < after, third, STOP)
            after = np.minimum(best3, after)
        pair = left @ (attempt + fee).T + after + never2
        second = pair.argmin(axis=1)
        best2 = pair.min(axis=1)
        second = np.where(best2 < ahead, second, STOP)
        ahead = np.minimum(best2, ahead)
    first = first + ahead
    a = int(first.argmin())
    value, total = float(first[a]), float(w.sum())
    if value >= h:
        return Solution(value=h, first=first, sequence=(), reach=(), p_accept=0.0, p_escape=0.0)
    sequence, reach, mass = [a], [total], left[a]
    escape = float(wrong[a] @ w)
    b = STOP if second is None else int(second[a])
    following = (b, STOP if third is None or b == STOP else int(third[a, b]))
    for arm in following:
        if arm == STOP:
            break
        sequence.append(arm)
        reach.append(float(mass.sum()))
        escape += float(mass @ wrong[arm])
        mass = mass * reject[arm]
    return Solution(
        value=value, first=first, sequence=tuple(sequence), reach=tuple(reach),
        p_accept=max(0.0, total - float(mass.sum())), p_escape=escape,
    )  # fmt: skip


def solve_flat(
    known: Outlook,
    cost: Sequence[float],
    *,
    repair_usd: float,
    escape_factor: float,
    margin: float,
    again_cost: Floats | None = None,
    growing: Sequence[float] | None = None,
) -> Solution:
    """Return the same plan for attempts of which each costs `cost` [K] on the average task. Raises DecisionError.

    `growing` [K] is the part of it that goes with the length of an attempt, for an outlook that was made with `growth`; without,
    costs are the same however hard the task is. `again_cost` [K] belongs to an outlook that was made with retries.
    """
    if growing is None or not known.more2.size:
        growing = None
    elif not all(0.0 <= one < math.inf for one in growing):
        check_money(np.array(growing), repair_usd, escape_factor, margin)
    if not all(0.0 <= one < math.inf for one in (*cost, repair_usd, margin)) or escape_factor < 1:
        check_money(np.array(cost), repair_usd, escape_factor, margin)
    if again_cost is not None:
        check_money(again_cost, repair_usd, escape_factor, margin)
    if known.few is not None:
        again = None if again_cost is None else again_cost.tolist()
        return _walk(known, known.few, cost, again, repair_usd, escape_factor, margin, growing)
    flat = np.array(cost)
    spend = [flat * known.total]
    if known.depth >= 2:
        spend.append(known.reach2[:, None] * flat)
    if known.depth >= 3:
        spend.append(known.reach3[:, :, None] * flat)
    if growing is not None:
        long = np.array(growing)
        for table, more in zip(spend[1:], (known.more2, known.more3), strict=False):
            table += more * long
    if again_cost is not None and known.depth >= 2:
        each = np.arange(flat.shape[0])
        spend[1][each, each] = known.reach2 * again_cost
        if known.depth >= 3:
            spend[2][:, each, each] = known.reach3 * again_cost
    return _decide(known, spend, repair_usd, escape_factor, margin)


def _walk(
    known: Outlook,
    few: Few,
    cost: Sequence[float],
    retry: Sequence[float] | None,
    h: float,
    escape_factor: float,
    margin: float,
    growing: Sequence[float] | None,
) -> Solution:
    """Do what `_decide` does, arm by arm: for a few arms that is several times faster than operations on arrays.

    An arm follows itself only as its `retry`, at once, and never a third time.
    """
    risk, fee, arms = escape_factor * h, margin * h, range(len(cost))
    first, onward = [], []
    for a in arms:
        reach = few.reach2[a]
        best, then = h * reach, (STOP, STOP)
        for b in arms if known.depth >= 2 else ():
            if b == a and retry is None:
                continue
            again = few.reach3[a][b]
            after, last = h * again, STOP
            for c in arms if known.depth >= 3 else ():
                if c != a and (c != b or retry is not None):
                    price = cost[c] if c != b or retry is None else retry[c]
                    value = again * (price + fee) + risk * few.risk3[a][b][c] + h * few.left[a][b][c]
                    if growing is not None and c != b:
                        value += few.more3[a][b][c] * growing[c]
                    if value < after:
                        after, last = value, c
            price = cost[b] if b != a or retry is None else retry[b]
            value = reach * (price + fee) + risk * few.risk2[a][b] + after
            if growing is not None and b != a:
                value += few.more2[a][b] * growing[b]
            if value < best:
                best, then = value, (b, last)
        first.append(known.total * cost[a] + risk * few.risk1[a] + best)
        onward.append(then)
    head = first.index(min(first))
    return _unroll(known, np.array(first), head, *onward[head], h)


def _decide(known: Outlook, spend: Sequence[Floats], h: float, escape_factor: float, margin: float) -> Solution:
    """Walk back from the last attempt; `spend` holds what each attempt is expected to cost, times getting there."""
    pairs, triples = _priceless(known, h, escape_factor, margin)
    first = spend[0] + escape_factor * h * known.risk1
    best2 = h * known.reach2
    second: Ints | None = None
    third: Ints | None = None
    if known.depth >= 2:
        stop3 = h * known.reach3
        pair = spend[1] + pairs
        if known.depth >= 3:
            tail = spend[2] + triples
            best3 = tail.min(axis=2)
            third = np.where(best3 < stop3, tail.argmin(axis=2), STOP)
            stop3 = np.minimum(best3, stop3)
        pair += stop3
        continued = pair.min(axis=1)
        second = np.where(continued < best2, pair.argmin(axis=1), STOP)
        best2 = np.minimum(continued, best2)
    first = first + best2
    a = int(first.argmin())
    b = STOP if second is None else int(second[a])
    return _unroll(known, first, a, b, STOP if third is None or b == STOP else int(third[a, b]), h)


def _priceless(known: Outlook, h: float, escape_factor: float, margin: float) -> tuple[Floats, Floats]:
    """Return what second [K, K] and third attempts [K, K, K] come to but for their prices; kept, for most requests share an H."""
    key = (h, escape_factor, margin)
    kept = known.kept.get(key)
    if kept is not None:
        return kept
    risk, fee = escape_factor * h, margin * h
    pairs = triples = known.more2[:0]
    if known.depth >= 2:
        pairs = risk * known.risk2 + (fee * known.reach2)[:, None] + known.never2
    if known.depth >= 3:
        triples = risk * known.risk3 + h * known.left + (fee * known.reach3)[:, :, None] + known.never3
    if len(known.kept) >= MOST_KEPT:
        known.kept.clear()
    known.kept[key] = (pairs, triples)
    return pairs, triples


def _unroll(known: Outlook, first: Floats, a: int, b: int, c: int, h: float) -> Solution:
    """Return the plan a, then b, then c (STOP: nothing more), with the probability of reaching and of passing each step."""
    value = float(first[a])
    if value >= h:
        return Solution(value=h, first=first, sequence=(), reach=(), p_accept=0.0, p_escape=0.0)
    sequence, reach = [a], [known.total]
    left, escape = float(known.reach2[a]), float(known.risk1[a])
    if b != STOP:
        sequence.append(b)
        reach.append(left)
        left, escape = float(known.reach3[a, b]), escape + float(known.risk2[a, b])
        if c != STOP:
            sequence.append(c)
            reach.append(left)
            left, escape = float(known.left[a, b, c]), escape + float(known.risk3[a, b, c])
    return Solution(
        value=value, first=first, sequence=tuple(sequence), reach=tuple(reach),
        p_accept=max(0.0, known.total - left), p_escape=escape,
    )  # fmt: skip


def told_again(p: Floats) -> Floats:
    """Return the success of a retry that was shown what a check of the running code found; `p` is the first try's."""
    return AGAIN_BASE + AGAIN_SLOPE * np.minimum(p, AGAIN_MEASURED)


def along(known: Outlook, sequence: Sequence[int]) -> tuple[float, float]:
    """Return (P(accepted somewhere), P(accepted and wrong)) of the attempts `sequence`, at most `known.depth` of them."""
    taken = tuple(sequence[: known.depth])
    left = (known.reach2, known.reach3, known.left)
    risk = (known.risk1, known.risk2, known.risk3)
    escape = sum(float(risk[n][taken[: n + 1]]) for n in range(len(taken)))
    return (max(0.0, known.total - float(left[len(taken) - 1][taken])), escape) if taken else (0.0, 0.0)


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
