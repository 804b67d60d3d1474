"""A stream that does not begin in time is asked for elsewhere too: one answer, two attempts, both paid for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import Answer, Gateway, endpoint, gateway
from tests.gateway.test_holding import GOOD, TOOLS, until

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Timing

SOON = {"x-suffice-hedge": "0.05"}
LATE = 30.0  # longer than any test waits
SILENT = Behaviour(text="late", timing=Timing(before_first_token_s=LATE))
HEADLESS = Behaviour(text="late", timing=Timing(before_head_s=LATE))
QUICK = Behaviour(text="quick")


@asynccontextmanager
async def doors(folder: Path, first: Any, second: Any, more: str = "") -> AsyncIterator[tuple[Gateway, Any, Any]]:
    """Two endpoints of one model; `one` is the cheaper and always asked first."""
    async with FakeProvider(first, models=("m",)) as one, FakeProvider(second, models=("m",)) as two:
        dear = "{ input_usd_per_mtok = 2, output_usd_per_mtok = 20 }"
        toml = endpoint("one", one.base_url) + endpoint("two", two.base_url, price=dear)
        async with gateway(more + toml, folder) as running:
            yield running, one, two


async def ask(running: Gateway, headers: dict[str, str] = SOON, **fields: Any) -> Answer:
    return await running.chat("openai/m", headers, stream=True, **fields)


async def outcomes(running: Gateway, answer: Answer) -> list[tuple[int, str, str]]:
    rows = sorted(await running.rows(answer), key=lambda r: r.row.attempt)
    return [(r.row.attempt, r.row.endpoint, r.row.outcome) for r in rows]


@pytest.mark.parametrize("slow", [SILENT, HEADLESS], ids=["silent", "headless"])
async def test_the_first_that_speaks_is_given_and_both_are_booked(slow: Behaviour, tmp_path: Path):
    async with doors(tmp_path, slow, QUICK) as (running, one, _):
        answer = await ask(running)
        assert answer.text == "quick"
        assert await outcomes(running, answer) == [(1, "one", "cancelled"), (2, "two", "ok")]
        rows = {r.row.endpoint: r for r in await running.rows(answer)}
        # What it read before it was ended may have been billed: it is charged, as an estimate, and says why it ended.
        assert rows["one"].row.charge_nano > 0
        assert "another endpoint spoke first" in rows["one"].detail.result.message
        assert rows["two"].row.charge_nano > 0
        await until(lambda: not one.open_connections)
        assert await running.findings() == []
        story = await running.story(answer.request_id)
        assert story.decision is not None
        assert "hedged:openai/m@two" in story.decision.signals


async def test_what_begins_in_time_is_asked_for_once(tmp_path: Path):
    async with doors(tmp_path, QUICK, QUICK) as (running, _, two):
        answer = await ask(running, {"x-suffice-hedge": "30"})
        assert answer.text == "quick"
        assert not two.requests


async def test_by_default_nothing_is_asked_for_twice(tmp_path: Path):
    slow = Behaviour(text="slow", timing=Timing(before_first_token_s=0.3))
    for toml, headers in (("", {}), ('[routing]\nhedge = "auto"\nhedge_after_s = 0.05\n', {"x-suffice-hedge": "off"})):
        async with doors(tmp_path / str(len(toml)), slow, QUICK, toml) as (running, _, two):
            assert (await ask(running, headers)).text == "slow"
            assert not two.requests


async def test_the_configuration_turns_it_on(tmp_path: Path):
    async with doors(tmp_path, SILENT, QUICK, '[routing]\nhedge = "auto"\nhedge_after_s = 0.05\n') as (running, *_):
        assert (await ask(running, {})).text == "quick"


async def test_a_late_first_attempt_may_still_win(tmp_path: Path):
    slow = Behaviour(text="slow", timing=Timing(before_first_token_s=0.4))
    async with doors(tmp_path, slow, SILENT) as (running, *_):
        answer = await ask(running)
        assert answer.text == "slow"
        assert await outcomes(running, answer) == [(1, "one", "ok"), (2, "two", "cancelled")]
        assert await running.findings() == []


async def test_one_that_fails_leaves_the_other_and_two_that_fail_are_an_error(tmp_path: Path):
    broken = Behaviour(status=500, timing=Timing(before_head_s=0.3))
    later = Behaviour(text="later", timing=Timing(before_first_token_s=0.8))
    async with doors(tmp_path / "a", broken, later) as (running, *_):
        answer = await ask(running)
        assert answer.text == "later"
        assert await outcomes(running, answer) == [(1, "one", "failed"), (2, "two", "ok")]
    async with doors(tmp_path / "b", broken, broken) as (running, *_):
        answer = await ask(running)
        assert answer.status == 502
        assert await running.findings() == []


async def test_held_tool_calls_are_hedged_like_text(tmp_path: Path):
    async with doors(tmp_path, SILENT, GOOD) as (running, *_):
        answer = await ask(running, tools=TOOLS)
        assert b"str_replace" in answer.body
        assert [o for *_, o in await outcomes(running, answer)] == ["cancelled", "ok"]


async def test_a_client_that_leaves_ends_both(tmp_path: Path):
    async with doors(tmp_path, SILENT, SILENT) as (running, one, two):
        body = {"model": "openai/m", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        with pytest.raises(Exception, match=r".*"):
            await running.client.post(running.base_url + "/chat/completions", json=body, headers=SOON, timeout=0.6)
        await until(lambda: not one.open_connections and not two.open_connections)
        assert {r.row.outcome for r in await running.recent()} == {"cancelled"}
        assert len(await running.recent()) == 2
        assert not [r for r in await running.recent() if "spoke first" in r.detail.result.message]
        assert await running.findings() == []


async def test_only_a_share_of_streams_is_asked_for_twice(tmp_path: Path):
    slow = Behaviour(text="slow", timing=Timing(before_first_token_s=0.2))
    async with doors(tmp_path, slow, slow) as (running, _, two):
        for _ in range(8):
            assert (await ask(running)).text == "slow"
        assert len(two.requests) == 2


async def test_a_budget_that_pays_for_one_only_is_asked_for_one(tmp_path: Path):
    """The second attempt is reserved as well; where that does not fit, the first goes on alone."""
    slow = Behaviour(text="slow", timing=Timing(before_first_token_s=0.3))
    async with doors(tmp_path, slow, QUICK, '[budgets.all]\nlimit_usd = 0.02\nwindow = "total"\n') as (running, _, two):
        key = await running.key(budgets=("all",))
        answer = await ask(running, {**SOON, **key}, max_tokens=1500)
        assert answer.text == "slow"
        assert not two.requests


async def test_the_time_is_learned_from_the_streams_of_the_arm(tmp_path: Path):
    slow = [QUICK] * 12 + [SILENT]
    async with doors(tmp_path, slow, QUICK) as (running, *_):
        for _ in range(12):
            await ask(running, {"x-suffice-hedge": "auto"})
        answer = await ask(running, {"x-suffice-hedge": "auto"})
        assert answer.text == "quick"
        assert ("one", "cancelled") in [(e, o) for _, e, o in await outcomes(running, answer)]


@pytest.mark.parametrize("word", ["soon", "-1", "0", "nan", "601"])
async def test_no_seconds_are_refused(word: str, tmp_path: Path):
    async with doors(tmp_path, QUICK, QUICK) as (running, *_):
        answer = await ask(running, {"x-suffice-hedge": word})
    assert answer.status == 400
    assert answer.error["param"] == "x-suffice-hedge"


async def test_a_client_that_leaves_while_the_slower_one_is_ended_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The one that won is not given any more, the one that lost needs a moment to end: neither stays reserved."""
    async with doors(tmp_path, SILENT, QUICK) as (running, *_):
        attempts = running.runtime.pipeline._attempts
        begin, ending = attempts.begin, asyncio.Event()

        async def slow_to_end(live: Any) -> bytes:
            try:
                return await begin(live)
            except asyncio.CancelledError:
                ending.set()
                await asyncio.sleep(0.2)
                raise

        monkeypatch.setattr(attempts, "begin", slow_to_end)
        asking = asyncio.create_task(ask(running))
        await asyncio.wait_for(ending.wait(), 10)
        asking.cancel()
        await until(lambda: not running.runtime.ledger._open)
        assert [r.row.outcome for r in await running.recent()] == ["cancelled", "cancelled"]
        assert await running.findings() == []
