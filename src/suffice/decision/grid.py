"""The difficulty grid: 33 points on which the posterior of one task's latent difficulty lives.

Does: priors, Bayesian updates, moments. Does not: know arms, money or requests. Invariant: every weight vector that leaves
this module is finite, non-negative and sums to one; an impossible observation leaves the posterior as it was.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

POINTS = 33
GRID: Floats = np.linspace(-5.0, 5.0, POINTS)
GRID.setflags(write=False)
_TINY = 1e-300


def sigmoid(z: Floats) -> Floats:
    """Return 1 / (1 + exp(-z)), element by element, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)), dtype=np.float64)


def logit(p: Floats | float) -> Floats:
    """Return the log odds of `p`, which is clipped to [1e-6, 1 - 1e-6] first."""
    q = np.clip(np.asarray(p, dtype=np.float64), 1e-6, 1.0 - 1e-6)
    return np.asarray(np.log(q / (1.0 - q)), dtype=np.float64)


def normal_prior(mean: float, sd: float) -> Floats:
    """Return weights[33] of a normal law on the grid. A mean off the grid or a bad sd gives the nearest sensible law."""
    centre = min(max(mean if np.isfinite(mean) else 0.0, GRID[0]), GRID[-1])
    width = sd if np.isfinite(sd) and sd > 0.05 else 0.05
    z = (GRID - centre) / width
    weights = np.exp(-0.5 * z * z)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def observe(weights: Floats, likelihood: Floats) -> Floats:
    """Return the posterior after an observation with `likelihood[33]` >= 0.

    When the likelihood is zero wherever the weights are not, or is not finite, the observation teaches nothing and
    `weights` come back unchanged: a contradictory verdict must not take the request down.
    """
    product = weights * likelihood
    total = float(product.sum())
    if not np.isfinite(total) or total <= _TINY:
        return weights
    return np.asarray(product / total, dtype=np.float64)


def mean_sd(weights: Floats) -> tuple[float, float]:
    """Return mean and standard deviation of the difficulty under `weights`."""
    mean = float(weights @ GRID)
    return mean, float(np.sqrt(max(0.0, float(weights @ (GRID - mean) ** 2))))
