"""What a report on one answer says of the check that had judged it, and the answers before it.

Does: turn "the answer that was given was right (or wrong)" into evidence on the check's rates and on how far its errors go together. Only
requests with a report are counted, by the first answer that the check judged: rejected answers are seldom reported on, and a check that
was counted on its acceptances alone would look as if it accepted everything, while later answers are those of tasks on which it had
rejected before. A first answer that nobody reported on counts by the chances that the verdict leaves. Does not: run checks or read the
ledger. Invariant: a report adds one observation of the rates, times its reliability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suffice.decision import gates
from suffice.decision.gates import GatePosterior


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One attempt that the check judged: its number, how likely its model was to be right beforehand, the verdict, the model's family."""

    attempt: int
    p: float
    accepted: bool
    family: str = ""


def right_given(one: Judged, rates: gates.Rates) -> float:
    """Return P(the answer was right | the check's verdict)."""
    t, f = (rates.tpr, rates.fpr) if one.accepted else (1.0 - rates.tpr, 1.0 - rates.fpr)
    good, bad = one.p * t, (1.0 - one.p) * f
    return good / (good + bad) if good + bad > 0.0 else one.p


def learn(
    post: GatePosterior, *, gate: str, cell: str, judged: Sequence[Judged], given: int, right: bool, reliability: float
) -> GatePosterior:
    """Return the posterior after the answer of attempt `given` turned out right or wrong. Unchanged when the check did not judge it.

    Raises DecisionError for a reliability outside [0, 1].
    """
    served = next((one for one in judged if one.attempt == given), None)
    if served is None:
        return post
    first = min(judged, key=lambda one: one.attempt)
    known = {one.family: gates.rates(post, gate, cell, one.family) for one in judged}
    chance = float(right) if first is served else right_given(first, known[first.family])
    for truth, share in ((True, chance), (False, 1.0 - chance)):
        if share > 0.0:
            weight = reliability * share
            post = gates.learn(
                post,
                gate=gate,
                cell=cell,
                family=first.family,
                accepted=first.accepted,
                right=truth,
                reliability=weight,
            )
    if not right:
        for one in judged:
            if one.attempt < given and not one.accepted:
                weight = reliability * (1.0 - right_given(one, known[one.family]))
                post = gates.learn_pair(post, gate=gate, second_accepted=served.accepted, weight=weight)
    return post
