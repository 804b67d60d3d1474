from __future__ import annotations

import asyncio
import resource

import pytest

from suffice.errors import BudgetError, LedgerError, NotFoundError
from suffice.ledger import queries
from suffice.ledger.budgets import Budget, Period
from suffice.ledger.records import AttemptIntent, AttemptResult, ChargeClass, DecisionRecord, OutcomeRecord
from suffice.values.money import nano

INTENT = AttemptIntent(model="openai/gpt", task="edit", owner="ann", team="core")
SECRET = "sk-proj-abcdefghijklmnopqrstuvwx"


async def test_a_request_is_reserved_settled_and_told(book):
    async with book() as (database, ledger):
        await ledger.define_budgets([Budget(id="b", limit=nano("1"))])
        ledger.decide(DecisionRecord(request_id="r", at_ms=1, task="edit", note="why"))
        held = await ledger.admit("r", 0, "k", ("b",), nano("0.5"), INTENT)
        assert ledger.pressure(("b",)) == 0
        assert ledger.settle(held, AttemptResult(charge_nano=nano("0.2"), reference_nano=nano("0.6")))
        assert not ledger.settle(held, AttemptResult(charge_nano=nano("0.3")))
        ledger.outcome(OutcomeRecord(request_id="r", at_ms=2, kind="tests", accepted=True))
    async with book() as (database, ledger):
        with database.reader() as session:
            story = queries.story(session, "r")
        assert story.charged == nano("0.2") and story.attempts[0].detail.intent == INTENT
        assert story.decision.note == "why" and story.outcomes[0].accepted is True
        assert ledger.recovered.boots == 0


async def test_a_refusal_tells_the_limit_what_is_spent_and_when_it_resets(book):
    async with book() as (_, ledger):
        await ledger.define_budgets([Budget(id="core", limit=nano("1"), period=Period.DAY)])
        ledger.settle(
            await ledger.admit("a", 0, "k", ("core",), nano("0.9"), INTENT), AttemptResult(charge_nano=nano("0.9"))
        )
        with pytest.raises(BudgetError, match=r"core .*limit \$1\.00 per day, .*left \$0\.10.*at 2027-01-16") as told:
            await ledger.admit("b", 0, "k", ("core",), nano("0.2"), INTENT)
        assert told.value.status == 402 and not told.value.retryable
        assert ledger.pressure(("core",)) == pytest.approx(0.5)
        await ledger.admit("c", 0, "k", ("core",), nano("0.1"), INTENT)
        assert ledger.pressure(("core",)) == 1


async def test_a_hundred_concurrent_callers_never_pass_the_limit_and_use_nearly_all(book):
    async with book() as (database, ledger):
        await ledger.define_budgets([Budget(id="b", limit=100_000), Budget(id="wide", limit=10**9)])
        bills = []

        async def caller(number: int) -> None:
            for turn in range(20):
                try:
                    held = await ledger.admit(f"{number}", turn, "k", ("b", "wide"), 100, INTENT)
                except BudgetError:
                    return
                await asyncio.sleep(0)
                bills.append(100)
                ledger.settle(held, AttemptResult(charge_nano=100))

        await asyncio.gather(*(caller(n) for n in range(100)))
        assert 97_000 <= sum(bills) <= 100_000
        with database.reader() as session:
            assert queries.verify(session) == ()


async def test_two_ledgers_share_a_budget(env, tmp_path, book):
    async with book(workers=2) as (database, one):
        from suffice.ledger.book import Ledger

        two = Ledger(env, database, tmp_path / "journal", workers=2)
        await two.start()
        assert two.recovered.boots == 0
        await one.define_budgets([Budget(id="b", limit=100_000)])
        await two.define_budgets([Budget(id="b", limit=100_000)])
        bills = 0
        for number in range(2000):
            try:
                held = await (one, two)[number % 2].admit(f"{number}", 0, "k", ("b",), 100, INTENT)
            except BudgetError:
                continue
            (one, two)[number % 2].settle(held, AttemptResult(charge_nano=100))
            bills += 100
        assert 97_000 <= bills <= 100_000
        await two.stop()


async def test_what_may_not_be_reserved(book):
    async with book() as (_, ledger):
        await ledger.define_budgets([Budget(id="b", limit=100)])
        with pytest.raises(LedgerError, match="nowhere is not defined"):
            ledger.reserve("r", 0, "k", ("nowhere",), 1, INTENT)
        with pytest.raises(BudgetError, match="not known"):
            ledger.reserve("r", 0, "k", ("b",), 1, AttemptIntent(model="m", price_kind="unknown"))
        await ledger.admit("r", 0, "k", ("b", "b"), 60, INTENT)
        with pytest.raises(LedgerError, match="open already"):
            ledger.reserve("r", 0, "k", (), 1, INTENT)
        with pytest.raises(LedgerError):
            ledger.reserve("n", 0, "k", (), -1, INTENT)


async def test_what_is_open_at_the_end_is_charged_at_the_next_start_and_can_be_corrected(book):
    async with book() as (_, ledger):
        await ledger.define_budgets([Budget(id="b", limit=1000)])
        await ledger.admit("whole", 0, "k", ("b",), 400, INTENT)
        noted = await ledger.admit("noted", 0, "k", ("b",), 400, INTENT)
        ledger.checkpoint(noted, 30)
    async with book() as (database, ledger):
        assert ledger.recovered.unknown == 2
        with database.reader() as session:
            rows = {a.row.request_id: a.row for a in queries.recent(session)}
        assert (rows["whole"].kind, rows["whole"].charge_nano, rows["noted"].charge_nano) == ("U", 400, 30)
        assert rows["whole"].charge_class == ChargeClass.UNKNOWN
        assert await ledger.adjust("whole", 0, 120, "late usage frame") == -280
        assert await ledger.adjust("whole", 0, 120, "again") == 0
        with pytest.raises(NotFoundError):
            await ledger.adjust("nobody", 0, 1, "")
        # The corrected money can be spent: 1000 - 120 - 30.
        await ledger.admit("rest", 0, "k", ("b",), 850, INTENT)
        with database.reader() as session:
            assert queries.story(session, "whole").charged == 120
            assert queries.verify(session) == ()


