"""What of a plan no price changes: how far a sequence of attempts gets, and what slips through on the way.

Made once per belief and gate, read by every decision that rests on them (plan.py). Weights are kept unnormalised, so that a
probability of getting somewhere is a sum and nothing is divided. Invariant: all tables are products of the same inputs; an arm
comes once, or twice in a row where it can be asked again (`never2`, `never3` are infinite elsewhere and 0 there).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from suffice.decision.grid import Floats
from suffice.errors import DecisionError

MOST_ATTEMPTS = 3
# So many arms are faster walked one by one than by operations on whole tables.
FEW_ARMS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Up to `depth` attempts of K arms, first a, then b, then c; an arm behind itself is its retry.

    `reach2` [K], `reach3` [K, K], `left` [K, K, K]: the probability that all attempts so far were rejected. `risk1` [K], `risk2`
    [K, K], `risk3` [K, K, K]: of getting to the last attempt and accepting a wrong answer of it. `more2` [K, K], `more3` [K, K, K]:
    by how much an attempt there takes more than on the average task, times getting there: tasks that were failed are hard, and hard
    tasks are long. Tables beyond `depth` are empty; those of `more` also where lengths do not depend on difficulty.
    """

    depth: int
    total: float
    reach2: Floats
    reach3: Floats
    left: Floats
    risk1: Floats
    risk2: Floats
    risk3: Floats
    never2: Floats
    never3: Floats
    more2: Floats
    more3: Floats
    few: Few | None = None
    # What the planner adds up for one repair cost (plan.py): a function of the tables, kept beside them.
    kept: dict[tuple[float, float, float], tuple[Floats, Floats]] = field(
        default_factory=dict, compare=False, repr=False
    )


class Few(NamedTuple):
    """The tables of at most `FEW_ARMS` arms as lists."""

    reach2: list[float]
    reach3: list[list[float]]
    left: list[list[list[float]]]
    risk1: list[float]
    risk2: list[list[float]]
    risk3: list[list[list[float]]]
    more2: list[list[float]]
    more3: list[list[list[float]]]


_NONE: Floats = np.zeros(0)


def check_belief(p: Floats, tpr: Floats, fpr: Floats, weights: Floats) -> None:
    """Raise DecisionError when there is no arm, shapes do not fit, or a probability is not finite or out of range."""
    if p.ndim != 2 or p.shape[0] == 0:
        raise DecisionError("no candidate is left to plan over", hint="see the masks of the decision record")
    if weights.shape != p.shape[1:]:
        raise DecisionError(f"plan inputs do not fit: p {p.shape}, weights {weights.shape}")
    if not np.isfinite(p.sum() + weights.sum() + tpr.sum() + fpr.sum()):
        raise DecisionError("a probability, cost or repair cost is not finite")
    if p.min() < 0 or p.max() > 1 or weights.min() < 0:
        raise DecisionError("a probability is outside [0, 1]")


@lru_cache(maxsize=32)
def barred(k: int) -> tuple[Floats, Floats]:
    """Return ([K, K], [K, K, K]) infinite where an arm would come twice, else 0; read-only, for plans without retries."""
    pairs = np.zeros((k, k))
    np.fill_diagonal(pairs, np.inf)
    triples = pairs[:, None, :] + pairs[None, :, :]
    pairs.setflags(write=False)
    triples.setflags(write=False)
    return pairs, triples


def _per_point(rate: Floats) -> Floats:
    return rate[:, None] if rate.ndim == 1 else rate


def rejected(p: Floats, tpr: Floats, fpr: Floats) -> tuple[Floats, Floats]:
    """Return ([K, G] wrong and accepted, [K, G] rejected) of arms with success `p` under a gate with these rates."""
    wrong = (1.0 - p) * _per_point(fpr)
    return wrong, 1.0 - _per_point(tpr) * p - wrong


def after_two(weights: Floats, reject: Floats, again: Floats | None = None) -> Floats:
    """Return [K * K, G]: the weights that are left after the rejections of two arms, one row per pair.

    `again` [K, G] is what is rejected of an arm's retry, which is what a pair of one arm with itself stands for.
    """
    k = reject.shape[0]
    first = weights * reject
    pairs = first[:, None, :] * reject[None, :, :]
    if again is not None:
        pairs[np.arange(k), np.arange(k)] = first * again
    return pairs.reshape(k * k, -1)


def outlook(
    p: Floats,
    tpr: Floats,
    fpr: Floats,
    weights: Floats,
    *,
    attempts: int,
    escape_factor: float,
    again: Floats | None = None,
    growth: Floats | None = None,
) -> Outlook:
    """Return the tables for arms with success `p` [K, G] under a gate. Raises DecisionError as `check_belief` does.

    `again` [K, G]: the success of an arm that is asked once more directly after its rejection; None where nobody is. `growth`
    [K, G]: the length of an attempt over its mean, whose mean under `weights` is 1; None where it is always 1.
    """
    check_belief(p, tpr, fpr, weights)
    if growth is not None and (growth.shape != p.shape or not np.isfinite(growth).all() or growth.min() < 0.0):
        raise DecisionError("the length of an attempt by difficulty is negative, not finite or misshapen")
    k = p.shape[0]
    wrong, reject = rejected(p, tpr, fpr)
    depth = min(attempts, MOST_ATTEMPTS, k if again is None else 2 * k)
    if escape_factor == 1.0 and np.all(fpr == 1.0) and np.all(tpr == 1.0):
        depth = 1  # nothing can be rejected, so nothing follows
    w1 = weights * reject
    retry = None
    if again is not None:
        check_belief(again, tpr, fpr, weights)
        retry = rejected(again, tpr, fpr)
    diagonal = np.arange(k)
    reach3 = left = risk2 = risk3 = never2 = never3 = more2 = more3 = _NONE
    if depth >= 2:
        reach3, risk2 = w1 @ reject.T, w1 @ wrong.T
        never2 = barred(k)[0] if retry is None else np.zeros((k, k))
        if growth is not None:
            more2 = w1 @ (growth - 1.0).T
        if retry is not None:
            risk2[diagonal, diagonal], reach3[diagonal, diagonal] = ((w1 * rows).sum(axis=1) for rows in retry)
    if depth >= 3:
        w2 = after_two(weights, reject, None if retry is None else retry[1])
        left, risk3 = ((w2 @ rows.T).reshape(k, k, k) for rows in (reject, wrong))
        if growth is not None:
            more3 = (w2 @ (growth - 1.0).T).reshape(k, k, k)
        if retry is None:
            never3 = barred(k)[1]
        else:
            never3 = np.zeros((k, k, k))
            never3[diagonal, :, diagonal] = np.inf
            pairs = w2.reshape(k, k, -1)
            risk3[:, diagonal, diagonal], left[:, diagonal, diagonal] = ((pairs * rows).sum(axis=2) for rows in retry)
    tables = (w1.sum(axis=1), reach3, left, wrong @ weights, risk2, risk3, more2, more3)
    return Outlook(
        depth=depth, total=float(weights.sum()), reach2=tables[0], reach3=reach3, left=left, risk1=tables[3],
        risk2=risk2, risk3=risk3, never2=never2, never3=never3, more2=more2, more3=more3,
        few=Few(*(table.tolist() for table in tables)) if k <= FEW_ARMS else None,
    )  # fmt: skip
