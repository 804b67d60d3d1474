"""From journal entries to ledger rows: what the writer thread does in every group.

Must not decide anything about money: it books what was decided. Invariants: an attempt has one row that is not an
adjustment, however often its entries are posted; a charge moves every budget of its holds in the same transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import apsw
import msgspec

from suffice.ledger.records import (
    AttemptIntent,
    AttemptResult,
    ChargeClass,
    Closed,
    Decided,
    Detail,
    Entry,
    Hold,
    Noted,
    Observed,
    Opened,
    RowKind,
)
from suffice.storage import tables
from suffice.storage.tables import ReservationRow, Session, Value
from suffice.values.money import NanoUsd

MAX_DETAIL_BYTES = 16 << 10
MAX_DECISION_BYTES = 64 << 10
_encode = msgspec.json.Encoder().encode
_holds = msgspec.json.Decoder(tuple[Hold, ...])
Ident = tuple[str, int]


def opened_of(row: ReservationRow, key_id: str = "") -> Opened:
    """Return the entry from which a stored reservation came."""
    holds, intent = _holds.decode(row.holds), msgspec.json.decode(row.intent, type=tuple[str, AttemptIntent])
    return Opened(row.request_id, row.attempt, row.at_ms, row.amount_nano, holds, intent[0] or key_id, intent[1])


def row_of(opened: Opened, closed: Closed, reason: str = "") -> tuple[Value, ...]:
    """Return the ledger row of an ended attempt, in the order of `append_row`."""
    intent, result = opened.intent, closed.result
    detail = _encode(Detail(intent=intent, result=result, reason=reason))
    if len(detail) > MAX_DETAIL_BYTES:
        detail = _encode(Detail(intent=intent, reason="the detail was larger than 16 KiB and is left out"))
    return (
        opened.request_id, opened.attempt, closed.kind.value, closed.at_ms, result.charge_nano, opened.amount_nano,
        result.reference_nano, _encode(opened.holds).decode(), opened.key_id, intent.owner, intent.team, intent.task,
        intent.model, intent.endpoint, result.outcome, result.charge_class.value, result.price_kind,
        result.price_version or intent.price_version, detail.decode(),
    )  # fmt: skip


def post(session: Session, boot: str, batch: Sequence[tuple[Entry, Opened | None]]) -> int:
    """Book a batch of entries of `boot`; a Closed comes with its Opened. Returns how many were booked before already.

    The quick way trusts that nothing of the batch was booked before; when the database says otherwise, the careful way
    looks at each entry.
    """
    try:
        with session.savepoint():
            _post_quick(session, boot, batch)
        return 0
    except apsw.ConstraintError:
        return sum(not post_careful(session, boot, entry, opened) for entry, opened in batch)


def _post_quick(session: Session, boot: str, batch: Sequence[tuple[Entry, Opened | None]]) -> None:
    fresh: dict[Ident, tuple[Value, ...]] = {}
    rows, stored, notes, decisions = [], [], [], []
    charges: Counter[Hold] = Counter()
    over: Counter[Hold] = Counter()
    for entry, opened in batch:
        if isinstance(entry, Opened):
            fresh[entry.request_id, entry.attempt] = reservation_values(entry, boot)
        elif isinstance(entry, Closed):
            assert opened is not None
            ident = (entry.request_id, entry.attempt)
            if fresh.pop(ident, None) is None:
                stored.append(ident)
            rows.append(row_of(opened, entry))
            charge = entry.result.charge_nano
            for hold in opened.holds:
                charges[hold] += charge
                over[hold] += max(0, charge - opened.amount_nano)
        elif isinstance(entry, Noted):
            notes.append((entry.charge_nano, entry.request_id, entry.attempt))
        elif isinstance(entry, Decided):
            decisions.append(_decision_values(entry))
        else:
            _post_outcome(session, entry)
    session.many("put_decision", decisions)
    session.many("open_reservation", fresh.values())
    session.many("checkpoint", notes)
    session.many("close_reservation", stored)
    session.many("append_row", rows)
    for hold, nano in charges.items():
        charge_hold(session, boot, hold, nano, over[hold])


def post_careful(session: Session, boot: str, entry: Entry, opened: Opened | None) -> bool:
    """Book one entry unless it was booked before; returns whether it was booked now."""
    if isinstance(entry, Decided):
        session.run("put_decision", *_decision_values(entry))
        return True
    if isinstance(entry, Observed):
        _post_outcome(session, entry)
        return True
    ident = (entry.request_id, entry.attempt)
    if session.run("row_exists", *ident):
        return False
    found = session.run("reservation", *ident)
    if isinstance(entry, Noted):
        session.run("checkpoint", entry.charge_nano, *ident)
        return bool(found)
    if isinstance(entry, Opened):
        if not found:
            session.run("open_reservation", *reservation_values(entry, boot))
        return not found
    if opened is None:
        if not found:
            return False
        opened = opened_of(ReservationRow._make(found[0]))
    close(session, boot, opened, entry)
    return True


def close(session: Session, boot: str, opened: Opened, closed: Closed, reason: str = "") -> None:
    """Book the end of a reservation: its row, its charge in every budget, and the reservation is gone."""
    session.run("close_reservation", opened.request_id, opened.attempt)
    session.run("append_row", *row_of(opened, closed, reason))
    charge = closed.result.charge_nano
    for hold in opened.holds:
        charge_hold(session, boot, hold, charge, max(0, charge - opened.amount_nano))


def close_unknown(session: Session, row: ReservationRow, now_ms: int) -> None:
    """Charge a reservation whose process died: its last checkpoint, or all of it."""
    opened = opened_of(row)
    charge = row.amount_nano if row.checkpoint_nano < 0 else min(row.amount_nano, row.checkpoint_nano)
    result = AttemptResult(
        charge_nano=NanoUsd(charge),
        charge_class=ChargeClass.UNKNOWN,
        outcome="unknown",
        fault_row=38,
        price_kind=opened.intent.price_kind,
        message="the gateway died while this attempt was under way",
    )
    closed = Closed(row.request_id, row.attempt, now_ms, RowKind.UNKNOWN, result)
    close(session, row.boot, opened, closed, "whole reservation" if row.checkpoint_nano < 0 else "last checkpoint")


def charge_hold(session: Session, boot: str, hold: Hold, nano: int, over_nano: int) -> None:
    """Move a charge from a lease to spent, or book it on a budget that only watches."""
    budget_id, start_s, leased = hold
    if leased:
        session.run("charge_window", budget_id, start_s, nano, -nano, over_nano)
        # Not an update: a reservation of nothing has no lease, and what it cost after all must stand against this boot too.
        session.run("add_lease", boot, budget_id, start_s, -nano)
    elif nano:
        session.run("charge_window", budget_id, start_s, nano, 0, over_nano)


def adjust(
    session: Session, request_id: str, attempt: int, actual_nano: int, reason: str, now_ms: int
) -> tuple[int, tuple[Hold, ...]] | None:
    """Append the difference to what an attempt was charged so far; returns (difference, holds), None without a row."""
    rows = tables.ledger_rows(session, "rows_of_attempt", request_id, attempt)
    if not rows:
        return None
    first, holds = rows[0], _holds.decode(rows[0].holds)
    delta = actual_nano - sum(row.charge_nano for row in rows)
    if delta == 0:
        return 0, holds
    detail = _encode(Detail(reason=reason)).decode()
    session.run(
        "append_row", request_id, attempt, RowKind.ADJUSTMENT.value, now_ms, delta, first.reserved_nano, -1, first.holds,
        first.key_id, first.owner, first.team, first.task, first.model, first.endpoint, first.outcome,
        ChargeClass.EXACT.value, first.price_kind, first.price_version, detail,
    )  # fmt: skip
    for budget_id, start_s, _ in holds:
        session.run("charge_window", budget_id, start_s, delta, 0, max(0, delta))
    return delta, holds


def reservation_values(entry: Opened, boot: str) -> tuple[Value, ...]:
    """Return an open reservation as stored."""
    return (
        entry.request_id, entry.attempt, boot, entry.at_ms, entry.amount_nano, -1,
        _encode(entry.holds).decode(), _encode((entry.key_id, entry.intent)).decode(),
    )  # fmt: skip


def replay(session: Session, boot: str, entries: Iterable[Entry]) -> int:
    """Book what the journal of a dead boot holds; returns how many entries were new."""
    known: dict[Ident, Opened] = {}
    new = 0
    for entry in entries:
        opened = None
        if isinstance(entry, Opened):
            known[entry.request_id, entry.attempt] = entry
        elif isinstance(entry, Closed):
            opened = known.get((entry.request_id, entry.attempt))
        new += post_careful(session, boot, entry, opened)
    return new


def _post_outcome(session: Session, entry: Observed) -> None:
    record = entry.record
    text = _encode(record)
    if len(text) > MAX_DETAIL_BYTES:
        text = _encode(msgspec.structs.replace(record, detail="larger than 16 KiB and left out"))
    session.run("put_outcome", record.request_id, record.at_ms, text.decode())


def _decision_values(entry: Decided) -> tuple[Value, ...]:
    """Return a decision as stored."""
    record = entry.record
    text = _encode(record)
    if len(text) > MAX_DECISION_BYTES:
        text = _encode(
            msgspec.structs.replace(record, plan=None, note="the plan was larger than 64 KiB and is left out")
        )
    return record.request_id, record.at_ms, text.decode()
