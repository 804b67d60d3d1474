"""A client of the `websockets` package on a real socket; behind it a model that tells how much it was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from suffice.errors import UpstreamError
from suffice.gateway.responses_socket import ResponsesSocket, SocketLimits
from suffice.values.system_env import SystemEnv
from suffice.wire.codec import ClientContext
from suffice.wire.neutral import Done, Start, Stop, TextDelta
from suffice.wire.openai_responses import ResponsesClient
from suffice.wire.sealed import HmacSealer

CLIENT = ResponsesClient(HmacSealer(b"0123456789abcdef"))
Emit = Callable[[str], Awaitable[None]]


class Model:
    """Answers with the number of items it was sent, or as the last text says."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.cancelled = 0

    async def run(self, body: bytes, emit: Emit) -> None:
        sent = json.loads(body)
        self.bodies.append(sent)
        asked = json.dumps(sent["input"])
        request = CLIENT.decode_request(body)
        encoder = CLIENT.stream_encoder(ClientContext(request=request, response_id=f"resp_{len(self.bodies)}"))
        events: list[Any] = [Start(model="up"), TextDelta(text=str(len(sent["input"])))]
        wire = b"".join(encoder.feed(event) for event in events)
        if "please fail" in asked:
            raise UpstreamError("all providers are down")
        if "please break" in asked:
            wire += encoder.fail(UpstreamError("cut", code="upstream_truncated"))
        elif "please vanish" not in asked:
            wire += encoder.feed(Stop(reason="end")) + encoder.feed(Done())
        try:
            for block in wire.split(b"\n\n"):
                if block:
                    await emit(block.partition(b"data: ")[2].decode())
            if "please hang" in asked:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


