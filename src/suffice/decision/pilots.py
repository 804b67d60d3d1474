"""Pilots: whether an intervention into an agent's run does more good than harm, before it may act on every run.

A model that predicts failures well can still make runs worse by acting on them: a switch disrupts runs that would have come
right. So a kind of intervention first acts on one half of the runs that call for it and leaves the other half alone, by chance
of the session's key; what becomes of both halves decides. Pure: counts in, a standing out; who keeps the counts is the
gateway's. Invariant: a run is on the same side whenever it is asked about, and is counted once.
"""

from __future__ import annotations

import hashlib
import math
from enum import StrEnum

import msgspec

TASKS, FEWEST = 50, 15  # decided runs of a pilot, and the fewest of each half
EARLY = 20  # decided runs after which a pilot that does harm is ended
SURE = 0.95
HORIZON_TURNS = 20  # turns after the intervention in which the tests of a run have to pass


class Tally(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Decided runs of one kind: those it acted on and those it left alone, that came right and that did not."""

    acted_good: int = 0
    acted_bad: int = 0
    left_good: int = 0
    left_bad: int = 0

    @property
    def acted(self) -> int:
        """Decided runs that it acted on."""
        return self.acted_good + self.acted_bad

    @property
    def left(self) -> int:
        """Decided runs that it left alone."""
        return self.left_good + self.left_bad

    def counted(self, *, acted: bool, good: bool) -> Tally:
        """Return the tally with one more run."""
        name = f"{'acted' if acted else 'left'}_{'good' if good else 'bad'}"
        return msgspec.structs.replace(self, **{name: getattr(self, name) + 1})


class Standing(StrEnum):
    """Where a pilot stands: it acts on half of the runs, on all, or on none."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"


class Trial(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One run under a pilot: of which kind, on which side, and how many turns it has left to come right."""

    kind: str
    acted: bool
    turns_left: int = HORIZON_TURNS

    def after(self, *, passed: bool) -> tuple[Trial | None, bool | None]:
        """Return (the trial after one more turn or None, whether the run came right or None): `passed`, its tests do."""
        if passed:
            return None, True
        if self.turns_left <= 1:
            return None, False
        return msgspec.structs.replace(self, turns_left=self.turns_left - 1), None


def acts(session_key: str, kind: str) -> bool:
    """Return whether a pilot of `kind` acts on this session: half of them, the same answer each time."""
    return hashlib.blake2b(f"{kind}\0{session_key}".encode(), digest_size=1).digest()[0] < 128


def better(tally: Tally) -> float:
    """Return P(runs acted on come right more often than runs left alone), both rates Beta(1, 1) before anything was seen.

    The exact sum for whole-number Beta distributions: sum over i < a of B(c + i, d + b) / ((b + i) B(1 + i, b) B(c, d)).
    """
    a, b = tally.acted_good + 1, tally.acted_bad + 1
    c, d = tally.left_good + 1, tally.left_bad + 1
    terms = (
        math.exp(_log_beta(c + i, b + d) - math.log(b + i) - _log_beta(1 + i, b) - _log_beta(c, d)) for i in range(a)
    )
    return min(1.0, math.fsum(terms))


def _log_beta(x: int, y: int) -> float:
    return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)


def standing(tally: Tally) -> Standing:
    """Return where the pilot of `tally` stands: it passes when it is sure to help, and fails when it does not or does harm."""
    tasks, fewest = tally.acted + tally.left, min(tally.acted, tally.left)
    if tasks >= TASKS and fewest >= FEWEST:
        return Standing.PASSED if better(tally) >= SURE else Standing.FAILED
    if tasks >= EARLY and fewest and better(tally) <= 1.0 - SURE:
        return Standing.FAILED
    return Standing.RUNNING
