"""Slices of budgets between the store and this process's memory.

Must not judge a reservation (`budgets.Purse` does). Invariants: money is granted to memory only after the store has
durably leased it, and given back to the store only after memory has let go of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from suffice.errors import LedgerError
from suffice.ledger.budgets import Budget, Purse, Slot
from suffice.storage import tables
from suffice.storage.database import Database
from suffice.storage.tables import LeaseReply, Session
from suffice.values.env import Env

Definitions = tuple[int, list[tables.BudgetRow], dict[tuple[str, int], int]]


class Leases:
    """The leases of one boot. The event loop owns it; the store answers through `later`."""

    def __init__(
        self,
        env: Env,
        database: Database,
        loop: asyncio.AbstractEventLoop,
        boot: str,
        divisor: int,
        crash: Callable[[str], None],
    ) -> None:
        self.purse = Purse()
        self._env = env
        self._database = database
        self._loop = loop
        self._boot = boot
        self._divisor = divisor
        self._crash = crash
        self._generation = -1
        self._unlisten: Callable[[], None] | None = None

    async def start(self) -> None:
        """Load the budgets and take a first slice of each. Raises StorageError."""
        await self._reload()
        self._unlisten = self._database.listen(self._on_tick)

    def stop(self) -> None:
        """Take no more ticks."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None

    async def define(self, budgets: Iterable[Budget], *, replace: bool) -> None:
        """Store budgets and use them at once; with `replace` others are removed. Raises StorageError, ValueError."""
        rows = [budget.row() for budget in budgets]

        def work(session: Session) -> None:
            if replace:
                for known in tables.budgets(session):
                    tables.delete_budget(session, known.id)
            for row in rows:
                tables.put_budget(session, row)

        await asyncio.wrap_future(self._database.call(work))
        await self._reload()

    async def _reload(self) -> None:
        self._defined(await asyncio.wrap_future(self._database.call(_definitions)))
        now = self._env.now()
        waits = [self.ask(self.purse.slot(budget.id, now), 0) for budget in self.purse.budgets() if budget.hard]
        if waits:
            await asyncio.gather(*waits)

    def _defined(self, found: Definitions) -> None:
        self._generation, rows, used = found
        for slot in self.purse.define([Budget.of(row) for row in rows]):
            self._give_back(slot)
        self.purse.known(used, self._env.now())

    def ask(self, slot: Slot, need: int) -> asyncio.Future[LeaseReply]:
        """Ask the store for more of a window. The grant is taken in also when the caller is gone."""
        slot.asking = True
        waiter: asyncio.Future[LeaseReply] = self._loop.create_future()
        boot, divisor, ident, start = self._boot, self._divisor, slot.budget.id, slot.start_s

        def work(session: Session) -> LeaseReply:
            self._crash("lease.before")
            return tables.take_lease(session, boot, ident, start, need, divisor)

        future = self._database.call(work)
        future.add_done_callback(lambda done: self.later(self._granted, slot, waiter, done))
        return waiter

    def _granted(self, slot: Slot, waiter: asyncio.Future[LeaseReply], done: Future[LeaseReply]) -> None:
        slot.asking = False
        problem = done.exception()
        if problem is None:
            slot.replied(done.result())
        if waiter.done():
            return
        if problem is None:
            waiter.set_result(done.result())
        else:
            waiter.set_exception(LedgerError(f"the budget store does not answer: {problem}"))
            waiter.exception()  # a top-up that nobody awaits is no error of its own

    def _give_back(self, slot: Slot) -> None:
        nano, boot, ident, start = slot.available, self._boot, slot.budget.id, slot.start_s
        if nano > 0:
            slot.granted -= nano
            self._database.call(lambda session: tables.give_back(session, boot, ident, start, nano))

    def _on_tick(self, generation: int) -> None:
        self.later(self._tick, generation)

    def _tick(self, generation: int) -> None:
        """About twice a second: new definitions, leases of windows that are over, another try where money ran out."""
        if self._unlisten is None:
            return
        if generation != self._generation:
            future = self._database.call(_definitions)
            future.add_done_callback(
                lambda done: None if done.exception() else self.later(self._defined, done.result())
            )
        for slot in self.purse.idle(self._env.now()):
            self._give_back(slot)
        self.purse.moisten()

    def later(self, work: Callable[..., None], *args: Any) -> None:
        """Run `work` on the event loop, from any thread."""
        try:
            self._loop.call_soon_threadsafe(work, *args)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more


def _definitions(session: Session) -> Definitions:
    used = {(row[0], row[1]): row[2] + row[3] for row in session.run("windows")}
    return tables.generation(session), tables.budgets(session), used
