"""Calibration per cell: Platt's two parameters, shrunk to the identity, and the scores that tell whether they are needed.

Does not change rankings within a cell (the slope stays positive). Invariant: without labels the map is the identity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suffice.decision.grid import Floats, logit, sigmoid
from suffice.errors import DecisionError

SHRINK = 4.0  # precision of the prior on (log slope, offset) at the identity
BINS = 10


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
