"""Off-policy evaluation: what would another policy have cost, judged on logged decisions with exact propensities.

Doubly robust estimate with the planner's own Q as regression, importance weights clipped, effective sample size and an
empirical-Bernstein interval (Maurer and Pontil 2009). `promote` is the only gate through which a policy change goes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suffice.decision.grid import Floats
from suffice.errors import DecisionError

CLIP = 20.0
MIN_ESS = 300.0
RAMP = (0.05, 0.25, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean with its interval at the confidence asked for, effective sample size `ess` and number of rows `n`."""

    mean: float
    low: float
    high: float
    ess: float
    n: int


def bernstein(values: Floats, width: float, delta: float) -> float:
    """Return the half-width of the two-sided empirical-Bernstein interval for values of range `width`."""
    n = values.shape[0]
    if n < 2:
        return float("inf")
    log = float(np.log(4.0 / delta))
    return float(np.sqrt(2.0 * values.var(ddof=1) * log / n) + 7.0 * width * log / (3.0 * (n - 1)))


def doubly_robust(
    loss: Floats, logged: Floats, target: Floats, q_logged: Floats, q_target: Floats, *, delta: float = 0.05
) -> Estimate:
    """Return the loss of the target policy from n logged rows.

    `loss` observed, `logged` and `target` the propensities of the action taken, `q_logged` the predicted loss of that action,
    `q_target` the prediction averaged over the target's actions. Raises DecisionError for a propensity outside (0, 1].
    """
    n = loss.shape[0]
    if n == 0:
        raise DecisionError("off-policy evaluation needs logged decisions")
    if not (np.isfinite(logged).all() and logged.min() > 0.0 and logged.max() <= 1.0):
        raise DecisionError("a logged propensity is outside (0, 1]")
    ratio = np.minimum(target / logged, CLIP)
    values = q_target + ratio * (loss - q_logged)
    if not np.isfinite(values).all():
        raise DecisionError("a logged loss or prediction is not finite")
    total = float(ratio.sum())
    ess = total * total / float((ratio * ratio).sum()) if total > 0 else 0.0
    half = bernstein(values, float(np.ptp(values)) if n > 1 else 0.0, delta)
    mean = float(values.mean())
    return Estimate(mean=mean, low=mean - half, high=mean + half, ess=ess, n=n)


def promote(change: Estimate, escaped: Estimate, *, tolerance: float = 0.005) -> tuple[bool, str]:
    """Return whether a policy may go live, and why (not): `change` is new minus old J, `escaped` the escaped-defect rate."""
    if change.ess < MIN_ESS:
        return False, f"effective sample size {change.ess:.0f} is below {MIN_ESS:.0f}"
    if change.high >= 0.0:
        return False, f"the interval of the change in J reaches {change.high:+.4f} $: not surely cheaper"
    if escaped.high > tolerance:
        return False, f"escaped defects may rise by {escaped.high:+.4f}, more than {tolerance}"
    return True, "cheaper beyond doubt and escaped defects not inferior"


def next_share(share: float) -> float:
    """Return the next step of the ramp 5 % → 25 % → 100 %."""
    return next((step for step in RAMP if step > share + 1e-9), 1.0)
