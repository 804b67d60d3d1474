"""What happens once an answer has begun, and to requests that share a deadline, a probe or a client that leaves."""

from __future__ import annotations

import contextlib
from pathlib import Path

import httpx2 as httpx
import pytest
from msgspec.structs import replace
from tests.e2e.providers import BETWEEN, FIRST, GOOD, HEAD_HANG, SHORT, alone, pair
from tests.gateway.running import endpoint, gateway, until

from suffice.testing import presets
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Timing, ToolCall

# After the commit point: the head has gone out, nothing is spliced, the end is told.


@pytest.mark.parametrize(
    ("script", "head", "row", "code"),
    [
        (presets.cut(after_events=3), "", 19, "stream_truncated"),
        (presets.cut(after_events=3, rst=True), "", 19, "stream_truncated"),
        (presets.unfinished(), "", 19, "stream_truncated"),
        (presets.stalled(3), BETWEEN, 9, "stream_stalled"),
        (presets.error_event(3), "", 18, "stream_error"),
        (presets.malformed(3), "", 20, "upstream_malformed"),
    ],
    ids=["cut", "reset", "unfinished", "stalled", "error", "malformed"],
)
async def test_a_stream_that_breaks_ends_with_an_error_and_never_with_done(
    script: Behaviour, head: str, row: int, code: str, tmp_path: Path
):
    # Tokens come one by one, so that the head has left before the break.
    slow = replace(script, timing=Timing(between_tokens_s=0.01))
    async with pair(tmp_path, slow, head) as (running, _):
        answer = await running.chat(stream=True)
        assert answer.status == 200
        assert answer.headers["x-suffice-endpoint"] == "a-bad"
        assert answer.error["code"] == code
        assert b"[DONE]" not in answer.body
        (attempt,) = await running.rows(answer)
        assert (attempt.detail.result.fault_row, attempt.row.charge_class) == (row, "est")
        assert 0 < attempt.row.charge_nano < attempt.row.reserved_nano
        assert attempt.detail.result.usage.output_tokens > 0
        assert GOOD.text not in answer.body.decode()


PING, EVENT = ": " + "ping " * 50 + "\n\n", 'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'


async def test_comments_do_not_keep_a_request_alive_that_has_no_event(tmp_path: Path):
    pings = Timing(write_bytes=200, between_writes_s=0.02)
    only = Behaviour(body=PING * 2000, content_type="text/event-stream", timing=pings)
    async with alone(tmp_path, only, FIRST) as (running, _):
        answer = await running.chat(stream=True)
        assert (answer.status, answer.error["code"]) == (504, "upstream_first_token_timeout")


async def test_comments_do_not_keep_a_stalled_stream_alive(tmp_path: Path):
    pings = Timing(write_bytes=200, between_writes_s=0.02)
    stalled = Behaviour(body=EVENT + PING * 2000, content_type="text/event-stream", timing=pings)
    async with alone(tmp_path, stalled, BETWEEN) as (running, _):
        answer = await running.chat(stream=True)
        assert (answer.status, answer.error["code"]) == (200, "stream_stalled")


async def test_an_error_event_after_tokens_in_the_same_write_is_charged(tmp_path: Path):
    async with pair(tmp_path, presets.error_event(4)) as (running, _):
        answer = await running.chat(stream=True)
        rows = await running.rows(answer)
        assert rows[0].row.charge_class == "est"


async def test_an_empty_answer_is_passed_on_and_marked(tmp_path: Path):
    async with alone(tmp_path, presets.empty()) as (running, _):
        answer = await running.chat()
        assert (answer.status, answer.headers["x-suffice-empty"]) == (200, "1")
        assert [r.row.charge_class for r in await running.rows(answer)] == ["exact"]


async def test_a_tool_call_is_not_empty(tmp_path: Path):
    call = Behaviour(text="", tool_calls=(ToolCall(name="run", arguments="{}"),))
    async with alone(tmp_path, call) as (running, _):
        answer = await running.chat()
        assert "x-suffice-empty" not in answer.headers


async def test_a_stream_that_drips_is_delivered_until_the_deadline_and_ends_with_an_error(tmp_path: Path):
    drip = replace(presets.dripping(0.05), text="word " * 400)
    async with pair(tmp_path, drip, SHORT) as (running, _):
        answer = await running.chat(stream=True)
        assert (answer.status, answer.error["code"]) == (200, "stream_too_slow")
        assert b"word" in answer.body
        assert b"[DONE]" not in answer.body
        (attempt,) = await running.rows(answer)
        assert (attempt.detail.result.fault_row, attempt.row.charge_class) == (10, "est")
        assert 0 < attempt.row.charge_nano < attempt.row.reserved_nano


@pytest.mark.parametrize("stream", [False, True])
async def test_a_finished_answer_that_a_filter_cut_is_passed_on_as_it_is(stream: bool, tmp_path: Path):
    cut = Behaviour(text="I may not", finish_reason="content_filter")
    async with pair(tmp_path, cut) as (running, _):
        answer = await running.chat(stream=stream)
        assert (answer.status, answer.text) == (200, "I may not")
        assert b'"finish_reason":"content_filter"' in answer.body.replace(b": ", b":")
        rows = await running.rows(answer)
        assert [(r.row.endpoint, r.row.charge_class) for r in rows] == [("a-bad", "exact")]


