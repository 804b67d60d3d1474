from __future__ import annotations

import asyncio

import pytest

from suffice.errors import BudgetError, LedgerError
from suffice.ledger.budgets import Budget, LeaseWantedError, Period
from suffice.ledger.records import AttemptIntent, AttemptResult


async def test_memory_never_has_more_than_the_store_has_leased(book):
    async with book() as (database, ledger):
        await ledger.define_budgets([Budget(id="b", limit=1000)])
        with pytest.raises(LeaseWantedError):
            ledger.reserve("big", 0, "k", ("b",), 900, AttemptIntent())
        await ledger.admit("big", 0, "k", ("b",), 900, AttemptIntent())
        with database.reader() as session:
            assert session.run("windows")[0][3] >= 900


async def test_a_lowered_limit_takes_back_what_is_not_reserved(book):
    async with book() as (database, ledger):
        await ledger.define_budgets([Budget(id="b", limit=1000)])
        held = await ledger.admit("a", 0, "k", ("b",), 200, AttemptIntent())
        await ledger.define_budgets([Budget(id="b", limit=100)])
        with pytest.raises(BudgetError):
            await ledger.admit("b", 0, "k", ("b",), 1, AttemptIntent())
        ledger.settle(held, AttemptResult(charge_nano=50))
        await asyncio.wrap_future(database.call(lambda s: None))
        with database.reader() as session:
            assert session.run("windows")[0][2:] == (50, 150)


async def test_leases_of_windows_that_are_over_go_back(book, env):
    async with book() as (database, ledger):
        await ledger.define_budgets([Budget(id="b", limit=1000, period=Period.DAY)])
        held = await ledger.admit("a", 0, "k", ("b",), 100, AttemptIntent())
        env.at_s += 86400
        await ledger.admit("next", 0, "k", ("b",), 1000, AttemptIntent())
        ledger.settle(held, AttemptResult(charge_nano=60))
        async with asyncio.timeout(5):
            while True:
                with database.reader() as session:
                    first, second = sorted(session.run("windows"), key=lambda row: row[1])
                if first[2:] == (60, 0):
                    break
                await asyncio.sleep(0.02)
        assert second[2:] == (0, 1000)


async def test_a_store_that_fails_refuses_budgeted_requests(book, monkeypatch):
    async with book() as (_, ledger):
        await ledger.define_budgets([Budget(id="b", limit=1000)])
        monkeypatch.setattr("suffice.storage.tables.take_lease", lambda *a: 1 / 0)
        with pytest.raises(LedgerError, match="does not answer"):
            await ledger.admit("a", 0, "k", ("b",), 900, AttemptIntent())
