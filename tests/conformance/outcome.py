"""What a suite found: one row per test, and the counts over them.

Invariant: a test that did not run is `skipped` with a reason and never counts as passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One test: its name, what came of it, and why when it did not pass."""

    name: str
    result: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run of a suite.

    `absent` says why it could not run at all; `against` what stood behind the gateway; `left_out` how many tests are of
    endpoints that the gateway does not serve, by reason: they are no rows.
    """

    suite: str
    version: str = ""
    against: str = ""
    rows: Sequence[Row] = field(default_factory=tuple)
    absent: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)

    def count(self, result: str) -> int:
        """Return how many tests came to `result`."""
        return sum(row.result == result for row in self.rows)

    @property
    def good(self) -> bool:
        """True when every test passed and there was one."""
        return bool(self.rows) and self.count(PASSED) == len(self.rows)

    def line(self) -> str:
        """Return the outcome in one line."""
        name = f"{self.suite} {self.version}".strip() + (f", {self.against}" if self.against else "")
        if self.absent:
            return f"{name}: did not run: {self.absent}"
        skipped = f", {self.count(SKIPPED)} skipped" if self.count(SKIPPED) else ""
        others = "".join(f"; {count} left out: {why}" for why, count in self.left_out.items())
        return f"{name}: {self.count(PASSED)} of {len(self.rows)} passed{skipped}{others}"

    def as_json(self) -> dict[str, Any]:
        """Return what is kept: counts, and the rows that did not pass."""
        kept = [{"name": r.name, "result": r.result, "why": r.why} for r in self.rows if r.result != PASSED]
        told: dict[str, Any] = {"suite": self.suite, "version": self.version, "against": self.against}
        if self.absent:
            return told | {"absent": self.absent}
        return told | {
            "tests": len(self.rows),
            **{result: self.count(result) for result in (PASSED, FAILED, SKIPPED)},
            "left_out": dict(self.left_out),
            "not_passed": kept,
        }
