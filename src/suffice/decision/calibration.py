"""Calibration: Platt's two parameters, shrunk to the identity, on a window of labels, and the scores that tell whether they are needed.

Does: fit the map, try it on labels that it has not seen, use it only while that has paid. Does not change rankings among predictions
that it maps (the slope stays positive). Invariant: without labels, and where the map has not paid, it is the identity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from suffice.decision.grid import Floats, logit, sigmoid
from suffice.errors import DecisionError

SHRINK = 4.0  # precision of the prior on (log slope, offset) at the identity
BINS = 10
# Labels that a map is fitted on, how often it is fitted, and what it must have gained in log loss (nats) on labels it had not seen.
WINDOW, REFIT, GAIN = 400, 20, 2.0
# Older trials of the map count less: half after so many labels.
HALF_LIFE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Platt:
    """p ↦ σ(slope · logit p + offset)."""

    slope: float = 1.0
    offset: float = 0.0

    def apply(self, p: Floats) -> Floats:
        """Return calibrated probabilities, same shape."""
        return sigmoid(self.slope * logit(p) + self.offset)


def _checked(p: Floats, y: Floats) -> None:
    if p.shape != y.shape or p.ndim != 1:
        raise DecisionError(f"calibration needs equally long vectors, got {p.shape} and {y.shape}")
    if p.size and not (np.isfinite(p).all() and np.isfinite(y).all()):
        raise DecisionError("calibration inputs are not finite")


def fit(p: Floats, y: Floats, weight: Floats | None = None, iterations: int = 12) -> Platt:
    """Return Platt's map fitted by Newton steps on weighted log loss (weights 1/propensity, clipped to 20)."""
    _checked(p, y)
    if p.size == 0:
        return Platt()
    w = np.ones_like(p) if weight is None else np.clip(weight, 0.0, 20.0)
    z = logit(p)
    slope, offset = 1.0, 0.0
    for _ in range(iterations):
        q = sigmoid(slope * z + offset)
        h = w * np.maximum(q * (1 - q), 1e-4)
        grad = np.array([(w * (q - y) * z).sum() + SHRINK * (slope - 1.0), (w * (q - y)).sum() + SHRINK * offset])
        hess = np.array(
            [[(h * z * z).sum() + SHRINK, (h * z).sum()], [(h * z).sum(), h.sum() + SHRINK]]
        )  # fmt: skip
        step = np.linalg.solve(hess, grad)
        slope, offset = min(3.0, max(0.2, slope - float(step[0]))), min(3.0, max(-3.0, offset - float(step[1])))
    return Platt(slope=slope, offset=offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A map under trial: the last labels (p, y, weight), the map fitted on those before, and what it has gained on labels since.

    `gained` is the log loss without the map less that with it, in nats, older labels counting less.
    """

    labels: tuple[tuple[float, float, float], ...] = ()
    slope: float = 1.0
    offset: float = 0.0
    gained: float = 0.0
    count: int = 0

    @property
    def fitted(self) -> Platt:
        """The map, whether it pays or not."""
        return Platt(slope=self.slope, offset=self.offset)

    @property
    def in_force(self) -> Platt | None:
        """The map while it has paid on labels that it had not seen, else None."""
        return self.fitted if self.gained >= GAIN else None


def tracked(one: Tracked, p: float, right: bool, weight: float) -> Tracked:
    """Return the map after one more label: tried on it first, then fitted anew every REFIT labels. `p` is the prediction without a map.

    Raises DecisionError for a weight outside [0, 1] or a probability outside (0, 1).
    """
    if not (0.0 < p < 1.0 and 0.0 <= weight <= 1.0):
        raise DecisionError(f"calibration: prediction {p} or weight {weight} is off its scale")
    mapped = float(one.fitted.apply(np.array([p]))[0])
    gain = float(np.log(mapped / p) if right else np.log((1.0 - mapped) / (1.0 - p)))
    labels = (*one.labels, (p, float(right), weight))[-WINDOW:]
    after = replace(
        one, labels=labels, gained=0.5 ** (1.0 / HALF_LIFE) * one.gained + weight * gain, count=one.count + 1
    )
    if after.count % REFIT:
        return after
    table = np.array(labels)
    found = fit(table[:, 0], table[:, 1], table[:, 2])
    return replace(after, slope=found.slope, offset=found.offset)


def brier(p: Floats, y: Floats) -> float:
    """Return the mean squared error of probabilities; NaN without rows."""
    _checked(p, y)
    return float(np.mean((p - y) ** 2)) if p.size else float("nan")


def ece(p: Floats, y: Floats, bins: int = BINS) -> float:
    """Return the expected calibration error over `bins` bins of equal mass; NaN without rows."""
    _checked(p, y)
    if p.size == 0:
        return float("nan")
    order = np.argsort(p, kind="stable")
    parts = np.array_split(order, min(bins, p.size))
    return float(sum(part.size * abs(p[part].mean() - y[part].mean()) for part in parts) / p.size)
