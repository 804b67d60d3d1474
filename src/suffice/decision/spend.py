"""What an attempt spent as evidence: a run that went far over its usual spend has probably failed.

The log of the spend is logistic around m + d·wrong + g·(θ - θ̄). Only the bin between fixed quantiles of an arm's own spend is looked
at, so that one wild bill cannot decide. Does: probabilities of bins. Does not: learn (`cost.py`, `evals/fit.py`). Invariant: the bins of
one outcome and difficulty sum to one, up to the floor of 1e-6.
"""

from __future__ import annotations

import numpy as np

from suffice.decision.grid import GRID, Floats, sigmoid

LOGISTIC_SD = 0.5513  # the scale of a logistic law with standard deviation one
QUANTILES = (0.5, 0.8)
# Those quantiles of a logistic law with standard deviation one, around its median.
CUTS: Floats = LOGISTIC_SD * np.log(np.array(QUANTILES) / (1.0 - np.array(QUANTILES)))
CUTS.setflags(write=False)


def bin_chances(cuts: Floats, centre: Floats, sd: Floats) -> Floats:
    """Return P(bin) along axis -2 [..., B, 33] of log spends with `centre` [..., 33] and `sd` [...]; `cuts` [..., B - 1] are logs."""
    below = sigmoid((cuts[..., :, None] - centre[..., None, :]) / (LOGISTIC_SD * sd[..., None, None]))
    ends = np.concatenate([np.zeros_like(below[..., :1, :]), below, np.ones_like(below[..., :1, :])], axis=-2)
    return np.asarray(np.maximum(np.diff(ends, axis=-2), 1e-6))


def likelihood(
    log_spend: float, *, mean: float, sd: float, wrong: float, p_wrong: float, slope: float
) -> tuple[Floats, Floats]:
    """Return (P(bin | right), P(bin | wrong)) [33] of one attempt's log spend on the difficulty grid.

    `mean`, `sd` are those of all attempts of the arm, of which a share `p_wrong` failed; failing adds `wrong` to the log, a unit of
    difficulty `slope`. A spend or a law that is not finite says nothing: both are one everywhere.
    """
    if not np.isfinite([log_spend, mean, sd, wrong, p_wrong, slope]).all() or sd <= 0.0:
        return np.ones(GRID.shape), np.ones(GRID.shape)
    cuts = mean + sd * CUTS
    at = int((log_spend > cuts).sum())
    right = mean - wrong * p_wrong + slope * GRID
    spread = np.array(sd)
    return bin_chances(cuts, right, spread)[at], bin_chances(cuts, right + wrong, spread)[at]
