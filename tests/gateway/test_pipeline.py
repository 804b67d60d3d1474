from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.gateway.running import Gateway, endpoint, gateway, one_provider

from suffice.decision.router import RouteRequest
from suffice.testing import presets
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Usage
from suffice.values.money import NanoUsd
from suffice.values.plan import Arm, Candidate, Plan, Step

CODE = "```python\ndef add(a, b):\n    return a + b\n```"
BROKEN = "```python\ndef add(a, b:\n    return a +\n```"


async def test_a_whole_answer_comes_back_byte_for_byte_with_its_story(tmp_path: Path):
    body = (
        b'{"id":"x", "object":"chat.completion","model":"m-2026","choices":[{"index":0,"message":{"role":"assistant",'
    )
    body += b'"content":"hi"},"finish_reason":"stop","odd":1.50}],"usage":{"prompt_tokens":11,"completion_tokens":2},"new":{}}'
    async with one_provider(tmp_path, Behaviour(body=body.decode())) as (running, _):
        answer = await running.chat()
        assert (answer.status, answer.body) == (200, body)
        # 11 tokens at 1 $/M and 2 at 10 $/M.
        assert answer.headers["x-suffice-cost-usd"] == "0.000031"
        story = await running.story(answer.request_id)
        assert story.decision is not None
        assert (story.charged, story.decision.model_requested) == (31_000, "openai/m")
        (row,) = story.attempts
        assert (row.detail.result.upstream_model, row.row.outcome) == ("m-2026", "ok")
        assert await running.findings() == []


class Planner:
    """Plans the small model first, then the big one, whatever is asked: the pipeline is under test, not the plan."""

    def __init__(self, second: str = "openai/m") -> None:
        self._second = second

    def reconsider(self, request: RouteRequest, tried: object) -> None:
        return None

    def plan(self, request: RouteRequest) -> Plan:
        arms = [Arm(model="groq/m", endpoint="small"), Arm(model=self._second, endpoint="big")]
        steps = tuple(Step(arm=arm, reach=1.0, p_success=0.5, cost=NanoUsd(1)) for arm in arms)
        return Plan(
            steps=steps,
            expected_total=NanoUsd(1),
            p_complete=0.5,
            repair=NanoUsd(1),
            propensity=1.0,
            reason="as told",
            candidates=tuple(Candidate(arm=arm) for arm in arms),
        )


@asynccontextmanager
async def two_models(folder: Path, small: Behaviour, big: Behaviour, more: str = "") -> AsyncIterator[Gateway]:
    """A small and a big model; the small one is always asked first."""
    async with FakeProvider(small, models=("m",)) as one, FakeProvider(big, models=("m",)) as two:
        toml = more + endpoint("small", one.base_url, provider="groq") + endpoint("big", two.base_url)
        async with gateway('[aliases]\ncoding = ["groq/m", "openai/m"]\n' + toml, folder) as running:
            running.runtime.state.router = lambda target: Planner()  # type: ignore[method-assign,assignment,return-value]
            yield running


ASK = [{"role": "user", "content": "Write a Python function add(a, b) that returns the sum."}]


async def test_a_rejected_answer_goes_on_to_the_next_model_and_both_are_paid(tmp_path: Path):
    async with two_models(tmp_path, Behaviour(text=BROKEN), Behaviour(text=CODE)) as running:
        answer = await running.chat(model="coding", messages=ASK)
        rows = await running.rows(answer)
    assert [r.row.outcome for r in rows] == ["rejected", "ok"]
    assert len({r.row.endpoint for r in rows}) == 2
    assert all(r.row.charge_nano > 0 for r in rows)
    assert (answer.text, answer.headers["x-suffice-attempts"]) == (CODE, "2")


async def test_a_failure_after_a_rejected_answer_gives_the_answer_in_hand(tmp_path: Path):
    async with two_models(tmp_path, Behaviour(text=BROKEN), presets.invalid()) as running:
        answer = await running.chat(model="coding", messages=ASK)
        rows = await running.rows(answer)
    assert [r.row.outcome for r in rows] == ["rejected", "failed"]
    assert (answer.status, answer.text) == (200, BROKEN)


async def test_usage_that_is_missing_is_estimated_and_said_to_be(tmp_path: Path):
    async with one_provider(tmp_path, Behaviour(usage=Usage(where="none"))) as (running, _):
        answer = await running.chat()
        assert "x-suffice-cost-estimate-usd" in answer.headers
        (row,) = await running.rows(answer)
        assert row.row.charge_class == "est"
        assert row.detail.result.usage.estimated
        assert row.row.charge_nano > 0


@pytest.mark.parametrize(
    "values", ["null", "absent", "negative", "strings", "absurd", "contradictory", "list", "empty"]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_no_usage_report_of_a_provider_breaks_a_request_or_makes_it_free(
    values: str, stream: bool, tmp_path: Path
):
    script = Behaviour(usage=Usage(values=values, where="always"))  # type: ignore[arg-type]
    async with one_provider(tmp_path, script) as (running, _):
        answer = await running.chat(stream=stream)
        assert answer.status == 200
        (row,) = await running.rows(answer)
        assert row.row.charge_nano > 0
        assert await running.findings() == []


async def test_a_stream_is_settled_before_its_end_is_written(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        body = {"model": "openai/m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
        async with running.client.stream("POST", running.base_url + "/chat/completions", json=body) as got:
            async for line in got.aiter_lines():
                if line == "data: [DONE]":
                    assert not running.runtime.ledger._open


async def test_metrics_count_what_happened(tmp_path: Path):
    async with one_provider(tmp_path, [presets.failing(500), Behaviour()]) as (running, _):
        await running.chat()
        await running.chat(model="nope")
        await running.get("/nowhere")
        text = running.runtime.metrics.render().decode()
    for line in (
        'suffice_requests_total{route="/v1/chat/completions",status="2xx"} 1.0',
        'suffice_requests_total{route="/v1/chat/completions",status="4xx"} 1.0',
        'suffice_requests_total{route="unrouted",status="4xx"} 1.0',
        'suffice_attempts_total{outcome="upstream_error",provider="openai"} 1.0',
        'suffice_attempts_total{outcome="ok",provider="openai"} 1.0',
        'suffice_failovers_total{kind="same"} 1.0',
        "suffice_requests_in_flight 0.0",
        "suffice_decision_seconds_count 1.0",
    ):
        assert line in text


async def test_open_circuits_are_counted_when_somebody_looks(tmp_path: Path):
    async with one_provider(tmp_path, presets.bad_credential()) as (running, _):
        await running.chat()
        text = running.runtime.metrics.render().decode()
    assert 'suffice_breaker_open{scope="credential",state="disabled"} 1.0' in text
