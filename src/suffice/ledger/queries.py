"""The read side: the story of a request, spend by anything, savings, the audit, and retention.

Must not change the ledger, `prune` apart. Invariant: amounts are sums of ledger rows; rows without a reference price are
counted apart, never taken for free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from suffice.ledger import posting
from suffice.ledger.records import DecisionRecord, Detail, Opened, OutcomeRecord
from suffice.storage import tables
from suffice.storage.tables import LedgerRow, ReservationRow, Session
from suffice.values.money import NanoUsd

By = Literal["model", "task", "key", "team", "owner", "day", "all"]
FOREVER_MS = 2**53
_decision = msgspec.json.Decoder(DecisionRecord)
_outcome = msgspec.json.Decoder(OutcomeRecord)
_detail = msgspec.json.Decoder(Detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """A ledger row with its detail decoded."""

    row: LedgerRow
    detail: Detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything that is known of one request: why, what it cost, what is still open, what came of it."""

    request_id: str
    decision: DecisionRecord | None
    attempts: tuple[AttemptRow, ...]
    open: tuple[Opened, ...]
    outcomes: tuple[OutcomeRecord, ...]

    @property
    def found(self) -> bool:
        """Whether anything is known."""
        return bool(self.decision or self.attempts or self.open or self.outcomes)

    @property
    def charged(self) -> NanoUsd:
        """The sum of its rows, adjustments included."""
        return NanoUsd(sum(attempt.row.charge_nano for attempt in self.attempts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """The spend of one group. `compared` is the part of `charged` whose rows have a reference cost.

    `unpriced` counts attempts with an unknown price, `estimated` those with an estimated one, `uncompared` those without
    a reference, `unknown` those whose process died.
    """

    name: str
    requests: int
    attempts: int
    charged: NanoUsd
    compared: NanoUsd
    reference: NanoUsd
    uncompared: int
    unpriced: int
    unknown: int
    estimated: int

    @property
    def saved(self) -> NanoUsd:
        """The same usage at the reference model less what was paid; negative when it cost more. An estimate."""
        return NanoUsd(self.reference - self.compared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An invariant that does not hold, and where."""

    invariant: str
    message: str


_AUDITS: tuple[tuple[str, str, str], ...] = (
    ("I2", "audit_duplicates", "attempt {1} of {0} has {2} rows that are not adjustments"),
    ("I2", "audit_open_and_closed", "attempt {1} of {0} is open and closed at once"),
    ("I3", "audit_spent", "budget {0}, window {1}: spent is {2} nano-dollars, the ledger adds up to {3}"),
    ("I4", "audit_leased", "budget {0}, window {1}: {2} nano-dollars leased, the leases add up to {3}"),
    ("I4", "audit_reserved", "budget {0}, window {1}: {2} nano-dollars reserved on leases of {3}"),
    ("I5", "audit_limits", "budget {0}, window {1}: spent and leased {2} nano-dollars, allowed {3}"),
    ("I6", "audit_signs", "attempt {1} of {0} has a charge below zero: {2}"),
)


def story(session: Session, request_id: str) -> Story:
    """Return everything known of a request; `found` is False when that is nothing. Raises StorageError."""
    decisions = session.run("story_decision", request_id)
    rows = tables.ledger_rows(session, "story_rows", request_id)
    return Story(
        request_id=request_id,
        decision=_decision.decode(decisions[0][0]) if decisions else None,
        attempts=_decoded(rows),
        open=tuple(posting.opened_of(ReservationRow._make(row)) for row in session.run("story_open", request_id)),
        outcomes=tuple(_outcome.decode(row[0]) for row in session.run("story_outcomes", request_id)),
    )


def recent(session: Session, n: int = 20) -> tuple[AttemptRow, ...]:
    """Return the last `n` rows, newest first."""
    return _decoded(tables.ledger_rows(session, "recent", n))


def recent_requests(session: Session, n: int = 10) -> tuple[str, ...]:
    """Return the ids of the last `n` requests, newest first."""
    return tuple(row[0] for row in session.run("recent_requests", n))


def decided(session: Session, since_s: float, most: int = 20_000) -> tuple[Story, ...]:
    """Return the stories of the requests decided since `since_s` (epoch seconds), newest first, at most `most`."""
    rows = session.run("decisions_since", int(since_s * 1000), most)
    return tuple(story(session, row[0]) for row in rows)


def spend(session: Session, since_s: float, by: By = "model", until_s: float | None = None) -> tuple[Spend, ...]:
    """Return what was spent from `since_s` (epoch seconds) on, grouped; the dearest first. Days are UTC."""
    until_ms = FOREVER_MS if until_s is None else int(until_s * 1000)
    found = session.run("spend", by, int(since_s * 1000), until_ms)
    return tuple(Spend(**dict(zip(Spend.__dataclass_fields__, row, strict=True))) for row in found)


def verify(session: Session) -> tuple[Finding, ...]:
    """Check what can be checked without the provider's bill; empty when all holds.

    I2 each attempt has one row, I3 ledger = spent, I4 leases add up and cover the reservations, I5 spent + leased never
    passed a hard limit by more than charges above their reservations, I6 no charge is below zero. I1 (nothing billed is
    missing) needs the provider: tests/ledger/test_book_kill.py shows it with a provider's own journal.
    """
    return tuple(
        Finding(invariant=invariant, message=text.format(*row))
        for invariant, statement, text in _AUDITS
        for row in session.run(statement)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many rows retention removed."""

    ledger: int
    decisions: int
    outcomes: int


def prune(session: Session, before_s: float, max_rows: int | None = None) -> Pruned:
    """Remove what is older than `before_s`, and the oldest rows past `max_rows`; sums stay provable.

    Run it on the writer: `database.call(lambda s: prune(s, ...))`.
    """
    cut_ms = int(before_s * 1000)
    if max_rows is not None:
        cut_ms = max(cut_ms, int(session.run("prune_cutoff", max_rows)[0][0]))
    session.run("prune_carry", cut_ms)
    removed = []
    for statement in ("prune_ledger", "prune_decisions", "prune_outcomes"):
        session.run(statement, cut_ms)
        removed.append(session.changes())
    return Pruned(ledger=removed[0], decisions=removed[1], outcomes=removed[2])


def _decoded(rows: Sequence[LedgerRow]) -> tuple[AttemptRow, ...]:
    return tuple(AttemptRow(row=row, detail=_detail.decode(row.detail)) for row in rows)
