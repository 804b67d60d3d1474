"""Damaged answers of every provider dialect to clients of every dialect, through a whole gateway: none breaks it, none succeeds falsely.

`make test-long` takes many more of them than `make test`; a failure names the seed, which gives the same answer again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.e2e import mangled, test_cloud_dialects
from tests.e2e.test_dialects import CLIENTS, PROVIDERS, talking
from tests.e2e.test_passed_on_streams import SUCCESS
from tests.gateway.running import Answer, Gateway, until
from websockets.asyncio.client import ClientConnection, connect

from suffice.testing.fake_upstream import FakeProvider

CLOUDS = test_cloud_dialects.CLOUDS
EVERY = pytest.mark.parametrize(
    ("client", "provider"), [(c, p) for c in CLIENTS for p in (*PROVIDERS, *CLOUDS)], ids=lambda name: str(name)
)
# The dialect whose streams a provider sends; what is not named here has it as its name.
SPEAKS = {"vertex-messages": "messages", "vertex-gemini": "gemini"}
# The dialect in which a client gets what it sends as it was.
PASSED_ON = SPEAKS | {"bedrock-messages": "messages"}
# What stands in a client's stream once part of a call was shown.
CALL = {
    "chat": r'"tool_calls":\[',
    "messages": r'"content_block_start","index":[0-9]+,"content_block":\{"type":"tool_use"',
    "gemini": "functionCall",
}


ENDS = ("response.completed", "response.incomplete", "response.failed")


async def ask(running: Gateway, client: str, scenario: str, streamed: bool, array: bool) -> Answer:
    speaker = CLIENTS[client]
    path = speaker.path
    if streamed and client == "gemini":
        path = path.replace(":generateContent", ":streamGenerateContent" + ("" if array else "?alt=sse"))
    return await running.post(path, speaker.body(scenario, streamed))


def looked_at(answer: Answer, client: str, provider: str, scenario: str) -> None:
    """A client can read what came; where the gateway wrote it, it is right too."""
    said = answer.body.decode()
    assert "internal error" not in said and "internal_error" not in said, said
    if answer.status != 200:
        assert answer.json["error"]["message"]
        return
    streamed = answer.headers["content-type"].startswith("text/event-stream")
    rows = [json.loads(event) for event in answer.events if event != "[DONE]"] if streamed else [answer.json]
    if PASSED_ON.get(provider, provider) != client:
        told = CLIENTS[client].told(answer)
        assert bool(told.error) != told.ended
        assert told.ended or not told.calls
        assert all(name and isinstance(given, dict) for name, given in told.calls)
        return
    failed = any(isinstance(row, dict) and (row.get("error") or row.get("type") == "response.failed") for row in rows)
    if failed and streamed and scenario in ("tools", "parallel") and client != "responses":
        # With tools nothing of a call passes before the answer is whole.
        assert not re.search(CALL[client], said.replace(": ", ":"))
        assert not any(mark in said for mark in SUCCESS[client])


async def try_all(client: str, provider: str, seeds: range, folder: Path, log: pytest.LogCaptureFixture) -> None:
    log.set_level(logging.ERROR)
    opened = (talking if provider in PROVIDERS else test_cloud_dialects.talking)(folder, provider, mangled.Behaviour())
    async with opened as (running, fake):
        for seed in seeds:
            try:
                await one(running, fake, client, provider, Random(f"{client} {provider} {seed}"))
                assert not log.records, log.text
            except Exception as error:
                error.add_note(f"{provider} to {client}, seed {seed}")
                raise
        assert await running.findings() == []


async def one(running: Gateway, fake: FakeProvider, client: str, provider: str, rnd: Random) -> None:
    running.runtime.health._circuits.clear()  # every answer is tried, however bad the last one was
    streamed, scenario = rnd.random() < 0.75, rnd.choice(["text", "tools", "parallel", "reasoning", "structured"])
    fake.set_script(mangled.script(SPEAKS.get(provider, provider), rnd, streamed))
    answer = await ask(running, client, scenario, streamed, rnd.random() < 0.3)
    looked_at(answer, client, provider, scenario)
    await until(lambda: not running.runtime.ledger._open)


@EVERY
async def test_a_damaged_answer_breaks_nothing(
    client: str, provider: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    await try_all(client, provider, range(12), tmp_path, caplog)


async def told(socket: ClientConnection) -> dict[str, Any]:
    """The end of one answer on a socket; what came before it is read."""
    while True:
        event: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 20))
        # An error that is one of a response's events is followed by that response's end.
        if event["type"] in ENDS or (event["type"] == "error" and "sequence_number" not in event):
            return event


@pytest.mark.parametrize("provider", [*PROVIDERS, *CLOUDS])
async def test_a_damaged_answer_breaks_no_socket(provider: str, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """One connection for all of them: after each it is good for the next."""
    caplog.set_level(logging.ERROR)
    opened = (talking if provider in PROVIDERS else test_cloud_dialects.talking)(
        tmp_path, provider, mangled.Behaviour()
    )
    async with opened as (running, fake), connect(running.base_url.replace("http", "ws") + "/responses") as socket:
        for seed in range(12):
            rnd = Random(f"socket {provider} {seed}")
            running.runtime.health._circuits.clear()
            fake.set_script(mangled.script(SPEAKS.get(provider, provider), rnd, True))
            body = CLIENTS["responses"].body(rnd.choice(["text", "tools"]), False)
            await socket.send(json.dumps({"type": "response.create", "store": False, **body}))
            end = await told(socket)
            assert "internal" not in json.dumps(end) and not caplog.records, (seed, end, caplog.text)
            await until(lambda: not running.runtime.ledger._open)
        fake.set_script(mangled.Behaviour(text="Whole again."))
        await socket.send(
            json.dumps({"type": "response.create", "store": False, **CLIENTS["responses"].body("text", False)})
        )
        assert "Whole again." in json.dumps(await told(socket))
        assert await running.findings() == []


@pytest.mark.long
@EVERY
async def test_many_damaged_answers_break_nothing(
    client: str, provider: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    await try_all(client, provider, range(100, 500), tmp_path, caplog)
