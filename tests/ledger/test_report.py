import asyncio
from collections import Counter

from suffice.ledger import queries, report
from suffice.ledger.records import AttemptIntent, AttemptResult
from suffice.ledger.report import MIN_JUDGED, Group, Single, choose, fate
from suffice.values.money import Known, Rates, Unknown
from suffice.values.usage import Usage
from suffice.values.verdict import Outcome, Verdict

USED = Usage(input_tokens=60, cache_read_tokens=40, output_tokens=10)
GOOD, BAD = Verdict(gate="parses", outcome=Outcome.ACCEPT), Verdict(gate="parses", outcome=Outcome.REJECT)


def price(model, at_s, usage):
    if model == "x/secret":
        return Unknown(why="nobody knows")
    per = {"x/cheap": 1000, "x/dear": 10_000}[model]
    rates = Rates(input=per, output=per, cache_read=per, cache_write=per, cache_write_1h=per, cache_write_12h=per)
    return Known(rates=rates, source="t", version="1")


async def one(ledger, request, attempt, model, charge, **result):
    held = await ledger.admit(request, attempt, "k", (), 10**6, AttemptIntent(model=model, task="edit", team="t"))
    given = {"usage": USED, "reference_nano": 1100, **result}
    ledger.settle(held, AttemptResult(charge_nano=charge, **given))


async def built(database, since, by="model"):
    await asyncio.wrap_future(database.call(lambda s: None))
    with database.reader() as session:
        return report.build(session, since, by, price)


async def test_a_cascade_is_one_request_whose_reference_is_one_call(book, env):
    async with book() as (database, ledger):
        await one(ledger, "r1", 1, "x/cheap", 110, outcome="rejected", verdicts=(BAD,))
        await one(ledger, "r1", 2, "x/dear", 1100, verdicts=(GOOD,))
        await one(ledger, "r2", 1, "x/cheap", 110, verdicts=(GOOD,))
        made = await built(database, env.at_s - 1)
        assert (made.total.requests, made.total.attempts, made.total.charged) == (2, 3, 1320)
        # Two calls at the reference, not three: the rejected attempt would not have been made there.
        assert (made.total.reference, made.total.saved, made.total.compared) == (2200, 880, 2)
        dear, cheap = made.groups
        assert (dear.name, dear.requests, dear.saved) == ("x/dear", 1, 1100 - 1210)
        assert (cheap.requests, cheap.charged, cheap.fates["accepted"]) == (1, 220, 1)
        with database.reader() as session:
            told = [report.saving(queries.story(session, name)) for name in ("r1", "r2", "r9")]
        assert told == [1100 - 1210, 990, None]
        assert made.gates == {"parses": {"reject": 1, "accept": 2}} and made.total.cache_share == 0.4
        assert sum(g.charged for g in made.groups) == made.total.charged
        assert sum(g.saved for g in made.groups) == made.total.saved


async def test_what_has_no_price_is_in_no_comparison_and_what_failed_is_paid_for(book, env):
    async with book() as (database, ledger):
        await one(ledger, "r1", 1, "x/secret", 0, price_kind="unknown")
        await one(ledger, "r2", 1, "x/cheap", 110)
        await one(ledger, "r3", 1, "x/cheap", 55, outcome="failed", usage=Usage(), reference_nano=-1)
        made = await built(database, env.at_s - 1)
        total = made.total
        assert (total.unpriced, total.compared, total.paid, total.saved) == (1, 1, 165, 935)
        assert total.fates == {"unjudged": 2, "failed": 1} and total.success_share is None
        assert {s.model: s.cost for s in made.singles} == {"x/cheap": 110, "x/secret": None}
        assert made.best is None and "judged" in made.best_why and made.saved_against_best is None


async def test_corrections_and_periods(book, env):
    async with book() as (database, ledger):
        await one(ledger, "r1", 1, "x/cheap", 110)
        await asyncio.wrap_future(database.call(lambda s: None))
        env.at_s += 86_400
        await ledger.adjust("r1", 1, 210, "invoice")
        await one(ledger, "r2", 1, "x/cheap", 110)
        both = await built(database, env.at_s - 90_000, "day")
        assert [g.charged for g in both.groups] == [110, 210] and both.total.saved == 2200 - 320
        late = await built(database, env.at_s - 10)
        assert (late.total.charged, late.total.requests, late.total.saved) == (210, 1, 990)
        assert (await built(database, env.at_s + 1)).groups == ()


async def test_many_rows_are_read_in_portions_and_none_is_lost(book, env):
    async with book() as (database, ledger):
        for number in range(2300):
            await one(ledger, f"r{number}", 1, "x/cheap", 1)
        while ledger.waiting:  # a group of the writer takes 2,000 entries
            await asyncio.wrap_future(database.call(lambda s: None))
        assert (await built(database, env.at_s - 1, "all")).total.requests == 2300


def single(model, cost, accepted, judged=100):
    return Single(model=model, cost=cost, accepted=accepted, judged=judged)


def test_the_best_single_model_is_the_cheapest_that_suffices():
    total = Group(name="", fates=Counter(accepted=90, rejected=10))
    weak, fit, dear = single("weak", 1, 60), single("fit", 5, 90), single("dear", 50, 99)
    assert choose((weak, fit, dear), total)[0] is fit
    best, why = choose((weak, single("less", 5, 80)), total)
    assert best.model == "less" and "none alone" in why
    few = single("few", 1, MIN_JUDGED - 1, MIN_JUDGED - 1)
    assert choose((few, single("unpriced", None, 100)), total)[0] is None


def test_fates():
    unsure = Verdict(gate="g", outcome=Outcome.UNKNOWN)
    assert fate("ok", (unsure,)) == "unjudged" and fate("ok", (unsure, GOOD)) == "accepted"
    assert fate("ok", (GOOD, BAD)) == "rejected" and fate("rejected", ()) == "rejected"
    assert fate("cancelled", ()) == "cancelled" and fate("failed", (GOOD,)) == "failed"
