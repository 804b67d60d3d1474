import asyncio

import pytest

from suffice.ledger import queries
from suffice.ledger.budgets import Budget, Period
from suffice.ledger.records import AttemptIntent, AttemptResult


async def filled(database, ledger, env):
    await ledger.define_budgets([Budget(id="b", limit=10**9, period=Period.TOTAL)])
    for number, (model, charge, reference) in enumerate([("m", 10, 40), ("m", 20, -1), ("n", 50, 30)]):
        env.at_s += 86400
        held = await ledger.admit(f"r{number}", 0, "k", ("b",), 100, AttemptIntent(model=model, task="edit", team="t"))
        ledger.settle(held, AttemptResult(charge_nano=charge, reference_nano=reference))
    await asyncio.wrap_future(database.call(lambda s: None))


async def test_spend_and_savings_by_group(book, env):
    async with book() as (database, ledger):
        start = env.at_s
        await filled(database, ledger, env)
        with database.reader() as session:
            dear, cheap = queries.spend(session, start)
            assert (dear.name, dear.charged, dear.saved) == ("n", 50, -20)
            assert (cheap.charged, cheap.saved, cheap.uncompared, cheap.requests) == (30, 30, 1, 2)
            assert [group.name for group in queries.spend(session, start, "key")] == ["k"]
            assert len(queries.spend(session, start, "day")) == 3
            assert queries.spend(session, start, "all", until_s=start) == ()
            assert not queries.story(session, "nobody").found


async def test_pruning_keeps_the_sums_provable(book, env):
    async with book() as (database, ledger):
        await filled(database, ledger, env)
        removed = await asyncio.wrap_future(database.call(lambda s: queries.prune(s, 0, max_rows=1)))
        assert removed.ledger == 2
        with database.reader() as session:
            assert queries.verify(session) == () and session.run("windows")[0][2] == 80
        assert (await asyncio.wrap_future(database.call(lambda s: queries.prune(s, env.at_s + 1)))).ledger == 1


TWICE = (
    "INSERT INTO ledger SELECT NULL, request_id, attempt, kind, at_ms, 0, 1, -1, '[]', '', '', "
    "'', '', '', '', '', '', '', '', '{}' "
    "FROM ledger LIMIT 1"
)


@pytest.mark.parametrize(
    ("invariant", "damage"),
    [
        ("I2", "DROP INDEX ledger_once; " + TWICE),
        ("I3", "UPDATE windows SET spent_nano = spent_nano - 1, leased_nano = leased_nano + 1"),
        ("I4", "UPDATE leases SET left_nano = left_nano + 1"),
        ("I4", "INSERT INTO reservations SELECT 'q', 0, boot, 0, 2000000000, -1, '[[\"b\", 0, true]]', '[]' FROM leases"),
        ("I5", "UPDATE windows SET peak_nano = 79"),
        ("I6", "UPDATE ledger SET charge_nano = -1 WHERE request_id = 'r0'"),
    ],
)  # fmt: skip
async def test_verify_finds_each_kind_of_damage(book, env, invariant, damage):
    async with book() as (database, ledger):
        await filled(database, ledger, env)
        with database.reader() as session:
            assert queries.verify(session) == ()
        await asyncio.wrap_future(database.call(lambda s: s.script(damage)))
        with database.reader() as session:
            assert invariant in {finding.invariant for finding in queries.verify(session)}
        await asyncio.wrap_future(database.call(lambda s: s.script("DELETE FROM reservations")))
