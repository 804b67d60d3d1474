from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import Gateway, one_provider
from tests.gateway.test_outcomes import ask, learned

from suffice.testing import presets

WISH = "Write a function that parses an ISO date."
RUN = {"x-session-id": "run"}


async def kinds(running: Gateway, request: str) -> list[tuple[str, float]]:
    return [(o.kind, o.weight) for o in (await running.story(request)).outcomes]


async def test_the_same_ask_again_speaks_of_the_answer_before(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        running.runtime.implicit.least_s = 0.0
        first = await ask(running, RUN, WISH)
        before = learned(running)
        second = await ask(running, RUN, WISH.replace(" ", "  "))
        assert await kinds(running, first) == [("asked_again", 0.3)]
        assert learned(running) == before + 1
        await ask(running, {"x-session-id": "another"}, WISH)
        assert await kinds(running, second) == []


async def test_a_complaint_rejects_the_answer_before(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        running.runtime.implicit.least_s = 0.0
        first = await ask(running, RUN, WISH)
        second = await ask(running, RUN, "That's wrong, it fails on leap seconds.")
        assert await kinds(running, first) == [("rejected", 0.3)]
        await ask(running, RUN, "Thanks. Now write its documentation, please.")
        assert await kinds(running, second) == []


async def test_what_comes_too_soon_is_a_program(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        running.runtime.implicit.least_s = 60.0
        first = await ask(running, RUN, WISH)
        await ask(running, RUN, WISH)
        assert await kinds(running, first) == []


async def test_a_retry_of_what_failed_is_no_sign(tmp_path: Path):
    async with one_provider(tmp_path, presets.invalid()) as (running, _):
        running.runtime.implicit.least_s = 0.0
        message = [{"role": "user", "content": WISH}]
        failed = await running.chat("auto", RUN, messages=message)
        assert failed.status >= 400
        await running.chat("auto", RUN, messages=message)
        assert await kinds(running, failed.request_id) == []


def said(client: str, *turns: str) -> tuple[str, dict[str, Any]]:
    """The path and the body of a conversation of `client` whose turns are the user's and the model's in turn."""
    roles = [("user", "assistant")[at % 2] for at in range(len(turns))]
    rows = [{"role": role, "content": text} for role, text in zip(roles, turns, strict=True)]
    parts = [
        {"role": "user" if role == "user" else "model", "parts": [{"text": text}]}
        for role, text in zip(roles, turns, strict=True)
    ]
    return {
        "messages": ("/messages", {"model": "auto", "max_tokens": 500, "messages": rows}),
        "responses": ("/responses", {"model": "auto", "input": rows}),
        "gemini": ("v1beta/models/auto:generateContent", {"contents": parts}),
    }[client]


REMINDER = "<system-reminder>\nToday is Monday. The tests were broken.\n</system-reminder>\n"


@pytest.mark.parametrize("client", ["messages", "responses", "gemini"])
async def test_every_conversation_is_heard_whatever_its_client_puts_around_the_words(client: str, tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        running.runtime.implicit.least_s = 0.0
        first = await running.post(*said(client, REMINDER + WISH), RUN)
        second = await running.post(*said(client, REMINDER + WISH, "Here.", REMINDER + "That's wrong."), RUN)
        third = await running.post(*said(client, REMINDER + WISH, "So.", WISH + "\n" + REMINDER), RUN)
        fourth = await running.post(*said(client, WISH, "So.", WISH, "Hm.", REMINDER), RUN)
        assert [got.status for got in (first, second, third, fourth)] == [200, 200, 200, 200]
        told = [await kinds(running, got.request_id) for got in (first, second, third, fourth)]
        assert told == [[("rejected", 0.3)], [], [], []]
        await running.post(*said(client, "That's wrong."), RUN)
        again = await running.post(*said(client, WISH), RUN)
        await running.post(*said(client, REMINDER + WISH), RUN)
        assert await kinds(running, again.request_id) == [("asked_again", 0.3)]


async def test_what_a_client_asks_by_itself_repeats_nothing(tmp_path: Path):
    """Titles are asked for with the user's own words, often in the same session."""
    title = "Generate a short title for this conversation."
    async with one_provider(tmp_path) as (running, _):
        running.runtime.implicit.least_s = 0.0
        first = await ask(running, RUN, WISH)
        rows = [{"role": "system", "content": title}, {"role": "user", "content": WISH}]
        named = await running.chat("auto", RUN, messages=rows)
        assert await kinds(running, first) == []
        await ask(running, RUN, "That's wrong, it fails on leap seconds.")
        assert await kinds(running, named.request_id) == []
        assert await kinds(running, first) == [("rejected", 0.3)]
