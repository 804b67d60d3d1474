from suffice.ledger import joining
from suffice.ledger.records import DecisionRecord, OutcomeRecord

NOW_S = 1_800_000_000.0


async def read(database, ledger, ask):
    while ledger.waiting:
        import asyncio

        await asyncio.wrap_future(database.call(lambda session: None))
    with database.reader() as session:
        return [known.request_id for known in ask(session)]


def decide(ledger, name, at_s, key="k1", team="", session="s"):
    ledger.decide(
        DecisionRecord(request_id=name, at_ms=int(at_s * 1000), key_id=key, team=team, session=session, task="edit")
    )


async def test_only_the_tenants_own_requests_are_found(book):
    async with book() as (database, ledger):
        decide(ledger, "mine", NOW_S - 5)
        decide(ledger, "theirs", NOW_S - 4, key="k2")
        decide(ledger, "teams", NOW_S - 3, team="web")
        assert await read(database, ledger, lambda s: joining.by_id(s, "k1", "mine")) == ["mine"]
        assert await read(database, ledger, lambda s: joining.by_id(s, "k1", "theirs")) == []
        assert await read(database, ledger, lambda s: joining.by_id(s, "k1", "teams")) == []
        assert await read(database, ledger, lambda s: joining.by_session(s, "k1", frozenset("s"), NOW_S)) == ["mine"]
        assert await read(database, ledger, lambda s: joining.last(s, "web", NOW_S)) == ["teams"]
        assert await read(database, ledger, lambda s: joining.last(s, "nobody", NOW_S)) == []


async def test_a_commit_takes_what_no_commit_before_it_took(book):
    async with book() as (database, ledger):
        for number in range(4):
            decide(ledger, f"r{number}", NOW_S - 10 + number)
        ledger.outcome(OutcomeRecord(request_id="r1", at_ms=1, kind="committed", commit="a" * 40))
        window = (NOW_S - 10, NOW_S - 7.5)
        assert await read(database, ledger, lambda s: joining.by_time(s, "k1", "k1", *window)) == ["r2"]
        assert await read(database, ledger, lambda s: joining.by_commit(s, "k1", "a" * 40)) == ["r1"]
        assert await read(database, ledger, lambda s: joining.by_commit(s, "k2", "a" * 40)) == []


async def test_an_outcome_counts_once_for_each_kind_and_source(book):
    async with book() as (database, ledger):
        decide(ledger, "r", NOW_S)
        for at_ms, source in ((1, "ci"), (2, "ci"), (3, "editor")):
            ledger.outcome(OutcomeRecord(request_id="r", at_ms=at_ms, kind="merged", source=source))
        await read(database, ledger, lambda s: [])
        with database.reader() as session:
            assert [(o.at_ms, o.source) for o in joining.outcomes(session, "r")] == [(1, "ci"), (3, "editor")]
