"""Watches how decisions fare, and says on which rung of the fallback ladder they stand (`decision/fallback.py`).

Does: keep windows of failures, of predictions beside verdicts, of moves away from warm caches; look at them once a minute, at once when
decisions break or a guarantee is revoked. Does
not: decide. Invariant: an alarm needs enough of its kind, and what raised one is forgotten when the ladder moves, so that old news
does not lower it twice.
"""

from __future__ import annotations

import logging
from collections import deque

import numpy as np

from suffice.decision.calibration import ece
from suffice.decision.fallback import Health, Ladder, Rung, step
from suffice.values.env import Env

log = logging.getLogger("suffice.decision")

LOOK_S = 60.0
DECISIONS, FAILED_DECISIONS = 100, 3
# Ten bins of 50: below that a perfectly calibrated model shows an error of 0.1 by chance.
LABELS, FEWEST_LABELS = 1000, 500
TURNS, FEWEST_TURNS = 1000, 200


class Watch:
    """The ladder of one gateway and the windows that move it. Not for several threads."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._ladder = Ladder(changed_at_s=env.monotonic())
        self._looked_s = env.monotonic()
        self._failed: deque[bool] = deque(maxlen=DECISIONS)
        self._labels: deque[tuple[float, float]] = deque(maxlen=LABELS)
        self._moves: deque[bool] = deque(maxlen=TURNS)
        self._revoked = ""

    @property
    def health(self) -> Health:
        """What the windows show now; not a number where they hold too little."""
        nan = float("nan")
        error = nan
        if len(self._labels) >= FEWEST_LABELS:
            pairs = np.array(self._labels)
            error = ece(pairs[:, 0], pairs[:, 1])
        moves = sum(self._moves) / len(self._moves) if len(self._moves) >= FEWEST_TURNS else nan
        return Health(
            ece=error, switches_per_turn=moves, decision_failed=sum(self._failed) >= FAILED_DECISIONS, revoked=self._revoked
        )  # fmt: skip

    def standing(self) -> Ladder:
        """Return where the ladder stands; it moves by at most one rung a minute."""
        now_s = self._env.monotonic()
        urgent = self._revoked or sum(self._failed) >= FAILED_DECISIONS
        if 0.0 <= now_s - self._looked_s < LOOK_S and not urgent:
            return self._ladder
        self._looked_s = now_s
        before = self._ladder
        self._ladder = step(before, self.health, now_s)
        self._revoked = ""
        if self._ladder.rung is not before.rung:
            for window in (self._failed, self._labels, self._moves):
                window.clear()
            log.warning("decisions now by %s: %s", self._ladder.rung.value, self._ladder.alarm or "quiet again")
        return self._ladder

    def decided(self, *, failed: bool) -> None:
        """Count a decision of the core that worked, or one that broke."""
        self._failed.append(failed)

    def contradicted(self, task: str) -> None:
        """Take note that fresh reports have revoked the guarantee for a kind of task: one rung down at the next decision."""
        self._revoked = task

    def judged(self, p_success: float, *, right: bool) -> None:
        """Count a prediction beside what a check that ran the code found."""
        self._labels.append((p_success, float(right)))

    def turned(self, *, moved: bool) -> None:
        """Count a turn of a warm conversation, and whether it left an arm that could have gone on."""
        self._moves.append(moved)

    @property
    def rung(self) -> Rung:
        """The rung at the last look."""
        return self._ladder.rung
