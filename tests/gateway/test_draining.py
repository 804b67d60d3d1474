import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import one_provider
from tests.gateway.test_holding import models
from tests.gateway.test_pipeline import ASK, BROKEN, CODE

from suffice.gateway.draining import kept_alive
from suffice.gateway.reply import Reply
from suffice.testing.script import Behaviour, Frames, Timing, Toxic

BUFFER = {"x-suffice-mode": "buffer"}


async def test_a_buffered_stream_gets_the_full_cascade_and_the_accepted_bytes(tmp_path: Path):
    async with models(tmp_path, Behaviour(text=BROKEN), Behaviour(text=CODE)) as (running, *_):
        answer = await running.chat(model="coding", headers=BUFFER, messages=ASK, stream=True)
        rows = await running.rows(answer)
        assert await running.findings() == []
    assert (answer.text, answer.events[-1]) == (CODE, "[DONE]")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-suffice-attempts"] == "2"
    assert [r.row.outcome for r in rows] == ["rejected", "ok"]


@pytest.mark.parametrize(
    "toxic",
    [Toxic(cut_after_events=3), Toxic(malformed_at_event=3), Toxic(error_after_events=3), Toxic(connection="rst")],
)
async def test_a_buffered_stream_that_breaks_is_tried_elsewhere_even_after_keep_alives(toxic: Toxic, tmp_path: Path):
    broken = Behaviour(text=CODE, toxic=toxic, timing=Timing(before_first_token_s=0.1, between_tokens_s=0.01))
    async with models(tmp_path, broken, Behaviour(text=CODE)) as (running, *_):
        running.runtime.pipeline.holding.keep_alive_s = 0.02
        answer = await running.chat(model="coding", headers=BUFFER, messages=ASK, stream=True)
        rows = await running.rows(answer)
        assert await running.findings() == []
    assert (answer.status, answer.text) == (200, CODE)
    assert (rows[0].row.outcome, rows[-1].row.outcome) == ("failed", "ok")


async def test_after_keep_alives_a_failure_is_an_error_frame_and_before_them_a_status(tmp_path: Path):
    async with one_provider(tmp_path, Behaviour(status=400, timing=Timing(before_head_s=0.1))) as (running, _):
        plain = await running.chat(headers=BUFFER, stream=True)
        running.runtime.pipeline.holding.keep_alive_s = 0.02
        framed = await running.chat(headers=BUFFER, stream=True)
    assert plain.status == 400
    assert framed.status == 200
    assert framed.body.startswith(b": keep-alive")
    assert framed.error["message"]


async def test_a_stream_without_done_is_given_one(tmp_path: Path):
    script = Behaviour(text=CODE, frames=Frames(no_done=True))
    async with models(tmp_path, script, script) as (running, *_):
        answer = await running.chat(model="coding", headers=BUFFER, messages=ASK, stream=True)
    assert (answer.text, answer.events[-1]) == (CODE, "[DONE]")


async def test_no_keep_alive_follows_the_end() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    reply = Reply(send, "chat", "r")
    async with kept_alive(reply, [], every_s=0.001):
        while len(sent) < 3:
            await asyncio.sleep(0.001)
        await reply.end(b"x")
        await asyncio.sleep(0.01)
    assert [m["type"] for m in sent[:2]] == ["http.response.start", "http.response.body"]
    assert sent[-1] == {"type": "http.response.body", "body": b"x", "more_body": False}
    assert sum(m["type"] == "http.response.start" for m in sent) == 1
