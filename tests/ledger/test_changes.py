import asyncio

from suffice.ledger import changes
from suffice.ledger.records import AttemptIntent, AttemptResult, OutcomeRecord
from suffice.values.money import NanoUsd


async def spend(ledger, request, cost, task="edit", price="known"):
    intent = AttemptIntent(model="m", task=task, price_kind=price)
    held = await ledger.admit(request, 1, "k", (), NanoUsd(10**9), intent)
    ledger.settle(held, AttemptResult(charge_nano=NanoUsd(cost), price_kind=price))


def say(ledger, request, kind, accepted, weight=1.0, **more):
    at_ms = more.pop("at_ms", 1_800_000_000_000)
    ledger.outcome(OutcomeRecord(request_id=request, at_ms=at_ms, kind=kind, accepted=accepted, weight=weight, **more))


async def build(database, ledger):
    while ledger.waiting:
        await asyncio.wrap_future(database.call(lambda session: None))
    with database.reader() as session:
        return changes.build(session, 0.0)


async def test_spend_over_changes_linked_and_all_in(book):
    async with book() as (database, ledger):
        for request, cost in (("a", 300), ("b", 100), ("c", 600), ("d", 1000)):
            await spend(ledger, request, cost, task="generate" if request == "d" else "edit")
        for request in ("a", "b"):
            say(ledger, request, "committed", True, 0.3, commit="1" * 40)
        say(ledger, "c", "committed", True, 0.3, commit="2" * 40)
        say(ledger, "c", "tests_failed", False, 1.0)
        say(ledger, "gone", "merged", True)
        made = await build(database, ledger)
        commit, merged, tests = made.kinds
        assert (commit.count, commit.linked_each(), made.all_in(commit)) == (2, 500, 1000)
        assert (merged.count, merged.linked_each(), made.all_in(merged)) == (0, None, None) and tests.count == 0
        edit = next(t for t in made.tasks if t.name == "edit")
        assert (edit.accepted, edit.rejected, edit.unknown, edit.each()) == (2, 1, 0, 500)
        generate = next(t for t in made.tasks if t.name == "generate")
        assert (generate.unknown, generate.each()) == (1, None)
        total = made.total
        assert total.accepted + total.rejected + total.unknown == total.requests == 4
        assert total.charged == sum(t.charged for t in made.tasks) == 2000


async def test_an_unknown_price_makes_the_quotient_unknown(book):
    async with book() as (database, ledger):
        await spend(ledger, "a", 300)
        await spend(ledger, "b", 0, price="unknown")
        say(ledger, "a", "tests_passed", True, commit="1" * 40)
        made = await build(database, ledger)
        tests = made.kinds[2]
        assert tests.linked_each() == 300 and made.all_in(tests) is None and made.total.each() is None
        assert made.total.unpriced == 1


def test_the_most_reliable_outcome_decides_and_of_equals_the_latest():
    def one(accepted, weight, at_ms):
        return OutcomeRecord(request_id="r", at_ms=at_ms, kind="x", accepted=accepted, weight=weight)

    assert changes.verdict([one(True, 0.5, 9), one(False, 0.9, 1)]) is False
    assert changes.verdict([one(True, 0.9, 2), one(False, 0.9, 1)]) is True
    assert changes.verdict([one(None, 0.0, 2)]) is None and changes.verdict([]) is None


async def test_what_was_reverted_since_is_no_accepted_change(book):
    one, two = "1" * 40, "2" * 40
    async with book() as (database, ledger):
        for request, cost in (("a", 300), ("b", 100), ("c", 600), ("d", 1000)):
            await spend(ledger, request, cost)
        for request, commit in (("a", one), ("b", two), ("c", one)):
            say(ledger, request, "committed", True, 0.3, commit=commit)
        say(ledger, "a", "tests_passed", True, commit=one)
        say(ledger, "d", "merged", True, source="ci", detail="pull request 7")
        made = await build(database, ledger)
        assert [(k.count, k.reverted) for k in made.kinds] == [(2, 0), (1, 0), (1, 0)]
        for request in ("a", "c"):
            say(ledger, request, "reverted", False, 0.9, commit=one)
        say(ledger, "d", "reverted", False, 0.9)
        commit, merged, tests = (await build(database, ledger)).kinds
        assert (commit.count, commit.reverted, commit.linked_each(), commit.requests) == (1, 1, 100, {"b"})
        assert (merged.count, merged.reverted, merged.linked_each()) == (0, 1, None)
        assert (tests.count, tests.reverted) == (1, 0)  # they did pass


async def test_a_change_that_comes_after_a_revert_counts(book):
    async with book() as (database, ledger):
        await spend(ledger, "a", 300)
        say(ledger, "a", "committed", True, 0.3, commit="1" * 40, source="first")
        say(ledger, "a", "reverted", False, 0.9, commit="1" * 40, at_ms=1_800_000_001_000)
        say(ledger, "a", "committed", True, 0.3, commit="2" * 40, source="again", at_ms=1_800_000_002_000)
        say(ledger, "a", "reverted", False, 0.9, source="other", at_ms=1_800_000_001_500)
        commit = (await build(database, ledger)).kinds[0]
        assert (commit.count, commit.reverted, commit.linked_each()) == (1, 1, 300)