async def test_an_impossible_charge_becomes_the_reservation(book):
    async with book() as (database, ledger):
        ledger.settle(ledger.reserve("r", 0, "k", (), 50, INTENT), AttemptResult(charge_nano=-5))
        await asyncio.wrap_future(database.call(lambda s: None))
        with database.reader() as session:
            assert queries.recent(session)[0].row.charge_nano == 50


async def test_strict_durability_syncs_before_the_request_is_sent(book):
    async with book(durability="strict") as (_, ledger):
        await ledger.define_budgets([Budget(id="b", limit=1000)])
        synced = []
        before = ledger._journal.sync
        ledger._journal.sync = lambda: (synced.append(ledger._journal._at), before())
        held = await ledger.admit("r", 0, "k", ("b",), 10, INTENT)
        assert synced and synced[-1] == ledger._journal._at
        ledger.settle(held, AttemptResult())


async def test_secrets_do_not_reach_the_store(book, tmp_path):
    async with book() as (_, ledger):
        held = ledger.reserve("r", 0, "k", (), 1, AttemptIntent(model_requested=SECRET, model="m"))
        ledger.settle(held, AttemptResult(message=f"401 for Bearer {SECRET}"))
        ledger.decide(DecisionRecord(request_id="r", at_ms=0, note=SECRET))
        on_disk = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
        assert b"abcdefghijklmnop" not in on_disk
    on_disk = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"abcdefghijklmnop" not in on_disk and b"****" in on_disk


async def test_when_redaction_fails_only_money_is_stored(book, monkeypatch):
    async with book() as (database, ledger):
        held = ledger.reserve("r", 0, "k", (), 9, INTENT)
        monkeypatch.setattr("suffice.ledger.redact._MARKS", (None,))
        ledger.settle(held, AttemptResult(charge_nano=5, message="text"))
        ledger.decide(DecisionRecord(request_id="r", at_ms=0))
        with pytest.raises(LedgerError, match="secrets"):
            ledger.reserve("s", 0, "k", (), 9, AttemptIntent(model_requested="never seen", model="m"))
        monkeypatch.undo()
        await asyncio.wrap_future(database.call(lambda s: None))
        with database.reader() as session:
            story = queries.story(session, "r")
        assert story.charged == 5 and story.decision is None and "text" not in story.attempts[0].row.detail
        assert ledger.alarms["redaction"] == 2


async def test_a_full_disk_refuses_budgets_keeps_settlements_and_goes_on_by_itself(book):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with book(segment_bytes=32768) as (database, ledger):
        await ledger.define_budgets([Budget(id="b", limit=10**9)])
        held = [ledger.reserve(f"h{n}", 0, "k", ("b",), 10, INTENT) for n in range(8)]
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
        try:
            refused = 0
            for number in range(400):
                try:
                    held.append(ledger.reserve(f"n{number}", 0, "k", ("b",), 10, INTENT))
                except LedgerError as error:
                    assert error.status == 503
                    refused += 1
            assert refused > 100
            free = ledger.reserve("free", 0, "k", (), 10, INTENT)
            for reservation in (*held, free):
                assert ledger.settle(reservation, AttemptResult(charge_nano=7))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        ledger.settle(await ledger.admit("after", 0, "k", ("b",), 10, INTENT), AttemptResult(charge_nano=7))
    async with book() as (database, ledger):
        with database.reader() as session:
            rows = queries.recent(session, 999)
            assert len(rows) == len(held) + 2 and {a.row.charge_nano for a in rows} == {7}
            assert queries.verify(session) == ()


async def test_text_that_is_no_unicode_costs_nobody_money(book):
    async with book() as (database, ledger):
        await ledger.define_budgets([Budget(id="b", limit=100)])
        with pytest.raises(LedgerError, match="encoded"):
            await ledger.admit("x", 0, "k", ("b",), 100, AttemptIntent(model_requested="\ud800"))
        held = await ledger.admit("y", 0, "k", ("b",), 100, INTENT)
        assert ledger.settle(held, AttemptResult(charge_nano=40, message="\ud800"))
        await asyncio.wrap_future(database.call(lambda s: None))
        with database.reader() as session:
            assert [a.row.charge_nano for a in queries.recent(session)] == [40]


async def test_a_full_spool_refuses_everybody(book):
    async with book(spool_entries=0) as (_, ledger):
        with pytest.raises(LedgerError, match="spool"):
            ledger.reserve("r", 0, "k", (), 1, INTENT)


async def test_a_changed_budget_reaches_the_ledger_by_itself(book):
    async with book() as (database, ledger):
        from suffice.storage import tables

        row = Budget(id="late", limit=100).row()
        await asyncio.wrap_future(database.call(lambda s: tables.put_budget(s, row)))
        async with asyncio.timeout(5):
            while not ledger.budgets():
                await asyncio.sleep(0.01)
        ledger.release(await ledger.admit("r", 0, "k", ("late",), 100, INTENT), AttemptResult())
