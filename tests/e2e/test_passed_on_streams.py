"""The same dialect on both sides, and the stream dies: no success, an error of the dialect, elsewhere while nothing was seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.e2e.clients import ask
from tests.e2e.test_dialects import CLIENTS, PROVIDERS, inside, settings, talking
from tests.gateway.running import gateway
from tests.wire import mangling

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Timing, ToolCall, Toxic

DIALECTS = pytest.mark.parametrize("dialect", list(PROVIDERS))
CALLS = (ToolCall(name="weather", arguments='{"city":"Oslo is a long name for a city"}'),)
SLOW = Timing(between_tokens_s=0.01)
# What each dialect says only of an answer that is complete.
SUCCESS = {
    "chat": ("[DONE]", '"finish_reason":"tool_calls"', '"finish_reason":"stop"'),
    "messages": ("message_stop", '"stop_reason":"'),
    "responses": ("response.completed", "response.incomplete"),
    "gemini": ("finishReason",),
}


def last_word(dialect: str, body: bytes) -> Any:
    """The error with which a broken stream ends, as its dialect's clients look for it."""
    events = [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]
    last = json.loads(events[-1])
    if dialect == "responses":
        assert last["type"] == "response.failed" and last["response"]["status"] == "failed"
        return last["response"]["error"]
    if dialect == "messages":
        assert last["type"] == "error" and b"event: error\n" in body
    return last["error"]


@DIALECTS
@pytest.mark.parametrize("toxic", [None, Toxic(cut_after_events=2, rst=True), Toxic(error_after_events=3)])
async def test_a_stream_that_dies_inside_a_call_is_no_success(dialect: str, toxic: Toxic | None, tmp_path: Path):
    said = Behaviour(text="I look.", tool_calls=CALLS, toxic=toxic or inside(dialect), timing=SLOW)
    async with talking(tmp_path, dialect, said) as (running, _):
        path = CLIENTS[dialect].path.replace(":generateContent", ":streamGenerateContent?alt=sse")
        answer = await running.post(path, CLIENTS[dialect].body("tools", True))
        body = answer.body.decode().replace(": ", ":")
        assert not any(mark in body for mark in SUCCESS[dialect])
        if answer.status == 200:
            assert last_word(dialect, answer.body)["message"]
        else:
            assert answer.status >= 500 and answer.json["error"]["message"]
        assert {row.row.outcome for row in await running.rows(answer)} == {"failed"}
        assert await running.findings() == []


@DIALECTS
@pytest.mark.parametrize("toxic", [Toxic(connection="rst"), Toxic(cut_after_events=0), Toxic(error_after_events=0)])
async def test_a_stream_that_dies_before_anything_was_seen_goes_on_elsewhere(
    dialect: str, toxic: Toxic, tmp_path: Path
):
    good = Behaviour(text="", tool_calls=(ToolCall(name="weather", arguments='{"city":"Oslo"}'),))
    key = "key-of-ours-1234"
    async with (
        FakeProvider(replace(good, toxic=toxic), models=("m",), api_key=key) as first,
        FakeProvider(good, models=("m",), api_key=key) as second,
        gateway(
            f'[aliases]\none = ["{PROVIDERS[dialect][0]}/m"]\n'
            + settings(dialect, first.base_url, "a")
            + settings(dialect, second.base_url, "b"),
            tmp_path,
        ) as running,
    ):
        told = await ask(running, CLIENTS[dialect], "tools", True)
        assert (told.status, told.calls, told.ended) == (200, [("weather", {"city": "Oslo"})], True)
        # A connection that broke is tried once more at the same place first.
        assert [row.row.outcome for row in await running.rows(told.answer)][-1] == "ok"
        assert first.requests and len(second.requests) == 1


PAGE = "<html><body>Sign in</body></html>"
WRONG = [(PAGE, "text/html"), ('{"hello": "world"}', "application/json"), ("data: {}\n\n", "application/octet-stream")]


@DIALECTS
@pytest.mark.parametrize("client", ["chat", "messages"])
@pytest.mark.parametrize(("body", "kind"), WRONG, ids=["page", "json", "bytes"])
async def test_a_stream_of_a_wrong_type_is_a_failure_with_its_status(
    dialect: str, client: str, body: str, kind: str, tmp_path: Path
):
    async with talking(tmp_path, dialect, Behaviour(body=body, content_type=kind)) as (running, _):
        told = await ask(running, CLIENTS[client], "tools", True)
        assert told.status >= 500 and told.error and not (told.text or told.calls or told.ended)
        assert "Sign in" not in told.answer.body.decode() and "world" not in told.answer.body.decode()


@DIALECTS
@pytest.mark.parametrize("scenario", ["text", "tools"])
@pytest.mark.parametrize("write", [0, 5])
async def test_a_last_event_without_its_end_leaves_no_gap_in_the_numbers(
    dialect: str, scenario: str, write: int, tmp_path: Path
):
    rows = mangling.payloads(dialect, Behaviour(text="This goes on for a while."))
    first = next(i for i, row in enumerate(rows) if b'"This' in row)
    data = b"".join(mangling.framed(dialect, rows[: first + 3])).rstrip()
    cut = Behaviour(body=data.decode(), content_type="text/event-stream", timing=Timing(write_bytes=write))
    async with talking(tmp_path, dialect, cut) as (running, _):
        told = await ask(running, CLIENTS["responses"], scenario, True)
        assert told.error and not told.ended
        assert told.text and "This goes on".startswith(told.text)
