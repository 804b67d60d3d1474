import asyncio

import pytest

from suffice.errors import NotFoundError
from suffice.ledger import queries
from suffice.ledger.corrections import adjust, would_prune
from suffice.ledger.records import AttemptIntent, AttemptResult


async def test_a_correction_is_a_row_and_its_reason_holds_no_secret(book, env):
    async with book() as (database, ledger):
        held = await ledger.admit("r", 1, "k", (), 100, AttemptIntent(model="m"))
        ledger.settle(held, AttemptResult(charge_nano=40))
        await asyncio.wrap_future(database.call(lambda s: None))
        assert await asyncio.to_thread(adjust, database, env, "r", 1, 30, "key sk-canary0123456789abcdef") == -10
        with database.reader() as session:
            story = queries.story(session, "r")
            assert story.charged == 30 and "canary" not in story.attempts[-1].detail.reason
            assert would_prune(session, env.at_s + 1).ledger == 2 and would_prune(session, 0).ledger == 0
            assert would_prune(session, 0, max_rows=0).ledger == 2
            assert queries.recent_requests(session) == ("r",)
        with pytest.raises(NotFoundError, match="no ledger row"):
            await asyncio.to_thread(adjust, database, env, "r", 9, 30, "x")
        with pytest.raises(ValueError, match="no charge"):
            adjust(database, env, "r", 1, -1, "x")
