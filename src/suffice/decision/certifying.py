"""Issues and revokes guarantee certificates from the labels that come after answers: which loss can be promised per kind of task.

The loss is 1 when evidence says that an answer that was given was wrong. Every full batch of labels of one kind is tested once, with
learn-then-test down a ladder of promises from the loosest; every label after that is watched by the certificate's e-process. No label is
used for two tests. Must not read a clock or keep anything: what waits is part of the snapshot. Invariant: a kind of task has at most one
certificate, of its last batch that passed.
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


def heard(
    known: Mapping[str, Certificate], gathered: Mapping[str, tuple[float, ...]], family: str, *, wrong: bool, now_s: float,
    catalog: str,
) -> tuple[Certificate | None, tuple[float, ...], str]:  # fmt: skip
    """Return the family's certificate after one more label, None while there is none, its labels that wait, and a note.

    `gathered` holds what waited before. The note is empty, `certified:<family>` or `revoked:<family>`.
    """
    note = ""
    before = known.get(family)
    after = before
    if before is not None and not before.revoked:
        after = watch(before, float(wrong))
        note = f"revoked:{family}" if after.revoked else ""
    waiting = (*gathered.get(family, ()), float(wrong))
    if len(waiting) < BATCH:
        return after, waiting, note
    rung = tightest(np.array(waiting))
    if rung < 0:
        return after, (), note
    certificate = Certificate(
        family=family, epsilon=LADDER[rung], delta=DELTA, n=BATCH, rung=rung, threshold=LADDER[rung], catalog=catalog,
        issued_at_s=now_s,
    )  # fmt: skip
    return certificate, (), f"certified:{family}"
