"""Gate `logprobs`: how sure the model was of the code it wrote, measured on the code alone.

Code models are not calibrated, so this never rejects: it reports numbers that the posterior may learn from. Source of
the idea: edit-local
rather than whole-answer confidence predicts repair success (arXiv 2604.06723).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from suffice.values.verdict import Outcome, Verdict
from suffice.verify.reading import Reading, verdict

GATE = "logprobs"
WINDOW = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """Natural logarithms of probabilities over the tokens of the code: mean, mean of the worst window of 16, share
    below 1/2."""

    tokens: int
    mean: float
    worst_window: float
    doubtful_share: float


def confidence(reading: Reading) -> Confidence | None:
    """Return the model's confidence on the code of its answer, None when there are no usable log-probabilities."""
    spans = [(piece.start, piece.end) for piece in reading.code if piece.start >= 0]
    if not reading.answer.logprobs or not spans or reading.ask.prefill or "\r" in reading.answer.text:
        return None
    values, at = list[float](), 0
    for token in reading.answer.logprobs:
        middle = at + len(token.token) / 2
        if any(start <= middle < end for start, end in spans) and math.isfinite(token.logprob):
            values.append(min(token.logprob, 0.0))
        at += len(token.token)
    if not values or at < len(reading.answer.text) * 0.9:
        return None
    size = min(WINDOW, len(values))
    total = sum(values[:size])
    worst = total
    for i in range(size, len(values)):
        total += values[i] - values[i - size]
        worst = min(worst, total)
    doubtful = sum(value < math.log(0.5) for value in values) / len(values)
    return Confidence(
        tokens=len(values), mean=sum(values) / len(values), worst_window=worst / size, doubtful_share=doubtful
    )


def check(reading: Reading) -> Verdict:
    """Return UNKNOWN with the numbers in its reason: confidence alone neither accepts nor rejects."""
    found = confidence(reading)
    if found is None:
        return verdict(GATE, Outcome.UNKNOWN, "no log-probabilities over code")
    numbers = (
        f"mean {found.mean:.3f}, worst window {found.worst_window:.3f}, {found.doubtful_share:.0%} doubtful of "
        f"{found.tokens} tokens"
    )
    return verdict(GATE, Outcome.UNKNOWN, numbers)
