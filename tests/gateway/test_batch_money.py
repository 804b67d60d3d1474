"""What a batch is paid when its end cannot be read: the most, until somebody can."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.gateway.test_message_batches import PATH, begin, request, shelved, spent


@pytest.mark.parametrize("results", [b"", b"not json\n", b'{"result":{"type":"succeeded","message":{}}}\n'])
async def test_results_that_say_nothing_of_tokens_leave_the_most(results: bytes, tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        await begin(up, key, request())
        provider.results("msgbatch_0", [{"input_tokens": 1, "output_tokens": 1}])
        provider.contents["msgbatch_0"] = results
        await up.written()
        booked = await spent(up)
        assert (await up.get(f"{PATH}/msgbatch_0", key)).status == 200
        assert await spent(up) == booked and booked[0][1] > 0


async def test_results_that_cannot_be_fetched_leave_the_most_and_are_asked_for_again(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        await begin(up, key, request())
        (most,) = await spent(up)
        provider.results("msgbatch_0", [{"input_tokens": 10, "output_tokens": 10}])
        path = "/v1/messages/batches/msgbatch_0/results"
        provider.answers[path] = (500, {"type": "error", "error": {"type": "api_error", "message": "later"}})
        await up.written()
        assert (await up.get(f"{PATH}/msgbatch_0", key)).status == 200
        assert await spent(up) == [most]
        del provider.answers[path]
        await up.get(f"{PATH}/msgbatch_0", key)
        assert sum(charge for _, charge in await spent(up)) == (10 * 1000 + 10 * 10_000) // 2
        assert await up.findings() == []
