"""What a check says of an answer."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """Accept, reject, or unknown: a checker that failed or does not apply never rejects."""

    ACCEPT = "accept"
    REJECT = "reject"
    UNKNOWN = "unknown"


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The result of one gate on one answer.

    `gate` is its stable name (`complete`, `tool-call`, `parses`, `imports`, `names`, `edit-applies`, `asked-for`,
    `agreement`, `logprobs`, `check:<name>`), `reason` a sentence for a person, `evidence` what a retry may be told
    (compact, at most 2,000 characters), `kind` a stable word for the defect (`truncated`, `syntax`, ...), `language` the
    language that was judged, `span` the character offsets of the offending part in the answer or None.
    """

    gate: str
    outcome: Outcome
    reason: str = ""
    evidence: str = ""
    kind: str = ""
    language: str = ""
    span: tuple[int, int] | None = None

    @property
    def rejected(self) -> bool:
        """True when the gate found the answer wanting."""
        return self.outcome is Outcome.REJECT
