"""All gates on one answer: which apply, what each says, and what it comes to.

`judge` never raises and is bounded by the size of its input: a gate that fails says UNKNOWN, an input above the cap is UNKNOWN
everywhere. Nothing here decides what to do about a verdict; that is the cascade's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from suffice.values.verdict import Outcome, Verdict
from suffice.verify import asked, completeness, edits, imports, logprobs, names, parses, tools
from suffice.verify.reading import Reading, verdict
from suffice.verify.view import AnswerView, AskView

Gate = Callable[[Reading], Verdict]
MAX_ANSWER = 1_000_000
GATES: tuple[tuple[str, Gate], ...] = (
    (completeness.GATE, completeness.check),
    (tools.GATE, tools.check),
    (parses.GATE, parses.check),
    (edits.GATE, edits.check),
    (imports.GATE, imports.check),
    (names.GATE, names.check),
    (asked.GATE, asked.check),
    (logprobs.GATE, logprobs.check),
)


def judge(answer: AnswerView, ask: AskView) -> tuple[Verdict, ...]:
    """Return one verdict per gate, in the order of `GATES`. Never raises."""
    size = len(answer.text) + sum(len(call.arguments) for call in answer.tool_calls)
    if size > MAX_ANSWER:
        return tuple(verdict(name, Outcome.UNKNOWN, f"{size} characters are too many to judge") for name, _ in GATES)
    reading = Reading(answer, ask)
    return tuple(run(name, gate, reading) for name, gate in GATES)


def run(name: str, gate: Gate, reading: Reading) -> Verdict:
    """Return what `gate` says of `reading`; UNKNOWN when the gate itself fails."""
    try:
        return gate(reading)
    except Exception as error:
        # A checker that fails must not cost a good answer: the reason names the failure, nothing is rejected.
        return verdict(name, Outcome.UNKNOWN, f"the checker failed: {type(error).__name__}")


def overall(verdicts: Iterable[Verdict]) -> Outcome:
    """Combine verdicts: one REJECT rejects, else one ACCEPT accepts, else UNKNOWN."""
    outcomes = {v.outcome for v in verdicts}
    if Outcome.REJECT in outcomes:
        return Outcome.REJECT
    return Outcome.ACCEPT if Outcome.ACCEPT in outcomes else Outcome.UNKNOWN
