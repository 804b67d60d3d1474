"""The ledger: reserve before sending, settle once, lose nothing.

The event loop's side: checks and bookkeeping in memory, one append to the journal, a queue to the writer thread. Must not
wait for a disk, except where a caller awaits (`admit` for a new slice, `durable` under strict durability).
Invariants: a reservation is in the kernel before its request is sent, a settlement before the last byte to the client;
each attempt is settled or released once; for every hard budget spent + reserved <= limit.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from suffice.errors import BudgetError, LedgerError, NotFoundError, StorageError
from suffice.ledger import posting, recovery
from suffice.ledger.budgets import Budget, LeaseWantedError, Slot
from suffice.ledger.journal import Journal
from suffice.ledger.leasing import Leases
from suffice.ledger.records import (
    AttemptIntent,
    AttemptResult,
    ChargeClass,
    Closed,
    Decided,
    DecisionRecord,
    Entry,
    Noted,
    Observed,
    Opened,
    OutcomeRecord,
    RowKind,
)
from suffice.ledger.redact import RedactionError, Redactor, outside_text
from suffice.ledger.spool import Spool
from suffice.storage import tables
from suffice.storage.database import Database, no_crash
from suffice.values.env import Env
from suffice.values.money import NanoUsd

MAX_NANO = 2**62
SPOOL_ENTRIES = 50_000
LEASE_TRIES = 200
Durability = Literal["standard", "strict"]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode


@dataclass(slots=True, eq=False)
class Reservation:
    """Money set aside for one attempt. Give it back to `Ledger.settle` or `Ledger.release`, once."""

    opened: Opened
    slots: tuple[Slot, ...]
    closed: bool = False

    @property
    def amount(self) -> NanoUsd:
        """What is set aside, in nano-dollars."""
        return NanoUsd(self.opened.amount_nano)


class Ledger:
    """One process's ledger. Everything but `start`, `stop` and the awaitables is synchronous and takes microseconds."""

    def __init__(
        self,
        env: Env,
        database: Database,
        journal_path: Path,
        *,
        durability: Durability = "standard",
        redactor: Redactor | None = None,
        workers: int = 1,
        spool_entries: int = SPOOL_ENTRIES,
        segment_bytes: int | None = None,
        crash: Callable[[str], None] = no_crash,
    ) -> None:
        """`workers` is how many ledgers share the store: their slices of a budget are smaller the more there are."""
        self._env = env
        self._database = database
        self._root = journal_path
        self._strict = durability == "strict"
        self._redactor = redactor or Redactor()
        # Alone, a quarter of what is left per slice; with others a hundredth in all, so that 97 % of a budget stays usable.
        self._divisor = 4 if workers == 1 else 100 * workers
        self._spool_entries = spool_entries
        self._sizes = {} if segment_bytes is None else {"segment_bytes": segment_bytes}
        self._crash = crash
        self._open: dict[tuple[str, int], Reservation] = {}
        self.boot = ""
        self.recovered = recovery.Recovery()
        # What went wrong without stopping anybody: unjournaled, redaction, repeats, overage, lost_journal.
        self.alarms: Counter[str] = Counter()

    # --- life ---

    async def start(self) -> None:
        """Recover what earlier boots left, then open for business. Raises StorageError or LedgerError."""
        self._loop = asyncio.get_running_loop()
        now_ms = int(self._env.now() * 1000)
        self.recovered = await asyncio.to_thread(recovery.recover, self._database, self._root, now_ms, self._crash)
        self.alarms["lost_journal"] += len(self.recovered.lost)
        self.boot = self._env.new_id()
        self._journal = Journal(self._root, self.boot, crash=self._crash, **self._sizes)
        self._spool = Spool(self._journal)
        self._database.attach(self._spool)
        self._leases = Leases(self._env, self._database, self._loop, self.boot, self._divisor, self._crash)
        await self._leases.start()

    async def stop(self) -> None:
        """Commit everything, give leases back, remove the journal. What is still open is charged at the next start."""
        self._leases.stop()
        done = False
        try:
            while len(self._spool):
                await asyncio.wrap_future(self._database.call(lambda session: None))
            if not self._open:
                await asyncio.wrap_future(self._database.call(lambda session: tables.end_boot(session, self.boot)))
                done = True
        except StorageError:
            self.alarms["stop_unclean"] += 1
        finally:
            await asyncio.to_thread(self._detach)
            self._journal.close(remove=done)
            self.boot = ""

    def _detach(self) -> None:
        try:
            self._database.detach(self._spool)
        except StorageError:
            self.alarms["stop_unclean"] += 1

    # --- money ---

    def reserve(
        self,
        request_id: str,
        attempt: int,
        key_id: str,
        budgets: tuple[str, ...],
        amount: NanoUsd,
        intent: AttemptIntent,
    ) -> Reservation:
        """Set `amount` aside in all `budgets` and journal it; the request may be sent when this returns.

        Under strict durability await `durable` first; `admit` does so, and fetches a new slice where this raises
        LeaseWantedError (503, nothing reserved). Raises BudgetError (402) and LedgerError (503). Without budgets a
        failing journal does not stop the request while the spool in memory has room.
        """
        if not self.boot:
            raise LedgerError("the ledger is not started")
        ident = (request_id, attempt)
        if not 0 <= amount < MAX_NANO or ident in self._open:
            raise LedgerError(
                f"attempt {attempt} of {request_id} is open already, or {amount} is no amount", status=500
            )
        if budgets and intent.price_kind == "unknown":
            raise BudgetError(
                f"the price of {intent.model} is not known, so it may not be charged to a budget",
                code="price_unknown",
                hint=f"set its price under [models.{intent.model!r}]",
            )
        if len(self._spool) >= self._spool_entries:
            raise LedgerError("the store does not keep up and the spool is full", retry_after_s=1.0)
        now = self._env.now()
        slots: tuple[Slot, ...] = ()
        if budgets:
            slots = self._leases.purse.hold(budgets if len(budgets) == 1 else dict.fromkeys(budgets), amount, now)
        holds = tuple([(slot.budget.id, slot.start_s, slot.budget.hard) for slot in slots])
        opened = Opened(request_id, attempt, int(now * 1000), amount, holds, key_id, intent)
        self._crash("reserve.before_append")
        try:
            opened = self._append(opened, must=bool(budgets))
        except LedgerError:
            self._leases.purse.end(slots, amount, 0)
            raise
        self._crash("reserve.after_append")
        self._spool.put(opened, None)
        self._database.nudge()
        for slot in slots:
            if slot.budget.hard and slot.available < 4 * amount and not (slot.asking or slot.dry):
                self._leases.ask(slot, amount)
        reservation = self._open[ident] = Reservation(opened, slots)
        return reservation

    async def admit(
        self,
        request_id: str,
        attempt: int,
        key_id: str,
        budgets: tuple[str, ...],
        amount: NanoUsd,
        intent: AttemptIntent,
    ) -> Reservation:
        """`reserve`, with a new slice fetched from the store when needed, and synced under strict durability.

        Does not suspend when the slice at hand suffices. Raises BudgetError (402), LedgerError (503).
        """
        for _ in range(LEASE_TRIES):
            try:
                reservation = self.reserve(request_id, attempt, key_id, budgets, amount, intent)
                break
            except LeaseWantedError as wanted:
                slot = wanted.slot
                reply = await self._leases.ask(slot, wanted.need)
                # A top-up under way may have taken a part of what was asked for: ask again for the rest of it.
                room = reply.limit_nano - reply.spent_nano - reply.leased_nano
                if not reply.granted_nano and slot.available + room < amount:
                    raise slot.refusal(amount) from None
        else:
            raise LedgerError("too many callers want the rest of a budget at once", retry_after_s=0.1)
        if self._strict and budgets:
            try:
                await self.durable(reservation)
            except BaseException:
                self.release(reservation, AttemptResult(charge_class=ChargeClass.NONE, outcome="cancelled"))
                raise
        return reservation

    async def durable(self, reservation: Reservation) -> None:
        """Return once everything journaled so far is on disk. Raises LedgerError when the disk refuses."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._spool.barrier(lambda problem: self._leases.later(_resolve, waiter, problem))
        self._database.wake()
        await waiter

    def settle(self, reservation: Reservation, result: AttemptResult) -> bool:
        """Charge what the attempt cost. A repeat changes nothing and returns False. Never raises for a full disk."""
        amount = reservation.opened.amount_nano
        if not 0 <= result.charge_nano < MAX_NANO:
            result = msgspec.structs.replace(
                result,
                charge_nano=amount,
                charge_class=ChargeClass.UNKNOWN,
                message=f"an impossible charge of {result.charge_nano} was replaced by the reservation",
            )
        if result.charge_nano > amount:
            self.alarms["overage"] += 1
        return self._end(reservation, RowKind.SETTLED, result)

    def release(self, reservation: Reservation, result: AttemptResult) -> bool:
        """Give the money back: only when the provider cannot have worked. A repeat changes nothing, returns False."""
        free = msgspec.structs.replace(result, charge_nano=NanoUsd(0), charge_class=ChargeClass.NONE)
        return self._end(reservation, RowKind.RELEASED, free)

    def checkpoint(self, reservation: Reservation, charge: NanoUsd) -> None:
        """Say what a running attempt is charged if the process dies before the next checkpoint.

        Give an upper bound of its cost until then (observed tokens plus what may come in 5 seconds or $0.05).
        """
        if reservation.closed:
            return
        entry = Noted(reservation.opened.request_id, reservation.opened.attempt, charge)
        try:
            self._append(entry, must=True)
        except LedgerError:
            self.alarms["unjournaled"] += 1
            return  # the whole reservation stays the bound
        self._spool.put(entry, None)
        self._database.nudge()

    async def adjust(self, request_id: str, attempt: int, actual: NanoUsd, reason: str) -> NanoUsd:
        """Correct what an ended attempt cost by an appended row; returns the difference. Durable when it returns.

        Raises NotFoundError when the attempt has no row yet, ValueError for a negative amount.
        """
        if not 0 <= actual < MAX_NANO:
            raise ValueError(f"{actual} is no charge")
        safe = msgspec.json.decode(self._redactor.mask(_encode(reason)), type=str)
        now_ms = int(self._env.now() * 1000)
        future = self._database.call(lambda s: posting.adjust(s, request_id, attempt, actual, safe, now_ms))
        found = await asyncio.wrap_future(future)
        if found is None:
            raise NotFoundError(f"attempt {attempt} of {request_id} has no ledger row")
        delta, holds = found
        self._leases.purse.moved(holds, delta)
        return NanoUsd(delta)

    def pressure(self, budgets: tuple[str, ...]) -> float:
        """Return how near the tightest budget is: 0 below its soft threshold, 1 at its limit."""
        return self._leases.purse.pressure(budgets, self._env.now())

    def remaining(self, budgets: tuple[str, ...]) -> int | None:
        """Return what the tightest hard budget still pays for, in nano-dollars; None without a hard one."""
        return self._leases.purse.remaining(budgets, self._env.now())

    @property
    def waiting(self) -> int:
        """How many entries are not in the database yet."""
        return len(self._spool) if self.boot else 0

    # --- the record ---

    def decide(self, record: DecisionRecord) -> None:
        """Keep why a request goes where it goes. Never stops the request."""
        self._note(Decided(record))

    def outcome(self, record: OutcomeRecord) -> None:
        """Keep evidence that came after the answer. Never raises for a full disk."""
        self._note(Observed(record))

    def _note(self, entry: Decided | Observed) -> None:
        if not self.boot or len(self._spool) >= self._spool_entries:
            self.alarms["record_dropped"] += 1
            return
        try:
            entry = self._append(entry, must=False)
        except RedactionError:
            self.alarms["redaction"] += 1
            return
        except LedgerError:
            self.alarms["record_dropped"] += 1
            return
        self._spool.put(entry, None)
        self._database.nudge()

    def _end(self, reservation: Reservation, kind: RowKind, result: AttemptResult) -> bool:
        if reservation.closed:
            return False
        reservation.closed = True
        opened = reservation.opened
        self._open.pop((opened.request_id, opened.attempt), None)
        self._leases.purse.end(reservation.slots, opened.amount_nano, result.charge_nano)
        entry = Closed(opened.request_id, opened.attempt, int(self._env.now() * 1000), kind, result)
        self._crash("settle.before_append")
        try:
            entry = self._append(entry, must=False, closing=True)
        except RedactionError:
            # The money is booked without any of the text that could not be checked.
            self.alarms["redaction"] += 1
            entry = Closed(opened.request_id, opened.attempt, entry.at_ms, kind, _bare(result))
            self._append(entry, must=False, closing=True, checked=True)
        self._crash("settle.after_append")
        self._spool.put(entry, opened)
        self._database.nudge()
        return True

    def _append(self, entry: Any, *, must: bool, closing: bool = False, checked: bool = False) -> Any:
        """Journal an entry and return it as stored. Without `must` a journal that refuses is only an alarm."""
        try:
            raw = _encode(entry)
        except Exception as error:  # text that is no Unicode: what cannot be encoded cannot be checked either
            raise RedactionError("a record cannot be encoded; nothing of it is stored") from error
        payload = raw if checked or not self._redactor.suspects(outside_text(entry)) else self._redactor.mask(raw)
        if payload is not raw:
            entry = _decode(payload)
        try:
            self._journal.append(payload, closing=closing)
        except LedgerError:
            if must:
                raise
            self.alarms["unjournaled"] += 1
        return entry

    def budgets(self) -> tuple[Budget, ...]:
        """Return the budgets in force."""
        return self._leases.purse.budgets()

    async def define_budgets(self, budgets: Iterable[Budget], *, replace: bool = False) -> None:
        """Store budgets and use them at once; with `replace` others are removed. Raises StorageError, ValueError."""
        await self._leases.define(budgets, replace=replace)


def _resolve(waiter: asyncio.Future[None], problem: LedgerError | None) -> None:
    if waiter.done():
        return
    if problem is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(problem)


def _bare(result: AttemptResult) -> AttemptResult:
    return AttemptResult(
        charge_nano=result.charge_nano,
        charge_class=result.charge_class,
        usage=result.usage,
        reference_nano=result.reference_nano,
        http_status=result.http_status,
        fault_row=result.fault_row,
        message="details could not be checked for secrets and are left out",
    )
