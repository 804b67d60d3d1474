"""A provider that stays silent: clients of every dialect get the answer of the one that speaks, another dialect's or not."""

from pathlib import Path

from tests.e2e.clients import Told
from tests.e2e.edit_clients import GOOD, RIGHT, body, path
from tests.e2e.test_dialects import CLIENTS
from tests.e2e.test_gated_tools import ALL, two

from suffice.testing.script import Behaviour, Timing

SILENT = Behaviour(text="late", timing=Timing(before_first_token_s=30.0))


@ALL
async def test_the_one_that_speaks_is_given_and_both_are_paid_for(client: str, tmp_path: Path):
    async with two(tmp_path, client, SILENT, GOOD) as running:
        answer = await running.post(path(client), body(client), {"x-suffice-hedge": "0.1"})
        rows = {r.row.endpoint: r.row for r in await running.rows(answer)}
        assert await running.findings() == []
    told: Told = CLIENTS[client].told(answer)
    assert (told.text, told.calls, told.ended) == (GOOD.text, [("str_replace", RIGHT)], True)
    assert {name: row.outcome for name, row in rows.items()} == {"small": "cancelled", "big": "ok"}
    assert {row.attempt for row in rows.values()} == {1, 2}
    assert all(row.charge_nano > 0 for row in rows.values())
