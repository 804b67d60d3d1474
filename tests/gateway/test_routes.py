from pathlib import Path

import pytest
from tests.gateway.running import one_provider

from suffice.gateway.routes import MOST_ANSWERS, OUTPUT_UPPER_TAIL


async def reserved(running: object, **fields: object) -> int:
    answer = await running.chat(**fields)  # type: ignore[attr-defined]
    assert answer.status == 200, answer.body
    return int((await running.rows(answer))[0].row.reserved_nano)  # type: ignore[attr-defined]


async def test_the_bound_grows_with_what_is_asked_for(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        small = await reserved(running, max_tokens=100)
        large = await reserved(running, max_tokens=1000)
        # A few bytes of the body differ too.
        assert large - small == pytest.approx(900 * 10_000, abs=50_000)
        unlimited = await reserved(running)
        assert unlimited - small == pytest.approx((OUTPUT_UPPER_TAIL - 100) * 10_000, abs=50_000)
        four = await reserved(running, max_tokens=100, n=4)
        assert four - small >= 300 * 10_000


@pytest.mark.parametrize("value", [0, -1, MOST_ANSWERS + 1, 10**20, 1.5, "3", True, [1]])
async def test_a_number_of_answers_that_is_none_is_refused(value: object, tmp_path: Path):
    async with one_provider(tmp_path) as (running, provider):
        answer = await running.chat(n=value)
        assert (answer.status, answer.error["param"]) == (400, "n")
        assert provider.requests == []


async def test_embeddings_reserve_no_output(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        answer = await running.post("/embeddings", {"model": "openai/m", "input": "x" * 1000})
        (row,) = await running.rows(answer)
        assert row.row.reserved_nano < 3_000_000


async def test_the_bound_covers_the_bill(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        for words in (1, 200, 5000):
            answer = await running.chat(messages=[{"role": "user", "content": "def f(x): return x\n" * words}])
            (row,) = await running.rows(answer)
            assert row.row.charge_nano <= row.row.reserved_nano
        assert running.runtime.ledger.alarms["overage"] == 0
