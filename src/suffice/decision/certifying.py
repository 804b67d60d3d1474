"""Issues and revokes guarantee certificates from the labels that come after answers: which loss can be promised per kind of task.

The loss is 1 when evidence says that an answer that was given was wrong. Every full batch of labels of one kind is tested once, with
learn-then-test down a ladder of promises from the loosest; every label after that is watched by the certificate's e-process. No label is
used for two tests. Must not read a clock. Invariant: a kind of task has at most one certificate, of its last batch that passed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from suffice.decision.guarantee import Certificate, p_value, watch

BATCH = 200
DELTA = 0.1
# Promises on the rate of wrong answers, loosest first: nested, so the first that fails ends the walk without a correction.
LADDER = (0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05)


def tightest(losses: np.ndarray, ladder: tuple[float, ...] = LADDER, delta: float = DELTA) -> int:
    """Return the last rung of `ladder` that passes its test on `losses` [n] in [0, 1] in fixed sequence, -1 when none does."""
    passed, mean = -1, float(np.mean(losses))
    for rung, epsilon in enumerate(ladder):
        if p_value(mean, losses.size, epsilon) > delta:
            break
        passed = rung
    return passed


class Certifier:
    """Gathers labels per family; what is gathered is lost with the process, certificates are not (they are in the snapshot)."""

    def __init__(self) -> None:
        self._gathered: dict[str, list[float]] = {}

    def heard(
        self, known: Mapping[str, Certificate], family: str, *, wrong: bool, now_s: float, catalog: str
    ) -> tuple[Certificate | None, str]:
        """Return the family's certificate after one more label, None while there is none, and a note.

        The note is empty, `certified:<family>` or `revoked:<family>`.
        """
        note = ""
        before = known.get(family)
        after = before
        if before is not None and not before.revoked:
            after = watch(before, float(wrong))
            note = f"revoked:{family}" if after.revoked else ""
        gathered = self._gathered.setdefault(family, [])
        gathered.append(float(wrong))
        if len(gathered) < BATCH:
            return after, note
        rung = tightest(np.array(gathered))
        gathered.clear()
        if rung < 0:
            return after, note
        return Certificate(
            family=family, epsilon=LADDER[rung], delta=DELTA, n=BATCH, rung=rung, threshold=LADDER[rung], catalog=catalog,
            issued_at_s=now_s,
        ), f"certified:{family}"  # fmt: skip
