"""What follows a verdict: take an answer, try another arm, or hand over; exact over the attempts that are left.

The plan was made before anything was seen. After an attempt its verdict is known and what it spent, and both say something of the
task, of the answers in hand and of how far the check can be believed. `look_ahead` sums over every continuation by verdicts, `choose`
compares them for one repair cost. Histories come in batches [M], so that a replay judges exactly what a gateway does. Weights stay
unnormalised. Does not know models, tokens or dollars' origin. Invariant (property-tested): equals plain recursion over histories, and
`tree.decide` where attempts show nothing but verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suffice.decision.grid import Floats, Ints
from suffice.decision.joint import Joint
from suffice.decision.plan import ESCAPE_FACTOR, MARGIN, STOP
from suffice.errors import DecisionError

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a task may end: a wrong answer costs `escape` times H; with `human` the task may be handed over for H instead.

    With `accepting` an accepted answer is given and ends the task, and where all were rejected a human takes over if there is one, else
    the answer most likely right is given: for checks whose acceptance says little. Without, the best of all answers is given whatever the
    verdicts.
    """

    escape: float = ESCAPE_FACTOR
    human: bool = True
    accepting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """M histories of n attempts: `weights` [M, G] = P(history, point), `right` [M, n, G] = P(history, point, answer i right).

    `tried` [M, n] arms; `accepted` [M] the last verdict.
    """

    weights: Floats
    right: Floats
    tried: Ints
    accepted: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Sums over continuations, free of H: `stop` [M] = loss of stopping (share of H); `cost` [M, K] dollars of the next attempt;
    `loss` [M, K] = loss after it when it is the last, else `then` holds the M·K·2 histories that follow (verdict 1 = accepted).
    `barred` [M, K] arms were tried, or nothing may follow; `accepted` [M] the last verdict.
    """

    stop: Floats
    cost: Floats
    loss: Floats
    barred: Bools
    accepted: Bools
    then: Ahead | None


def start(support: Joint) -> Known:
    """Return what is known before any attempt: one history of none."""
    g = support.weights.shape[0]
    return Known(
        weights=support.weights[None], right=np.zeros((1, 0, g)), tried=np.zeros((1, 0), dtype=np.int64),
        accepted=np.zeros(1, dtype=np.bool_),
    )  # fmt: skip


def observe(
    support: Joint, known: Known, arm: Ints, accepted: Bools, if_right: Floats | None = None, if_wrong: Floats | None = None
) -> Known:  # fmt: skip
    """Return the histories [M] after one more attempt each: `arm` [M], its verdict, and P(what it spent | right or wrong) [M, G].

    Without the latter two the spend says nothing. Raises DecisionError for a likelihood that is negative or not finite.
    """
    p = support.p[arm]
    tpr, fpr = support.tpr[arm], support.fpr[arm]
    true = np.where(accepted[:, None], tpr, 1.0 - tpr)
    false = np.where(accepted[:, None], fpr, 1.0 - fpr)
    good = true * p if if_right is None else true * p * if_right
    bad = false * (1.0 - p) if if_wrong is None else false * (1.0 - p) * if_wrong
    seen = good + bad
    if not np.isfinite(seen.sum()) or min(good.min(), bad.min()) < 0.0:
        raise DecisionError("what an attempt spent has no likelihood: negative or not finite")
    return Known(
        weights=known.weights * seen,
        right=np.concatenate([known.right * seen[:, None, :], (known.weights * good)[:, None, :]], axis=1),
        tried=np.concatenate([known.tried, arm[:, None]], axis=1),
        accepted=accepted,
    )


def p_right(known: Known) -> Floats:
    """Return P(answer i is right | history) [M, n]; 0 for a history that cannot be."""
    mass = known.weights.sum(axis=1)
    return np.asarray(known.right.sum(axis=2) / np.maximum(mass, 1e-300)[:, None])


def _loss(mass: Floats, right: Floats, accepted: Bools, ending: Ending) -> Floats:
    wrong = ending.escape * np.maximum(mass - right, 0.0)
    if not ending.human:
        return wrong
    return np.where(accepted, wrong, mass) if ending.accepting else np.minimum(wrong, mass)


def look_ahead(support: Joint, known: Known, ending: Ending, attempts: int) -> Ahead:
    """Return the sums over all continuations by at most `attempts` (>= 1) more arms."""
    m, k = known.weights.shape[0], support.p.shape[0]
    mass, sums = known.weights.sum(axis=1), known.right.sum(axis=2)
    given = np.zeros(m)
    if sums.shape[1]:
        given = np.where(known.accepted & ending.accepting, sums[:, -1], sums.max(axis=1))
    stop = _loss(mass, given, known.accepted, ending)
    barred = np.zeros((m, k), dtype=np.bool_)
    for column in known.tried.T:
        barred[np.arange(m), column] = True
    cost = known.weights @ support.cost.T
    then = None
    if attempts > 1:
        arm = np.tile(np.repeat(np.arange(k), 2), m)
        verdict = np.tile(np.array([False, True]), m * k)
        after = observe(support, _repeat(known, 2 * k), arm, verdict)
        then = look_ahead(support, after, ending, attempts - 1)
        loss = np.zeros((m, k))
    else:
        good = support.tpr * support.p
        passed = good + support.fpr * (1.0 - support.p)
        seen = np.stack([1.0 - passed, passed], axis=1).reshape(2 * k, -1)
        right = np.stack([support.p - good, good], axis=1).reshape(2 * k, -1)
        best = known.weights @ right.T
        verdict = np.tile(np.array([False, True]), k)
        free = ~(verdict & ending.accepting)
        for at in range(known.right.shape[1]):
            best[:, free] = np.maximum(best[:, free], known.right[:, at] @ seen[free].T)
        loss = _loss(known.weights @ seen.T, best, verdict, ending).reshape(m, k, 2).sum(axis=2)
    over = known.accepted[:, None] & ending.accepting
    return Ahead(stop=stop, cost=cost, loss=loss, barred=barred | over, accepted=known.accepted, then=then)


def _repeat(known: Known, times: int) -> Known:
    return Known(
        weights=np.repeat(known.weights, times, axis=0), right=np.repeat(known.right, times, axis=0),
        tried=np.repeat(known.tried, times, axis=0), accepted=np.repeat(known.accepted, times),
    )  # fmt: skip


def choose(
    ahead: Ahead, repair_usd: float, *, margin: float = 0.0, accepted_margin: float = MARGIN
) -> tuple[Ints, Floats]:
    """Return (next arm [M], STOP where none is worth it; expected dollars [M], unnormalised) for the repair cost H.

    Going on must save the share `margin` of what stopping loses, after an acceptance `accepted_margin`: nobody should wait for a
    second opinion that changes next to nothing.
    """
    stay = repair_usd * ahead.stop
    if ahead.then is None:
        go = ahead.cost + repair_usd * ahead.loss
    else:
        _, value = choose(ahead.then, repair_usd, margin=margin, accepted_margin=accepted_margin)
        m, k = ahead.cost.shape
        go = ahead.cost + value.reshape(m, k, 2).sum(axis=2)
    go = np.where(ahead.barred, np.inf, go)
    arm = go.argmin(axis=1)
    best = go[np.arange(arm.shape[0]), arm]
    slack = np.where(ahead.accepted, accepted_margin, margin) * stay
    on = best + slack < stay
    return np.where(on, arm, STOP), np.where(on, best, stay)
