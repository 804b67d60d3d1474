"""`gate-tools` for clients of every dialect, over real sockets: no client sees a broken tool call, each gets the right edit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.clients import Told
from tests.e2e.edit_clients import GOOD, MISTAKES, RIGHT, bad, body, conversation, path
from tests.e2e.test_dialects import CLIENTS, EVERY, settings, talking
from tests.gateway.running import Answer, Gateway, endpoint, gateway
from tests.gateway.test_pipeline import Planner

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Toxic

HOLD = {"x-suffice-mode": "gate-tools"}
ALL = pytest.mark.parametrize("client", CLIENTS)
# A provider of Gemini gives arguments as an object: broken JSON cannot come from it, nor can custom tools.
DELIVERABLE = [(c, m) for c in CLIENTS for m in MISTAKES if c != "gemini" or m not in ("truncated", "broken JSON")]


async def run(running: Gateway, client: str, model: str = "one", mode: str = "gate-tools", **fields: Any) -> Told:
    answer = await running.post(path(client, model), body(client, model) | fields, {"x-suffice-mode": mode})
    told: Told = CLIENTS[client].told(answer)
    return told


def answer_of(told: Told) -> Answer:
    assert told.answer is not None
    return told.answer


async def check(running: Gateway, client: str, told: Told) -> None:
    """The client has the right edit of one answer, and the ledger has both answers and their sum."""
    assert told.calls == [("str_replace", RIGHT)]
    assert (told.stop, told.ended) == (CLIENTS[client].stops["tools"], True)
    story = await running.story(answer_of(told).request_id)
    rows = story.attempts
    assert [r.row.outcome for r in rows] == ["rejected", "ok"]
    assert all(r.row.charge_nano > 0 for r in rows)
    assert story.charged == sum(r.row.charge_nano for r in rows)
    assert [v.gate for v in rows[0].detail.result.verdicts if v.rejected]
    usages = [r.detail.result.usage for r in rows]
    assert told.prompt_tokens == sum(u.prompt_tokens for u in usages)
    assert told.output_tokens == sum(u.completion_tokens for u in usages)
    assert await running.findings() == []


@pytest.mark.parametrize("text", ["Let me look.", ""], ids=["spoken", "silent"])
@EVERY
async def test_every_pair_of_dialects(client: str, provider: str, text: str, tmp_path: Path):
    mistake = "an edit that does not apply"
    async with talking(tmp_path, provider, [bad(mistake, text), GOOD]) as (running, fake):
        told = await run(running, client)
        await check(running, client, told)
        # Prose is the first answer's where it was seen, the second's where nothing was: never both.
        assert told.text == (text or "Mending it.")
        first, second = (json.loads(request.body) for request in fake.requests)
        before, after = conversation(provider, first), conversation(provider, second)
        assert "Your previous answer was checked" in json.dumps(after[-1])
        assert after[: len(before) - 1] == before[:-1]


@pytest.mark.parametrize(("client", "mistake"), DELIVERABLE)
async def test_every_mistake_where_client_and_provider_speak_alike(client: str, mistake: str, tmp_path: Path):
    async with talking(tmp_path, client, [bad(mistake), GOOD]) as (running, _):
        told = await run(running, client)
        await check(running, client, told)
        assert told.text == "Let me look."


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("client", [name for name in CLIENTS if name != "chat"])
async def test_every_mistake_of_a_translated_provider(client: str, mistake: str, tmp_path: Path):
    async with talking(tmp_path, "chat", [bad(mistake), GOOD]) as (running, _):
        told = await run(running, client)
        await check(running, client, told)


@asynccontextmanager
async def two(folder: Path, native: str, small: Behaviour, big: Behaviour) -> AsyncIterator[Gateway]:
    """A small model of the chat dialect, a big one of the `native` dialect; the small one is always asked first."""
    async with FakeProvider(small, models=("m",)) as one, FakeProvider(big, models=("m",)) as other:
        provider = "openai" if native in ("chat", "responses") else None
        place = (
            endpoint("big", other.base_url, more=f'dialects = ["{native}"]')
            if provider
            else settings(native, other.base_url, "big")
        )
        name = {"messages": "anthropic/m", "gemini": "google-gemini/m"}.get(native, "openai/m")
        toml = f'[aliases]\none = ["groq/m", "{name}"]\n' + endpoint("small", one.base_url, provider="groq") + place
        async with gateway(toml, folder) as running:
            planner = Planner(second=name)
            running.runtime.state.router = lambda target: planner  # type: ignore[method-assign,assignment,return-value]
            yield running


@ALL
async def test_a_stronger_model_of_another_dialect_takes_the_action_over(client: str, tmp_path: Path):
    async with two(tmp_path, client, bad("unknown tool"), GOOD) as running:
        told = await run(running, client)
        await check(running, client, told)
        rows = await running.rows(answer_of(told))
    assert [r.row.endpoint for r in rows] == ["small", "big"]
    assert told.text == "Let me look."


@ALL
async def test_a_broken_call_is_never_given_and_a_whole_one_goes_out_as_it_is(client: str, tmp_path: Path):
    async with talking(tmp_path / "a", "chat", bad("broken JSON")) as (running, fake):
        told = await run(running, client)
        assert len(fake.requests) == 2
        assert [r.row.outcome for r in await running.rows(answer_of(told))] == ["rejected", "rejected"]
    assert (told.calls, told.ended, told.text) == ([], False, "Let me look.")
    assert told.error
    assert "return a" not in answer_of(told).body.decode()
    async with talking(tmp_path / "b", "chat", bad("an edit that does not apply")) as (running, _):
        told = await run(running, client)
    assert [name for name, _ in told.calls] == ["str_replace"]
    assert told.ended


@ALL
async def test_a_broken_call_of_a_whole_answer_is_an_error_and_not_an_empty_body(client: str, tmp_path: Path):
    async with talking(tmp_path, "messages" if client == "chat" else "chat", bad("broken JSON")) as (running, _):
        whole = path(client).replace(":streamGenerateContent?alt=sse", ":generateContent")
        answer = await running.post(whole, {k: v for k, v in body(client).items() if not k.startswith("stream")})
    assert answer.status == 502
    assert "no whole JSON object" in answer.body.decode()


@ALL
async def test_a_good_answer_is_what_it_is_without_holding(client: str, tmp_path: Path):
    async with talking(tmp_path, client, GOOD) as (running, fake):
        held = await run(running, client)
        plain = await run(running, client, mode="commit")
        assert len(fake.requests) == 2
    assert (held.calls, held.text, held.stop) == (plain.calls, plain.text, plain.stop)
    assert len(answer_of(held).events) == len(answer_of(plain).events)


@ALL
async def test_a_stream_that_breaks_while_it_is_held_releases_nothing_of_the_call(client: str, tmp_path: Path):
    events = {"chat": 6, "messages": 7, "responses": 10, "gemini": 2}[client]
    broken = Behaviour(text="Hm.", tool_calls=GOOD.tool_calls, toxic=Toxic(cut_after_events=events))
    async with talking(tmp_path, client, broken) as (running, _):
        told = await run(running, client)
        assert await running.findings() == []
    assert (told.text, told.calls, told.ended) == ("Hm.", [], False)
    assert told.error
    assert "return a" not in answer_of(told).body.decode()


@ALL
async def test_a_stream_that_breaks_inside_a_call_is_asked_for_once_more(client: str, tmp_path: Path):
    events = {"chat": 6, "messages": 7, "responses": 10, "gemini": 2}[client]
    broken = Behaviour(text="Hm.", tool_calls=GOOD.tool_calls, toxic=Toxic(cut_after_events=events))
    async with talking(tmp_path, client, [broken, GOOD]) as (running, _):
        told = await run(running, client, mode="auto")
        rows = await running.rows(answer_of(told))
        assert await running.findings() == []
    assert (told.text, told.calls, told.ended) == ("Hm.", [("str_replace", RIGHT)], True)
    assert [r.row.outcome for r in rows] == ["failed", "ok"]
    assert all(r.row.charge_nano > 0 for r in rows)


async def test_a_response_made_of_two_answers_is_stored_and_continued_as_the_client_saw_it(tmp_path: Path):
    for provider in ("responses", "chat"):
        script = [bad("unknown tool"), GOOD, Behaviour(text="Done.")]
        async with talking(tmp_path / provider, provider, script) as (running, fake):
            told = await run(running, "responses")
            last = json.loads(answer_of(told).events[-1])["response"]
            stored = (await running.get(f"/responses/{last['id']}")).json
            assert stored["output"] == last["output"]
            output = {"type": "function_call_output", "call_id": told.ids[0], "output": "done"}
            more = body("responses") | {"previous_response_id": last["id"], "input": [output]}
            again = CLIENTS["responses"].told(await running.post("/responses", more))
            assert again.text == "Done."
            sent = json.dumps(fake.requests[2].parsed)
        assert "Let me look." in sent
        assert "edit_the_file" not in sent
        assert "Mending it." not in sent
