"""One reading of one answer, shared by all gates: its pieces of code, how each parses, and which of them the answer stands on.

Everything is worked out when first asked for and once. A reading belongs to one thread and one answer; it never raises on what
it reads, only on what a caller passes wrongly typed.
"""

from __future__ import annotations

from functools import cached_property

from suffice.values.task import TaskType
from suffice.values.verdict import Outcome, Verdict
from suffice.verify.apply import Applied, apply
from suffice.verify.extract import Code, Form, Source, extract, normalise
from suffice.verify.python_code import Parse, Status
from suffice.verify.syntax import parse_piece
from suffice.verify.view import AnswerView, AskView

MAX_EVIDENCE = 2000
_TALK = frozenset({TaskType.EXPLAIN, TaskType.REVIEW, TaskType.PLAN})


class Reading:
    """An answer, its ask, and what was found in it."""

    def __init__(self, answer: AnswerView, ask: AskView) -> None:
        self.answer = answer
        self.ask = ask

    @cached_property
    def text(self) -> str:
        """The text of the answer with its prefill and with `\\n` line ends; offsets of pieces refer to it."""
        return normalise(self.ask.prefill + self.answer.text)

    @cached_property
    def pieces(self) -> tuple[Code, ...]:
        """The pieces of code of the answer."""
        return extract(self.answer, self.ask)

    @cached_property
    def code(self) -> tuple[Code, ...]:
        """The pieces that are code to be read by a parser: not diffs, patches, output, or the new half of an edit."""
        return tuple(p for p in self.pieces if p.form is Form.CODE and p.replaces is None and p.text.strip())

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """Code of the ask that an answer may continue, the last first (at most 4)."""
        if not self.ask.text or len(self.ask.text) > 60_000:
            return ()
        found = [p.text for p in extract(AnswerView(text=self.ask.text), AskView(language=self.ask.language))]
        whole = normalise(self.ask.text)
        return tuple([*reversed(found), whole][:4])

    @cached_property
    def parses(self) -> tuple[Parse, ...]:
        """How each of `code` parses."""
        return tuple(parse_piece(piece, self.heads, self.ask.suffix) for piece in self.code)

    @cached_property
    def applied(self) -> Applied:
        """What the edits of the answer make of the files that the conversation contains."""
        return apply(self.pieces, self.ask.files, self.ask.partial)

    def binding(self, piece: Code) -> bool:
        """True when the answer stands on `piece`: a fault in it is a fault of the answer.

        An aside (a short excerpt next to a much longer piece, an illustration in an explanation) is not binding.
        """
        if not piece.certain:
            return False
        if piece.source is Source.TOOL or piece.path:
            return True
        if self.ask.task in _TALK:
            return False
        longest = max(len(other.text) for other in self.code) if self.code else 0
        return len(piece.text) * 4 >= longest or len(piece.text) > 600

    @cached_property
    def broken(self) -> tuple[tuple[Code, Parse], ...]:
        """The binding pieces that do not parse, with how they fail."""
        both = zip(self.code, self.parses, strict=True)
        return tuple((piece, parsed) for piece, parsed in both if parsed.status is Status.BAD and self.binding(piece))


def verdict(
    gate: str,
    outcome: Outcome,
    reason: str = "",
    *,
    kind: str = "",
    evidence: str = "",
    piece: Code | None = None,
    language: str = "",
) -> Verdict:
    """Return a verdict of `gate` about `piece`, its texts cut to their limits."""
    span = (piece.start, piece.end) if piece is not None and piece.start >= 0 else None
    return Verdict(
        gate=gate,
        outcome=outcome,
        reason=reason[:500],
        evidence=(evidence or (reason if outcome is Outcome.REJECT else ""))[:MAX_EVIDENCE],
        kind=kind,
        language=language or (piece.language if piece is not None else ""),
        span=span,
    )
