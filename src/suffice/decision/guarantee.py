"""Learn-then-test certificates: a threshold whose risk is at most ε with confidence 1 − δ, until it expires or is revoked.

Fixed-sequence testing over a ladder ordered from safest to riskiest with Hoeffding-Bentkus p-values (Angelopoulos et al. 2021).
A betting e-process on fresh outcomes revokes the certificate (Ville's inequality). `STATEMENT` says what is not covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, comb, exp, log

import numpy as np

from suffice.decision.grid import Floats
from suffice.errors import DecisionError

LIFETIME_S = 14 * 86_400.0
MIN_LABELS = 100
BET = 0.5
STATEMENT = (
    "Marginal, not per request: over exchangeable traffic of this family, the rate of the stated loss is at most epsilon with "
    "confidence 1 - delta over the draw of the calibration tasks. It does not cover traffic that has drifted, other families, a "
    "changed catalogue, or defects that the gate's own label cannot see."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certified threshold for one task family; `rung` is its place on the ladder, `wealth` that of the e-process."""

    family: str
    epsilon: float
    delta: float
    n: int
    rung: int
    threshold: float
    catalog: str
    issued_at_s: float
    wealth: float = 1.0
    revoked: bool = False


def kl_bernoulli(a: float, b: float) -> float:
    """Return KL(Bernoulli(a) ‖ Bernoulli(b)) in nats."""
    left = a * log(a / b) if a > 0 else 0.0
    right = (1 - a) * log((1 - a) / (1 - b)) if a < 1 else 0.0
    return left + right


def _binomial_cdf(k: int, n: int, p: float) -> float:
    return min(1.0, sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(min(k, n) + 1)))


def p_value(mean_loss: float, n: int, epsilon: float) -> float:
    """Return the Hoeffding-Bentkus p-value of "the risk is above ε" given the mean of n losses in [0, 1]."""
    if n <= 0 or not 0.0 < epsilon < 1.0 or not 0.0 <= mean_loss <= 1.0:
        raise DecisionError(f"no p-value for mean loss {mean_loss}, n {n}, epsilon {epsilon}")
    hoeffding = exp(-n * kl_bernoulli(min(mean_loss, epsilon), epsilon))
    bentkus = exp(1.0) * _binomial_cdf(ceil(n * mean_loss - 1e-9), n, epsilon)
    return min(1.0, hoeffding, bentkus)


def learn_then_test(losses: Floats, epsilon: float, delta: float) -> int:
    """Return the last rung of `losses` [n, L] (columns safest to riskiest) that passes, or -1 when the safest fails.

    Fixed sequence: the first failure ends the walk, so no correction for the number of rungs is needed.
    """
    if losses.ndim != 2 or losses.shape[0] == 0 or not np.isfinite(losses).all():
        raise DecisionError("learn-then-test needs finite losses [n, L]")
    if losses.min() < 0.0 or losses.max() > 1.0:
        raise DecisionError("a loss is outside [0, 1]")
    passed = -1
    for rung, mean in enumerate(losses.mean(axis=0)):
        if p_value(float(mean), losses.shape[0], epsilon) > delta:
            break
        passed = rung
    return passed


def certify(
    losses: Floats, thresholds: Floats, *, family: str, epsilon: float, delta: float, catalog: str, now_s: float
) -> Certificate:
    """Return a certificate; with fewer than 100 labels or a failing first rung it stands on the safest rung, 0."""
    n = int(losses.shape[0])
    rung = max(0, learn_then_test(losses, epsilon, delta)) if n >= MIN_LABELS else 0
    return Certificate(
        family=family, epsilon=epsilon, delta=delta, n=n, rung=rung, threshold=float(thresholds[rung]), catalog=catalog,
        issued_at_s=now_s,
    )  # fmt: skip


def feasible(reference_risk: float, epsilon: float) -> float:
    """Return the least share of traffic that any valid method must escalate: (μ − ε) / (1 − ε), at least 0."""
    return max(0.0, (reference_risk - epsilon) / (1.0 - epsilon))


def watch(certificate: Certificate, loss: float) -> Certificate:
    """Return the certificate after a fresh loss in [0, 1]: wealth ← wealth · (1 + bet (loss − ε)); revoked at 1/δ.

    Under a risk of at most ε wealth is a supermartingale, so a false revocation has probability at most δ, ever.
    """
    if not np.isfinite(loss):
        return certificate
    clipped = min(1.0, max(0.0, loss))
    wealth = certificate.wealth * (1.0 + BET * (clipped - certificate.epsilon))
    return replace(certificate, wealth=wealth, revoked=certificate.revoked or wealth >= 1.0 / certificate.delta)


def valid(certificate: Certificate, now_s: float, catalog: str) -> tuple[bool, str]:
    """Return whether the certificate holds now, and if not why. A clock before its issue counts as not valid."""
    if certificate.revoked:
        return False, "revoked: fresh outcomes contradict it"
    if certificate.catalog != catalog:
        return False, "the catalogue has changed since"
    age = now_s - certificate.issued_at_s
    if not 0.0 <= age <= LIFETIME_S:
        return False, "expired" if age > 0 else "issued in the future: the clock has jumped"
    return True, ""


def told(certificates: Sequence[Certificate], now_s: float, catalog: str) -> tuple[str, ...]:
    """Say in one line per certificate what it promises or why it is not in force; one line saying so where there is none."""
    out = []
    for one in certificates:
        holds, why = valid(one, now_s, catalog)
        promise = f"loss at most {one.epsilon:g} with confidence {1.0 - one.delta:g} ({one.n} labels)"
        out.append(f"{one.family}: in force, {promise}" if holds else f"{one.family}: not in force ({why}), {promise}")
    return tuple(out) or ("none in force: no success rate is promised",)
