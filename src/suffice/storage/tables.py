"""Typed rows, and the session through which rooms above reach the store.

`Session` is what another database (PostgreSQL) has to offer: named statements with bound values inside a transaction.
Must not know what a row means to the ledger. Invariant: column order here is the order in the `.sql` files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

Value = int | str | bytes | float | None


class Session(Protocol):
    """Named statements on one connection; a writer's session is always inside a transaction."""

    def run(self, name: str, *values: Value) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows. Raises StorageError when the database refuses."""
        ...

    def many(self, name: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once per row."""
        ...

    def changes(self) -> int:
        """Rows changed by the last statement."""
        ...

    def savepoint(self) -> AbstractContextManager[Any]:
        """A nested unit: undone when its block raises."""
        ...


class KeyRow(NamedTuple):
    """A virtual key as stored: digests, never the secret. Times in epoch seconds, 0 for never."""

    id: str
    digest: bytes
    previous_digest: bytes
    previous_until_s: int
    created_s: int
    expires_s: int
    revoked_s: int
    fields: str


class BudgetRow(NamedTuple):
    """A budget's definition; `soft_ppm` is the soft threshold in millionths of the limit."""

    id: str
    period: str
    limit_nano: int
    soft_ppm: int
    hard: int


class LeaseReply(NamedTuple):
    """What a lease request got, and the state of the window after it."""

    granted_nano: int
    limit_nano: int
    spent_nano: int
    leased_nano: int


class ReservationRow(NamedTuple):
    """An open reservation; `checkpoint_nano` is -1 without a checkpoint, `holds` and `intent` are JSON."""

    request_id: str
    attempt: int
    boot: str
    at_ms: int
    amount_nano: int
    checkpoint_nano: int
    holds: str
    intent: str


class LedgerRow(NamedTuple):
    """One row of the append-only ledger. `reference_nano` is -1 when no reference price was known."""

    seq: int
    request_id: str
    attempt: int
    kind: str
    at_ms: int
    charge_nano: int
    reserved_nano: int
    reference_nano: int
    holds: str
    key_id: str
    owner: str
    team: str
    task: str
    model: str
    endpoint: str
    outcome: str
    charge_class: str
    price_kind: str
    price_version: str
    detail: str


def generation(session: Session) -> int:
    """Return the counter that every change of keys or budgets raises."""
    return int(session.run("generation")[0][0])


def budgets(session: Session) -> list[BudgetRow]:
    """Return every budget."""
    return [BudgetRow._make(row) for row in session.run("budgets")]


def put_budget(session: Session, row: BudgetRow) -> None:
    """Insert or change a budget; running gateways see it within a second."""
    session.run("put_budget", *row)
    session.run("bump_generation")


def delete_budget(session: Session, budget_id: str) -> None:
    """Remove a budget's definition; its windows stay for the audit."""
    session.run("delete_budget", budget_id)
    session.run("bump_generation")


def keys(session: Session) -> list[KeyRow]:
    """Return every key, oldest first."""
    return [KeyRow._make(row) for row in session.run("keys")]


def put_key(session: Session, row: KeyRow, *, new: bool) -> None:
    """Insert or change a key; running gateways see it within a second."""
    session.run("add_key" if new else "update_key", *row)
    session.run("bump_generation")


def take_lease(session: Session, boot: str, budget_id: str, start_s: int, need_nano: int, divisor: int) -> LeaseReply:
    """Lease at least `need_nano` of a window, at most `1 / divisor` of what is left, or nothing.

    The slice shrinks as the limit comes nearer, so that the money idle in other processes' leases does too.
    """
    session.run("open_window", budget_id, start_s)
    state = session.run("lease_room", budget_id, start_s)
    if not state:
        return LeaseReply(0, 0, 0, 0)
    limit, spent, leased = state[0]
    room = limit - spent - leased
    grant = max(need_nano, room // divisor)
    if grant <= 0 or grant > room:
        return LeaseReply(0, limit, spent, leased)
    session.run("take_lease", grant, budget_id, start_s)
    if session.changes() != 1:
        return LeaseReply(0, limit, spent, leased)
    session.run("add_lease", boot, budget_id, start_s, grant)
    return LeaseReply(grant, limit, spent, leased + grant)


def give_back(session: Session, boot: str, budget_id: str, start_s: int, nano: int) -> None:
    """Return `nano` of a lease to its window; an empty lease row is removed."""
    session.run("charge_lease", nano, boot, budget_id, start_s)
    session.run("return_lease", nano, budget_id, start_s)
    session.run("drop_lease", boot, budget_id, start_s)


def end_boot(session: Session, boot: str) -> None:
    """Return everything that `boot` still leases. Its reservations must be closed before."""
    for budget_id, start_s, left in session.run("leases_of", boot):
        session.run("return_lease", left, budget_id, start_s)
    session.run("drop_leases", boot)


def reservations_of(session: Session, boot: str) -> list[ReservationRow]:
    """Return the open reservations of a boot, oldest first."""
    return [ReservationRow._make(row) for row in session.run("reservations_of", boot)]


def ledger_rows(session: Session, statement: str, *values: Value) -> list[LedgerRow]:
    """Return the rows of a statement that selects whole ledger rows."""
    return [LedgerRow._make(row) for row in session.run(statement, *values)]
