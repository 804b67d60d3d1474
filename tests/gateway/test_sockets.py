"""Responses over a WebSocket through a whole gateway: the listener, the handshake, one pipeline for every response."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import Gateway, one_provider
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from suffice.testing.script import Behaviour, Error, Timing, Toxic


def url(up: Gateway, path: str = "/v1/responses") -> str:
    return f"ws://127.0.0.1:{up.port}{path}"


async def events(socket: ClientConnection) -> list[dict[str, Any]]:
    """The events of one answer."""
    found = []
    while True:
        event = json.loads(await asyncio.wait_for(socket.recv(), 10))
        found.append(event)
        if event["type"] in ("response.completed", "response.incomplete", "response.failed"):
            return found
        if event["type"] == "error" and "sequence_number" not in event:
            return found


async def ask(socket: ClientConnection, text: Any = "hi", **more: Any) -> list[dict[str, Any]]:
    await socket.send(json.dumps({"type": "response.create", "model": "openai/m", "input": text, **more}))
    return await events(socket)


async def test_a_turn_is_a_request_of_its_own_with_a_row_in_the_ledger(tmp_path: Path):
    async with one_provider(tmp_path, Behaviour(text="Sunny.")) as (up, fake), connect(url(up)) as socket:
        for _ in range(2):
            found = await ask(socket)
            assert found[0]["type"] == "response.created"
            assert found[-1]["response"]["output"][-1]["content"][0]["text"] == "Sunny."
            assert [e["sequence_number"] for e in found] == list(range(len(found)))
        rows = await up.recent()
        assert len({row.row.request_id for row in rows}) == 2
        assert {row.row.charge_class for row in rows} == {"exact"}
        assert len(fake.requests) == 2
        assert await up.findings() == []


async def test_a_warm_up_asks_no_provider_and_is_continued_with_new_input_only(tmp_path: Path):
    async with one_provider(tmp_path, Behaviour(text="ok")) as (up, fake), connect(url(up)) as socket:
        warm = await ask(socket, [{"role": "developer", "content": "Rules."}], generate=False, store=False)
        assert [e["type"] for e in warm] == ["response.created", "response.completed"]
        assert fake.requests == []
        first = (await ask(socket, previous_response_id=warm[-1]["response"]["id"], store=False))[-1]["response"]
        await ask(socket, "more", previous_response_id=first["id"], store=False)
        sent = fake.requests[1].parsed
        assert sent is not None and "previous_response_id" not in sent
        assert [item.get("role") for item in sent["input"]] == ["developer", "user", "assistant", "user"]


async def test_an_unknown_previous_response_is_told_in_the_connection(tmp_path: Path):
    async with one_provider(tmp_path) as (up, _), connect(url(up)) as socket:
        (error,) = await ask(socket, previous_response_id="resp_nobody", store=False)
        assert (error["status"], error["error"]["code"]) == (400, "previous_response_not_found")
        assert (await ask(socket))[-1]["type"] == "response.completed"


async def test_what_was_stored_over_http_is_continued_here(tmp_path: Path):
    async with one_provider(tmp_path, Behaviour(text="ok")) as (up, fake):
        first = (await up.post("/responses", {"model": "openai/m", "input": "hi"})).json["id"]
        async with connect(url(up)) as socket:
            assert (await ask(socket, previous_response_id=first))[-1]["type"] == "response.completed"
        assert len((fake.requests[1].parsed or {})["input"]) == 3


async def test_a_key_is_needed_before_the_connection_opens_and_for_each_turn(tmp_path: Path):
    async with one_provider(tmp_path) as (up, fake):
        key = await up.key(owner="a")
        with pytest.raises(InvalidStatus) as refused:
            await connect(url(up))
        assert refused.value.response.status_code == 401
        assert json.loads(refused.value.response.body or b"")["error"]["code"] == "missing_api_key"
        async with connect(url(up), additional_headers=key) as socket:
            assert (await ask(socket))[-1]["type"] == "response.completed"
            (record,) = up.runtime.keys.list()
            await asyncio.to_thread(up.runtime.keys.revoke, record.id)
            (error,) = await ask(socket)
            assert error["status"] == 401
        assert len(fake.requests) == 1


async def test_a_spent_budget_refuses_the_next_turn(tmp_path: Path):
    head = '[budgets.small]\nlimit_usd = 0.000001\nwindow = "day"\n'
    async with one_provider(tmp_path, head=head) as (up, fake):
        key = await up.key(owner="a", budgets=("small",))
        async with connect(url(up), additional_headers=key) as socket:
            (error,) = await ask(socket)
            assert error["status"] == 402
        assert fake.requests == []


async def test_web_pages_are_refused_while_there_is_no_key(tmp_path: Path):
    async with one_provider(tmp_path) as (up, _):
        with pytest.raises(InvalidStatus) as refused:
            await connect(url(up), origin="https://evil.example")  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403


async def test_there_is_one_path(tmp_path: Path):
    async with one_provider(tmp_path) as (up, _):
        with pytest.raises(InvalidStatus) as refused:
            await connect(url(up, "/v1/chat/completions"))
        assert refused.value.response.status_code == 404
        assert json.loads(refused.value.response.body or b"")["error"]["code"] == "unknown_route"


async def test_an_error_of_the_provider_leaves_the_connection_open(tmp_path: Path):
    script = [Behaviour(status=400, error=Error(message="no such thing")), Behaviour(text="ok")]
    async with one_provider(tmp_path, script) as (up, _), connect(url(up)) as socket:
        (error,) = await ask(socket)
        assert error["status"] == 400
        assert (await ask(socket))[-1]["type"] == "response.completed"


async def test_a_stream_that_breaks_ends_as_failed(tmp_path: Path):
    script = Behaviour(text="one two three four", toxic=Toxic(cut_after_events=6))
    async with one_provider(tmp_path, script) as (up, _), connect(url(up)) as socket:
        found = await ask(socket)
        assert [e["type"] for e in found[-2:]] == ["error", "response.failed"]


async def test_a_client_that_leaves_stops_the_provider_and_is_charged_for_what_came(tmp_path: Path):
    script = Behaviour(text="one two three four five six", timing=Timing(between_tokens_s=5.0))
    async with one_provider(tmp_path, script) as (up, _):
        async with connect(url(up)) as socket:
            await socket.send(json.dumps({"type": "response.create", "model": "openai/m", "input": "hi"}))
            await asyncio.wait_for(socket.recv(), 10)
        async with asyncio.timeout(10):
            while not (rows := await up.recent()):
                await asyncio.sleep(0.01)
        assert [row.row.outcome for row in rows] == ["cancelled"]
        assert await up.findings() == []


async def test_a_message_over_the_limit_ends_the_connection(tmp_path: Path):
    async with (
        one_provider(tmp_path, head="[server]\nmax_body_bytes = 65536\n") as (up, _),
        connect(url(up)) as socket,
    ):
        await socket.send(json.dumps({"type": "response.create", "input": "x" * 70_000}))
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


async def test_a_client_that_takes_nothing_is_cut(tmp_path: Path):
    async with one_provider(tmp_path, Behaviour(text="word " * 400_000)) as (up, _):
        assert up.runtime._sockets is not None
        up.runtime._sockets._take_s = 0.1
        async with connect(url(up), max_queue=1) as socket:
            socket.transport.pause_reading()
            await socket.send(json.dumps({"type": "response.create", "model": "openai/m", "input": "hi"}))
            async with asyncio.timeout(20):
                while not (rows := await up.recent()):
                    await asyncio.sleep(0.02)
            assert [row.row.outcome for row in rows] == ["cancelled"]
