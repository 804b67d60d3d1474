"""Exploration on the safe set, with exact propensities, the same for a whole session.

π_a = 1 / (|Σ| + γ (Q_a − Q*)/H) for the others, the rest on the best, mixed with ε uniform on Σ (ROUTING.md 3.10). The
uniform comes from a keyed hash of the session, so that caches survive and the draw can be replayed. Invariant: propensities
are >= 0, 0 outside the safe set, and sum to 1; restricted data is never explored on.
"""

from __future__ import annotations

import hashlib

import numpy as np

from suffice.decision.grid import Floats
from suffice.errors import DecisionError

GAMMA = 200.0
EPSILON = 0.02
SLACK = 0.25


def uniform(session: str, salt: str) -> float:
    """Return the uniform in [0, 1) of a session: 53 bits of BLAKE2b, keyed by `salt` (the policy version)."""
    digest = hashlib.blake2b(session.encode(), key=salt.encode()[:64], digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / float(1 << 53)


def safe_set(q: Floats, p_low: Floats, floor: float, allowed: np.ndarray, slack: float = SLACK) -> np.ndarray:
    """Return [A] bool: allowed by every mask, lower bound at the floor or above, and at most `slack` dearer than the best."""
    if q.shape != p_low.shape or q.shape != allowed.shape or q.ndim != 1:
        raise DecisionError(f"exploration inputs do not fit: {q.shape}, {p_low.shape}, {allowed.shape}")
    ok = allowed & np.isfinite(q) & (p_low >= floor)
    if not ok.any():
        return ok
    return np.asarray(ok & (q <= (1.0 + slack) * q[ok].min()))


def propensities(
    q: Floats, safe: np.ndarray, repair_usd: float, *, restricted: bool = False, gamma: float = GAMMA,
    epsilon: float = EPSILON,
) -> Floats:  # fmt: skip
    """Return π [A]. `q` are expected totals in dollars; with `restricted` all weight is on the best.

    Raises DecisionError when the safe set is empty, H is not positive, or a safe value is not finite.
    """
    rows = np.flatnonzero(safe)
    if rows.size == 0:
        raise DecisionError("the safe set is empty", hint="fall back to the reference arm")
    if not np.isfinite(q[rows]).all() or not np.isfinite(repair_usd) or repair_usd <= 0.0:
        raise DecisionError("exploration needs finite values and a positive repair cost")
    out = np.zeros(q.shape[0])
    best = int(rows[q[rows].argmin()])
    if restricted or rows.size == 1:
        out[best] = 1.0
        return out
    out[rows] = 1.0 / (rows.size + gamma * (q[rows] - q[best]) / repair_usd)
    out[best] = 0.0
    out[best] = 1.0 - out.sum()
    out[rows] = (1.0 - epsilon) * out[rows] + epsilon / rows.size
    return np.asarray(out / out.sum(), dtype=np.float64)


def draw(propensity: Floats, u: float) -> int:
    """Return the arm index that the uniform `u` picks; only arms with positive propensity can come out."""
    total = np.cumsum(propensity)
    at = int(np.searchsorted(total, min(max(u, 0.0), 1.0 - 1e-12) * total[-1], side="right"))
    return min(at, int(np.flatnonzero(propensity)[-1]))
