"""Exploration on the safe set, with exact propensities, the same for a whole session.

π_a = 1 / (|Σ| + γ (Q_a − Q*)/H) for the others, the rest on the best, mixed with ε uniform on Σ (ROUTING.md 3.10). The
uniform comes from a keyed hash of the session, so that caches survive and the draw can be replayed. Invariant: propensities
are >= 0, 0 outside the safe set, and sum to 1; restricted data is never explored on.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suffice.decision.grid import Floats
from suffice.decision.verdict_free import Scored
from suffice.errors import DecisionError
from suffice.values.plan import Arm

GAMMA = 200.0
EPSILON = 0.02
SLACK = 0.25
# No configuration explores with more than this share of its sessions.
MAX_SHARE = 0.2


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The arm that goes first, and the probability with which each arm would have: 0 for those that are not named."""

    first: Scored
    propensity: dict[Arm, float]

    @property
    def chance(self) -> float:
        """The probability of what was drawn."""
        return self.propensity[self.first.arm]


def first_arm(
    comparable: Sequence[Scored],
    best: Scored,
    *,
    share: float,
    session: str,
    salt: str,
    floor: float,
    repair_usd: float,
) -> Drawn:
    """Return the arm that goes first: `best`, or with probability `share` a draw by `propensities` over the safe set.

    The mixture (1 - share) on `best` + share π is what is drawn from and what is returned, so the propensities are exact.
    `comparable` are arms whose totals mean the same, `best` among them, in a fixed order. Nothing is drawn without a share
    (clipped to MAX_SHARE), a session or a positive H, nor for arms without a known price or below `floor`.
    """
    sure = Drawn(first=best, propensity={best.arm: 1.0})
    if not (math.isfinite(share) and share > 0.0 and session and repair_usd > 0.0):
        return sure
    share = min(share, MAX_SHARE)
    q = np.array([one.total for one in comparable]) * 1e-9
    low = np.array([one.p_low for one in comparable])
    safe = safe_set(q, low, floor, np.array([one.priced for one in comparable]))
    at = next(i for i, one in enumerate(comparable) if one.arm == best.arm)
    if not safe[at] or int(safe.sum()) < 2:
        return sure
    mixed = share * propensities(q, safe, repair_usd)
    mixed[at] += 1.0 - share
    first = comparable[draw(mixed, uniform(session, salt))]
    return Drawn(first=first, propensity={comparable[i].arm: float(mixed[i]) for i in np.flatnonzero(mixed).tolist()})
