"""Budgets at the door: never above the limit, whatever the concurrency, and said in the caller's dialect."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.gateway.running import endpoint, gateway, one_provider

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Timing

SMALL = Behaviour(text="1234" * 50)
# A prompt of about 1000 tokens at 1 $/M and 50 tokens out at 10 $/M: a little over 1.5 milli-dollars.
LONG = [{"role": "user", "content": "word" * 1000}]
COST = 1_600_000


@pytest.mark.parametrize("stream", [False, True])
async def test_a_hundred_at_once_never_spend_above_the_limit(stream: bool, tmp_path: Path):
    limit = 20 * COST
    head = f"[budgets.team]\nlimit_usd = {limit / 1e9}\n"
    slow = Behaviour(text=SMALL.text, timing=Timing(before_head_s=0.02))
    async with one_provider(tmp_path, slow, head=head) as (running, provider):
        key = await running.key(budgets=("team",))
        answers = await asyncio.gather(
            *(running.chat(headers=key, stream=stream, max_tokens=100, messages=LONG) for _ in range(100))
        )
        statuses = [answer.status for answer in answers]
        assert set(statuses) <= {200, 402}
        assert statuses.count(402) > 0
        assert statuses.count(200) > 0
        refused = next(a for a in answers if a.status == 402)
        assert refused.headers["x-should-retry"] == "false"
        assert (refused.error["type"], refused.error["code"]) == ("insufficient_quota", "budget_exceeded")
        rows = await running.recent()
        assert sum(r.row.charge_nano for r in rows) <= limit
        assert len(provider.requests) == statuses.count(200)
        assert await running.findings() == []
        text = running.runtime.metrics.render().decode()
        assert f'suffice_budget_refusals_total{{budget="team"}} {statuses.count(402)}.0' in text


async def test_past_the_soft_threshold_plans_get_cheaper(tmp_path: Path):
    head = "[budgets.team]\nlimit_usd = 1\nsoft = 0.0001\n"
    async with one_provider(tmp_path, SMALL, head=head) as (running, _):
        key = await running.key(budgets=("team",))
        first = await running.chat(headers=key, max_tokens=100)
        second = await running.chat(headers=key, max_tokens=100)
        stories = [await running.story(a.request_id) for a in (first, second)]
        pressures = [s.decision.pressure for s in stories if s.decision is not None]
        assert pressures[0] == 0.0
        assert pressures[1] > 0.0


@pytest.mark.parametrize("budgeted", [True, False])
async def test_a_model_without_a_price_is_refused_to_a_budget_only(budgeted: bool, tmp_path: Path):
    head = "[budgets.team]\nlimit_usd = 5\n"
    async with one_provider(tmp_path, SMALL, head=head, price="") as (running, provider):
        key = await running.key(budgets=("team",) if budgeted else ())
        answer = await running.chat(headers=key)
        if budgeted:
            assert (answer.status, answer.error["code"]) == (402, "price_unknown")
            assert provider.requests == []
        else:
            assert answer.status == 200
            (row,) = await running.rows(answer)
            assert (row.row.price_kind, row.row.charge_nano) == ("unknown", 0)
            # An unknown price is never shown as a cost of nothing.
            assert answer.headers.get("x-suffice-cost-usd") is None
            assert answer.headers["x-suffice-cost-estimate-usd"] == "unknown"
            stream = await running.chat(headers=key, stream=True)
            assert stream.headers["x-suffice-cost-estimate-usd"] == "unknown"
            assert "x-suffice-saving-estimate-usd" not in stream.headers


async def test_near_the_limit_the_output_is_clamped_to_what_the_rest_pays_for(tmp_path: Path):
    # Ten milli-dollars, half a one spent; 10 micro-dollars a token leave a little over 900 tokens.
    head = "[budgets.team]\nlimit_usd = 0.010\nsoft = 0.1\n"
    async with one_provider(tmp_path, SMALL, head=head) as (running, provider):
        key = await running.key(budgets=("team",))
        assert (await running.chat(headers=key, max_tokens=100)).status == 200
        clamped = await running.chat(headers=key, max_tokens=5_000)
        assert clamped.status == 200, clamped.body
        sent = provider.requests[-1].parsed
        assert sent is not None
        assert 900 <= sent["max_tokens"] < 1000
        rows = await running.rows(clamped)
        assert rows[0].row.reserved_nano <= 9_500_000


async def test_what_the_rest_cannot_pay_for_at_all_is_refused(tmp_path: Path):
    head = "[budgets.team]\nlimit_usd = 0.002\nsoft = 0.1\n"
    async with one_provider(tmp_path, SMALL, head=head) as (running, provider):
        key = await running.key(budgets=("team",))
        assert (await running.chat(headers=key, max_tokens=60)).status == 200
        refused = await running.chat(headers=key, max_tokens=5_000)
        assert refused.status == 402
        assert len(provider.requests) == 1


async def test_many_answers_are_reserved_as_many(tmp_path: Path):
    head = "[budgets.team]\nlimit_usd = 10\n"
    async with one_provider(tmp_path, SMALL, head=head) as (running, _):
        key = await running.key(budgets=("team",))
        one = (await running.rows(await running.chat(headers=key, max_tokens=1000)))[0].row.reserved_nano
        ten = (await running.rows(await running.chat(headers=key, max_tokens=1000, n=10)))[0].row.reserved_nano
        assert ten - one >= 9 * 1000 * 10_000


async def test_a_soft_budget_only_watches(tmp_path: Path):
    head = "[budgets.team]\nlimit_usd = 0.001\nhard = false\n"
    async with one_provider(tmp_path, SMALL, head=head) as (running, _):
        key = await running.key(budgets=("team",))
        assert [(await running.chat(headers=key)).status for _ in range(3)] == [200] * 3


async def test_a_failover_that_the_budget_cannot_pay_tells_the_fault(tmp_path: Path):
    """The dear model is out of reach, so the caller learns why the cheap one failed."""
    dear = "{ input_usd_per_mtok = 1000, output_usd_per_mtok = 10000 }"
    async with FakeProvider(Behaviour(status=500), models=("m",)) as bad, FakeProvider(SMALL, models=("m",)) as good:
        toml = '[budgets.team]\nlimit_usd = 0.5\nsoft = 0.0001\n[aliases]\ncoding = ["groq/m", "openai/m"]\n'
        toml += endpoint("cheap", bad.base_url, provider="groq") + endpoint("dear", good.base_url, price=dear)
        async with gateway(toml, tmp_path) as running:
            key = await running.key(budgets=("team",))
            answer = await running.chat(
                model="coding", headers={**key, "x-suffice-repair-usd": "0.001"}, max_tokens=500
            )
            assert answer.status in (402, 502)
            assert good.requests == []
            assert sum(r.row.charge_nano for r in await running.recent()) == 0
