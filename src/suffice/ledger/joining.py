"""Finds the requests that an outcome speaks of: by id, by session, by commit, by time; always within one tenant.

Must not change anything. Invariant: a request of another tenant is not found, in the same way as one that does not exist.
Looking by session or time reads the last `WINDOW_S` and at most `SCANNED` decisions, newest first.
"""

from __future__ import annotations

import msgspec

from suffice.ledger.records import Detail, OutcomeRecord
from suffice.storage import tables
from suffice.storage.tables import Session
from suffice.values.verdict import Outcome

WINDOW_S = 7 * 86_400.0
SCANNED = 20_000
MOST = 200
"""One outcome speaks of at most so many requests, the newest."""
LOCAL = "local"


class Known(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The part of a stored decision that joining needs."""

    request_id: str
    at_ms: int
    key_id: str = ""
    owner: str = ""
    team: str = ""
    session: str = ""
    task: str = ""
    language: str = ""
    signals: tuple[str, ...] = ()
    given: int = 0
    gate: str = ""

    @property
    def tenant(self) -> str:
        """Whose request it is: its team, else its key, else the machine's own."""
        return self.team or self.key_id or LOCAL


class Served(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request, what served it (the attempt whose answer was given, else the last with one; 0 and "" for none), and its outcomes.

    `judged` are the attempts whose answers a named check judged: number, model, and whether it accepted.
    """

    known: Known
    attempt: int
    model: str
    outcomes: tuple[OutcomeRecord, ...]
    judged: tuple[tuple[int, str, bool], ...] = ()


_known = msgspec.json.Decoder(Known)
_outcome = msgspec.json.Decoder(OutcomeRecord)
_detail = msgspec.json.Decoder(Detail)


def by_id(session: Session, tenant: str, request_id: str) -> tuple[Known, ...]:
    """Return the request, or nothing."""
    rows = session.run("story_decision", request_id)
    found = tuple(_known.decode(row[0]) for row in rows)
    return tuple(known for known in found if known.tenant == tenant)


def last(session: Session, tenant: str, now_s: float) -> tuple[Known, ...]:
    """Return the newest request of a tenant, or nothing."""
    return next(((known,) for known in _recent(session, tenant, 0.0, now_s)), ())


def by_session(
    session: Session, tenant: str, keys: frozenset[str], now_s: float, window_s: float = WINDOW_S
) -> tuple[Known, ...]:
    """Return the requests of the last `window_s` whose session is one of `keys`, newest first."""
    found = (known for known in _recent(session, tenant, now_s - window_s, now_s) if known.session in keys)
    return tuple(found)[:MOST]


def by_time(session: Session, tenant: str, key_id: str, since_s: float, until_s: float) -> tuple[Known, ...]:
    """Return the requests of one key in (since, until] that no commit claims yet, newest first."""
    found = (known for known in _recent(session, tenant, since_s, until_s) if known.key_id == key_id)
    free = (known for known in found if not any(o.commit for o in outcomes(session, known.request_id)))
    return tuple(free)[:MOST]


def by_commit(session: Session, tenant: str, commit: str) -> tuple[Known, ...]:
    """Return the requests that were linked to `commit`."""
    rows = session.run("requests_of_commit", commit, MOST)
    return tuple(known for row in rows for known in by_id(session, tenant, row[0]))


def served(session: Session, known: Known) -> Served:
    """Return what served a request and what was reported of it so far."""
    rows = tables.ledger_rows(session, "story_rows", known.request_id)
    answered = [row for row in rows if row.kind == "S" and row.outcome in ("ok", "rejected")]
    chosen = [row for row in answered if row.attempt == known.given] or answered
    attempt, model = (chosen[-1].attempt, chosen[-1].model) if chosen else (0, "")
    judged = tuple(
        (row.attempt, row.model, verdict.outcome is Outcome.ACCEPT)
        for row in answered
        for verdict in _detail.decode(row.detail).result.verdicts
        if verdict.gate.startswith("check:") and verdict.outcome is not Outcome.UNKNOWN
    )
    return Served(
        known=known, attempt=attempt, model=model, outcomes=outcomes(session, known.request_id), judged=judged
    )


def outcomes(session: Session, request_id: str) -> tuple[OutcomeRecord, ...]:
    """Return what was reported of a request, oldest first."""
    return tuple(_outcome.decode(row[0]) for row in session.run("story_outcomes", request_id))


def _recent(session: Session, tenant: str, since_s: float, until_s: float) -> tuple[Known, ...]:
    rows = session.run("recent_decisions", int(since_s * 1000), int(until_s * 1000), SCANNED)
    found = (_known.decode(row[0]) for row in rows)
    return tuple(known for known in found if known.tenant == tenant)
