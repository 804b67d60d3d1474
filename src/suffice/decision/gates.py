"""The verifier model: how far a gate's verdict can be believed.

Does: Beta posteriors of the true-accept rate (TPR) and false-accept rate (FPR) per (gate, cell, model family), each shrunk towards
its cell and the cell towards its gate, and the correlation of a gate's errors between arms on one task. Does not: run checks. Invariant:
rates stay strictly inside (0, 1); a verdict `unknown` is no evidence at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from suffice.decision.grid import Floats
from suffice.errors import DecisionError

POOL_WEIGHT = 12.0  # pseudo-observations that a family borrows from its cell, and a cell from its gate
RHO_PRIOR, RHO_WEIGHT = 0.3, 8.0
DEFAULT = ((4.0, 1.0), (2.0, 3.0))
# Priors of ROUTING.md 3.4 (vi): (alpha, beta) of TPR and of FPR.
PRIORS: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "edit-applies": ((50.0, 1.0), (2.0, 2.0)),
    "parses": ((50.0, 1.0), (9.0, 1.0)),
    "complete": ((50.0, 1.0), (9.0, 1.0)),
    "tool-call": ((50.0, 1.0), (9.0, 1.0)),
    "imports": ((30.0, 1.0), (8.0, 2.0)),
    "check:related-tests": ((18.0, 2.0), (4.0, 12.0)),
    "check:ci": ((19.0, 1.0), (2.0, 18.0)),
    # The operator says that the check decides: what it passes counts as right.
    "check:decides": ((99.0, 1.0), (1.0, 199.0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Mean true-accept and false-accept rate with the standard deviations of both."""

    tpr: float
    fpr: float
    tpr_sd: float
    fpr_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePosterior:
    """Counts [4] = accepted|right, rejected|right, accepted|wrong, rejected|wrong per (gate, cell, family).

    `pairs` holds, per gate, how many wrong answers followed a wrong one that was rejected on the same task, and how many of them passed.
    """

    counts: Mapping[tuple[str, str, str], tuple[float, float, float, float]] = field(default_factory=dict)
    pairs: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    version: int = 0


def _prior(gate: str) -> tuple[tuple[float, float], tuple[float, float]]:
    return PRIORS.get(gate, PRIORS["check:related-tests"] if gate.startswith("check:") else DEFAULT)


def rates(post: GatePosterior, gate: str, cell: str = "", family: str = "") -> Rates:
    """Return the believed rates of `gate` for a model family's answers in a cell; an empty `family` means all of them together.

    Hierarchical: the gate's other cells lend the cell up to POOL_WEIGHT observations, and the cell's other families lend as many to the
    family, so that with few of its own a family has its cell's rates.
    """
    elsewhere, cell_rest, own = np.zeros(4), np.zeros(4), np.zeros(4)
    for (name, where, who), row in post.counts.items():
        if name == gate:
            if where != cell:
                elsewhere += row
            elif family and who == family:
                own += row
            else:
                # Many answers of one family say no more of another one than a few: families differ.
                cell_rest += np.array(row) * (min(1.0, POOL_WEIGHT / max(sum(row), 1e-9)) if family else 1.0)
    found = []
    for at, (alpha, beta) in zip((0, 2), _prior(gate), strict=True):
        ab = np.array([alpha, beta]) + elsewhere[at : at + 2]
        ab = _lent(ab) + cell_rest[at : at + 2]
        found.append(_lent(ab) + own[at : at + 2] if family else ab)
    (a, b), (c, d) = (one.tolist() for one in found)
    return Rates(tpr=a / (a + b), fpr=c / (c + d), tpr_sd=_sd(a, b), fpr_sd=_sd(c, d))


def _lent(ab: Floats) -> Floats:
    """Return what a level lends to the one below it: its own Beta, cut down to POOL_WEIGHT observations."""
    return np.asarray(ab * min(1.0, POOL_WEIGHT / float(ab.sum())))


def _sd(a: float, b: float) -> float:
    return float(np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1.0))))


