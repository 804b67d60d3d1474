"""The listener's side of WebSockets: who may begin one, and how they end when the gateway stops."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests.gateway.running import one_provider
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from suffice.gateway.server import Limits, guarded
from suffice.gateway.websocket import CUT, DRAIN, DrainingWebSocket, options

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = (
    "Host: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
)


class Listening:
    """An application of WebSockets on a real listener, which notes what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.server: uvicorn.Server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.told.append("http")
            await asyncio.sleep(0.05)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        while True:
            message = await receive()
            self.told.append(message["type"])
            if message["type"] == "websocket.connect":
                await send({"type": "websocket.accept"})
            elif message["type"] == DRAIN:
                await send({"type": "websocket.send", "text": "the last word"})
                await send({"type": "websocket.close", "code": 1012})
            elif message["type"] == "websocket.receive":
                await send({"type": CUT})
            else:
                return

    async def __aenter__(self) -> int:
        config = uvicorn.Config(
            self, port=0, http=guarded(Limits()), lifespan="off", log_config=None, server_header=False, **options(1000)
        )
        config.load()
        self.server = uvicorn.Server(config)
        self.server.lifespan = config.lifespan_class(config)
        await self.server.startup()
        return int(self.server.servers[0].sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        self.server.force_exit = True
        for connection in list(self.server.server_state.connections):
            connection.transport.close()
        await self.server.shutdown()


async def test_a_stop_is_told_to_the_application_which_ends_the_connection():
    app = Listening()
    async with app as port, connect(f"ws://127.0.0.1:{port}/") as socket:
        stopping = asyncio.create_task(app.server.shutdown())
        assert await asyncio.wait_for(socket.recv(), 10) == "the last word"
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012
        await asyncio.wait_for(stopping, 10)
    assert app.told == ["websocket.connect", DRAIN, "websocket.disconnect"]


async def test_a_cut_takes_the_connection_away_at_once():
    async with Listening() as port, connect(f"ws://127.0.0.1:{port}/") as socket:
        await socket.send("x")
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 10)
        assert closed.value.rcvd is None


async def test_the_query_of_a_connection_is_not_logged(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        async with Listening() as port, connect(f"ws://127.0.0.1:{port}/?key=sk-sf-secret"):
            pass
    assert not [r for r in caplog.records if "client" not in r.name and "sk-sf" in r.getMessage()]


@pytest.mark.parametrize(
    "head",
    [
        f"POST /v1/responses HTTP/1.1\r\n{UPGRADE}\r\n",
        f"GET /v1/responses HTTP/1.1\r\n{UPGRADE}Content-Length: 3\r\n\r\nabc",
        f"GET /v1/responses HTTP/1.1\r\n{UPGRADE}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        f"GET /v1/responses HTTP/1.1\r\n{UPGRADE}Host: other\r\n\r\n",
        f"GET //v1/responses HTTP/1.1\r\n{UPGRADE}\r\n",
        f"GET /v1/responses HTTP/1.1\r\n{UPGRADE}{''.join(f'X-{n}: y' + chr(13) + chr(10) for n in range(120))}\r\n",
    ],
    ids=["method", "body", "chunked", "two-hosts", "target", "headers"],
)
async def test_the_guards_of_the_listener_come_first(head: str, exchange: Any):
    app = Listening()
    async with app as port:
        answer = await exchange(port, head.encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"431")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "bad_http"
    assert app.told == []


async def test_no_connection_is_taken_over_while_an_answer_is_under_way(exchange: Any):
    app = Listening()
    async with app as port:
        first = b"GET /a HTTP/1.1\r\nHost: gateway\r\n\r\n"
        answer = await exchange(port, first + f"GET /v1/responses HTTP/1.1\r\n{UPGRADE}\r\n".encode())
    assert b"101" not in answer.partition(b"\r\n")[0]
    assert "websocket.connect" not in app.told


async def test_other_protocols_are_not_offered(tmp_path: Path, exchange: Any):
    async with one_provider(tmp_path) as (up, _):
        head = b"GET /v1/responses HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
        answer = await exchange(up.port, head)
    assert answer.startswith(b"HTTP/1.1 400")


def test_the_protocol_is_the_one_that_drains():
    assert options(5)["ws"] is DrainingWebSocket
    assert options(5)["ws_max_size"] == 5