# One deadline, one probe, one client.


async def test_all_attempts_share_one_deadline(tmp_path: Path):
    shorter = "connect_deadline_s = 1\nbetween_events_deadline_s = 1\n"
    head = f"[upstream]\ntotal_deadline_s = 1.2\nfirst_event_deadline_s = 0.4\nwhole_answer_deadline_s = 0.4\n{shorter}"
    async with contextlib.AsyncExitStack() as stack:
        toml = head
        for n in range(4):
            fake = await stack.enter_async_context(FakeProvider(HEAD_HANG, models=("m",)))
            toml += endpoint(f"e{n}", fake.base_url)
        running = await stack.enter_async_context(gateway(toml, tmp_path))
        answer = await running.chat()
        assert answer.status == 504
        rows = await running.rows(answer)
        assert 1 < len(rows) <= 3
        spent = sum(r.detail.result.total_ms for r in rows if r.detail.result.total_ms > 0)
        assert spent <= 1200 + 400


async def test_a_client_that_leaves_cancels_the_upstream_and_pays_what_it_saw(tmp_path: Path):
    slow = Behaviour(text="word " * 400, timing=Timing(between_tokens_s=0.01))
    async with alone(tmp_path, slow) as (running, provider):
        body = {"model": "openai/m", "messages": [{"role": "user", "content": "count"}], "stream": True}
        async with running.client.stream("POST", running.base_url + "/chat/completions", json=body) as got:
            request_id = got.headers["x-request-id"]
            async for _ in got.aiter_lines():
                break
        await until(lambda: provider.requests[0].outcome == "left")
        await until(lambda: not running.runtime.ledger._open)
        (row,) = await running.rows(request_id)
        assert (row.row.outcome, row.row.charge_class) == ("cancelled", "est")
        assert 0 < row.row.charge_nano < row.row.reserved_nano


async def test_a_client_that_leaves_before_a_whole_answer_is_charged_the_bound(tmp_path: Path):
    async with alone(tmp_path, Behaviour(timing=Timing(before_head_s=30))) as (running, provider):
        with pytest.raises(httpx.TimeoutException):
            await running.client.post(
                running.base_url + "/chat/completions",
                json={"model": "openai/m", "messages": [{"role": "user", "content": "hi"}]},
                timeout=0.2,
            )
        await until(lambda: provider.requests and provider.requests[0].outcome == "left")
        await until(lambda: not running.runtime.ledger._open)
        (row,) = await running.recent()
        assert (row.row.outcome, row.row.charge_class) == ("cancelled", "unk")
        assert row.row.charge_nano == row.row.reserved_nano


async def test_when_all_rest_one_probe_is_sent_and_the_others_are_told_when_to_come_back(tmp_path: Path):
    async with alone(tmp_path, presets.rate_limited("30")) as (running, provider):
        assert (await running.chat()).status == 429
        seen = len(provider.requests)
        first = await running.chat()  # the probe (row 41)
        assert len(provider.requests) == seen + 1
        assert first.status == 429
        second = await running.chat()
        assert len(provider.requests) == seen + 1
        assert second.status == 503
        assert int(second.headers["retry-after"]) <= 31
        provider.set_script(GOOD)


async def test_a_probe_that_succeeds_ends_the_rest(tmp_path: Path):
    async with alone(tmp_path, presets.failing(401)) as (running, provider):
        assert (await running.chat()).status == 502
        assert list(running.cooling().values()) == [26]
        provider.set_script(GOOD)
        assert (await running.chat()).status == 200
        assert running.cooling() == {}


async def test_a_probe_whose_client_leaves_lets_another_one_try(tmp_path: Path):
    async with alone(tmp_path, presets.rate_limited(milliseconds=10_000)) as (running, provider):
        assert (await running.chat()).status == 429
        provider.set_script(Behaviour(timing=Timing(before_head_s=30)))
        with pytest.raises(httpx.TimeoutException):
            await running.client.post(
                running.base_url + "/chat/completions",
                json={"model": "openai/m", "messages": [{"role": "user", "content": "hi"}]},
                timeout=0.2,
            )
        await until(lambda: not running.runtime.ledger._open)
        circuits = running.runtime.health._around("a-bad", "openai/m")
        assert circuits
        assert all(not circuit.probe_until for _, circuit in circuits)


async def test_a_whole_answer_may_think_longer_than_a_stream_may_be_silent(tmp_path: Path):
    slow = Behaviour(text="Thought about it.", timing=Timing(before_head_s=0.6))
    async with contextlib.AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeProvider(slow, models=("m",)))
        toml = "[upstream]\nfirst_event_deadline_s = 0.2\n" + endpoint("one", fake.base_url)
        running = await stack.enter_async_context(gateway(toml, tmp_path))
        answer = await running.chat()
        assert answer.status == 200
        assert len(await running.rows(answer)) == 1
