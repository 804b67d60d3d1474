"""What an outcome that came after the answer says about it: which kinds there are, and how far each can be believed.

Must not look anything up. Invariant: a reliability is in [0, 1], and a kind that says nothing of success has none.
The weights follow the design's table of label reliabilities: what a machine ran counts fully, what a person did without looking
counts little (docs/outcomes.md).
"""

from __future__ import annotations

from dataclasses import dataclass

EDITED = "edited"
COMMITTED = "committed"
MERGED = "merged"
REVERTED = "reverted"
TESTS_PASSED = "tests_passed"
ASKED_AGAIN = "asked_again"
REJECTED = "rejected"

# Kind -> (whether the answer was good, reliability). None: the event is counted, and teaches nothing.
_TABLE: dict[str, tuple[bool | None, float]] = {
    TESTS_PASSED: (True, 1.0),
    "tests_failed": (False, 1.0),
    MERGED: (True, 0.9),
    REVERTED: (False, 0.9),
    "accepted": (True, 0.5),
    REJECTED: (False, 0.5),
    EDITED: (None, 0.5),
    ASKED_AGAIN: (False, 0.3),
    COMMITTED: (True, 0.3),
    "pull_request": (None, 0.0),
}
KINDS = tuple(_TABLE)
IMPLICIT = 0.3
"""The most that a sign which nobody meant as a report can be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """`accepted` is None where nothing is said of success; `reliability` in [0, 1]."""

    accepted: bool | None
    reliability: float


def judge(kind: str, distance: float | None = None) -> Evidence:
    """Return what an outcome of `kind`, one of `KINDS`, says.

    `edited` needs the share of the answer that was changed, 0 (kept) to 1 (replaced): nearer to an end is surer, a half says
    nothing. Raises ValueError for a kind that is unknown, or a distance that is missing or out of range.
    """
    if kind not in _TABLE:
        raise ValueError(f"there is no kind of outcome {kind!r}")
    accepted, reliability = _TABLE[kind]
    if kind != EDITED:
        return Evidence(accepted=accepted, reliability=reliability)
    if distance is None or not 0.0 <= distance <= 1.0:
        raise ValueError("an edit needs its distance, from 0 (kept) to 1 (replaced)")
    sure = abs(1.0 - 2.0 * distance)
    return Evidence(accepted=distance < 0.5 if sure else None, reliability=reliability * sure)