@asynccontextmanager
async def gateway(model: Model, limits: SocketLimits | None = None, **more: Any) -> AsyncIterator[str]:
    async def handle(connection: ServerConnection) -> None:
        async def receive() -> str | None:
            try:
                message = await connection.recv()
            except ConnectionClosed:
                return None
            return message if isinstance(message, str) else message.decode()

        await ResponsesSocket(
            env=SystemEnv(), receive=receive, send=connection.send, run=model.run, client=CLIENT, limits=limits, **more
        ).serve()

    async with serve(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/responses"


async def ask(socket: ClientConnection, text: Any = "hi", **more: Any) -> list[dict[str, Any]]:
    await socket.send(json.dumps({"type": "response.create", "model": "m", "input": text, **more}))
    return await end(socket)


async def end(socket: ClientConnection) -> list[dict[str, Any]]:
    events = []
    while True:
        event = json.loads(await asyncio.wait_for(socket.recv(), 10))
        events.append(event)
        if event["type"] in ("response.completed", "response.incomplete", "response.failed"):
            return events
        if event["type"] == "error" and "sequence_number" not in event:
            return events


async def test_responses_follow_each_other_on_one_connection() -> None:
    async with gateway(Model()) as url, connect(url) as socket:
        for _ in range(2):
            events = await ask(socket, store=False)
            assert events[0]["type"] == "response.created"
            assert events[-1]["type"] == "response.completed"
            assert [e["sequence_number"] for e in events] == list(range(len(events)))


async def test_a_warm_up_is_answered_here_and_can_be_continued() -> None:
    model = Model()
    async with gateway(model) as url, connect(url) as socket:
        rules = [{"type": "message", "role": "developer", "content": "Rules."}]
        first, last = await ask(socket, rules, generate=False, store=False)
        assert (first["type"], last["type"]) == ("response.created", "response.completed")
        assert last["response"]["output"] == []
        assert last["response"]["status"] == "completed"
        assert model.bodies == []
        events = await ask(socket, "hi", previous_response_id=last["response"]["id"], store=False)
        assert events[-1]["type"] == "response.completed"
    assert [item.get("role") for item in model.bodies[0]["input"]] == ["developer", "user"]
    assert "previous_response_id" not in model.bodies[0]
    assert "generate" not in model.bodies[0]
    assert model.bodies[0]["stream"] is True


async def test_a_chain_lives_in_its_connection_only() -> None:
    model = Model()
    async with gateway(model) as url:
        async with connect(url) as socket:
            first = (await ask(socket, store=False))[-1]["response"]["id"]
            second = (await ask(socket, previous_response_id=first, store=False))[-1]
            assert second["type"] == "response.completed"
            assert len(model.bodies[1]["input"]) == 3
        async with connect(url) as socket:
            (error,) = await ask(socket, previous_response_id=first, store=False)
            assert error["status"] == 400
            assert error["error"]["code"] == "previous_response_not_found"
            assert (await ask(socket))[-1]["type"] == "response.completed"


@pytest.mark.parametrize("text", ["please fail", "please break", "please vanish"])
async def test_a_failed_continuation_takes_its_base_with_it(text: str) -> None:
    async with gateway(Model()) as url, connect(url) as socket:
        first = (await ask(socket, store=False))[-1]["response"]["id"]
        failed = (await ask(socket, text, previous_response_id=first, store=False))[-1]
        assert failed["type"] in ("error", "response.failed")
        (error,) = await ask(socket, previous_response_id=first, store=False)
        assert error["error"]["code"] == "previous_response_not_found"


async def test_the_tenants_store_is_asked_and_resolves_later() -> None:
    model = Model()
    kept = {"resp_kept": [{"role": "user", "content": "before"}]}
    async with gateway(model, history=kept.get) as url, connect(url) as socket:
        events = await ask(socket, previous_response_id="resp_kept")
        assert events[-1]["type"] == "response.completed"
        assert model.bodies[0]["previous_response_id"] == "resp_kept"
        assert len(model.bodies[0]["input"]) == 1
        await ask(socket, previous_response_id=events[-1]["response"]["id"], store=False)
    assert len(model.bodies[1]["input"]) == 4


async def test_messages_wait_their_turn() -> None:
    async with gateway(Model()) as url, connect(url) as socket:
        for number in range(5):
            await socket.send(
                json.dumps({"type": "response.create", "input": [{"role": "user", "content": "x"}] * (number + 1)})
            )
        ends = [(await end(socket))[-1]["response"] for _ in range(5)]
    assert [one["output"][0]["content"][0]["text"] for one in ends] == ["1", "2", "3", "4", "5"]


async def test_a_client_that_leaves_stops_its_response() -> None:
    model = Model()
    async with gateway(model) as url:
        async with connect(url) as socket:
            await socket.send(json.dumps({"type": "response.create", "input": "please hang"}))
            await end(socket)
        async with asyncio.timeout(10):
            while not model.cancelled:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{nope", "invalid_request"),
        ("[]", "unknown_event"),
        ('{"type":"response.cancel"}', "unknown_event"),
        ('{"type":"response.create","input":7}', "invalid_request"),
        ('{"type":"response.create","previous_response_id":7}', "invalid_request"),
        ('{"type":"response.create","generate":false,"input":[{"role":"boss"}]}', "invalid_request"),
        ('{"type":"response.create","input":"' + "x" * 2000 + '"}', "request_too_large"),
    ],
)
async def test_bad_messages_are_told_and_the_connection_lives(message: str, code: str) -> None:
    async with gateway(Model(), SocketLimits(message_bytes=1000)) as url, connect(url) as socket:
        await socket.send(message)
        (error,) = await end(socket)
        assert error["error"]["code"] == code
        assert (await ask(socket))[-1]["type"] == "response.completed"


async def test_idle_and_old_connections_end_with_a_word() -> None:
    for limits, code in (
        (SocketLimits(idle_s=0.01), "idle_timeout"),
        (SocketLimits(lifetime_s=0.01), "websocket_connection_limit_reached"),
    ):
        async with gateway(Model(), limits) as url, connect(url) as socket:
            (error,) = await end(socket)
            assert error["error"]["code"] == code
            with pytest.raises(ConnectionClosed):
                await socket.recv()


async def test_the_chain_is_bounded() -> None:
    async with gateway(Model(), SocketLimits(chain_responses=2)) as url, connect(url) as socket:
        ids = [(await ask(socket))[-1]["response"]["id"] for _ in range(3)]
        assert (await ask(socket, previous_response_id=ids[0]))[-1]["error"]["code"] == "previous_response_not_found"
        assert (await ask(socket, previous_response_id=ids[2]))[-1]["type"] == "response.completed"