def told(post: GatePosterior) -> tuple[str, ...]:
    """Return one line for each gate, cell and family that reports have taught something of."""
    lines = []
    for (gate, cell, family), row in sorted(post.counts.items()):
        known = rates(post, gate, cell, family)
        lines.append(
            f"{gate}, {cell}, {family or 'all families'}: accepts {known.tpr:.0%} of right and {known.fpr:.0%} of wrong answers "
            f"({sum(row):.1f} reports)"
        )
    return tuple(lines)


def learn(
    post: GatePosterior, *, gate: str, cell: str, family: str, accepted: bool, right: bool, reliability: float = 1.0
) -> GatePosterior:
    """Return the posterior after later evidence has told whether an answer that `gate` judged was right."""
    if not np.isfinite(reliability) or not 0.0 <= reliability <= 1.0:
        raise DecisionError(f"gate {gate}: reliability {reliability} is outside [0, 1]")
    key = (gate, cell, family)
    row = list(post.counts.get(key, (0.0, 0.0, 0.0, 0.0)))
    row[(0 if right else 2) + (0 if accepted else 1)] += reliability
    counts = {**post.counts, key: (row[0], row[1], row[2], row[3])}
    return replace(post, counts=counts, version=post.version + 1)


def learn_pair(post: GatePosterior, *, gate: str, second_accepted: bool, weight: float = 1.0) -> GatePosterior:
    """Return the posterior after a wrong answer to a task on which the gate had rejected a wrong one of another arm.

    `weight` in [0, 1] is how sure it is that both were wrong. Raises DecisionError for another weight.
    """
    if not np.isfinite(weight) or not 0.0 <= weight <= 1.0:
        raise DecisionError(f"gate {gate}: the weight {weight} of a pair is outside [0, 1]")
    n, passed = post.pairs.get(gate, (0.0, 0.0))
    pair = (n + weight, passed + weight * float(second_accepted))
    return replace(post, pairs={**post.pairs, gate: pair}, version=post.version + 1)


def correlation(post: GatePosterior, gate: str, cell: str = "", family: str = "") -> float:
    """Return ρ in [0, 1]: the chance that the gate's errors on a task are shared by all arms.

    After a first acceptance nobody is asked again, so what is seen are second answers behind a rejection: with shared errors of
    weight ρ, P(wrong second accepted | wrong first rejected) = (1 − ρ) f. Inverted and shrunk; n pairs tell of ρ as much as n f
    acceptances do.
    """
    n, passed = post.pairs.get(gate, (0.0, 0.0))
    f = rates(post, gate, cell, family).fpr
    if n <= 0.0 or f <= 0.0:
        return RHO_PRIOR
    seen = min(1.0, max(0.0, 1.0 - passed / n / f))
    return (RHO_PRIOR * RHO_WEIGHT + seen * n * f) / (RHO_WEIGHT + n * f)


def error_states(tpr: float, fpr: float, rho: float) -> tuple[Floats, Floats, Floats]:
    """Return (weight, tpr, fpr)[S]: hidden states of a task's check, given which the arms' verdicts are independent.

    With probability 1 − ρ errors are drawn anew per arm; with ρ one uniform serves all arms: below the smaller rate
    everything passes, above the larger nothing does, between them the verdict is the truth (or its opposite for a check
    that is worse than chance). Marginal rates stay `tpr` and `fpr`.
    """
    if not all(np.isfinite(x) and 0.0 <= x <= 1.0 for x in (tpr, fpr, rho)):
        raise DecisionError(f"verifier rates must lie in [0, 1]: tpr {tpr}, fpr {fpr}, correlation {rho}")
    if rho == 0.0 or (tpr in (0.0, 1.0) and fpr in (0.0, 1.0)):
        return np.ones(1), np.array([tpr]), np.array([fpr])
    low, high = min(tpr, fpr), max(tpr, fpr)
    truth = (1.0, 0.0) if tpr >= fpr else (0.0, 1.0)
    weight = np.array([1.0 - rho, rho * low, rho * (high - low), rho * (1.0 - high)])
    return weight, np.array([tpr, 1.0, truth[0], 0.0]), np.array([fpr, 1.0, truth[1], 0.0])
