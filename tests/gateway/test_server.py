import asyncio
from typing import Any

import pytest

from suffice.gateway.server import Limits


async def hello(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    if message["type"] == "http.disconnect":
        return
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


HEAD = b"POST /v1/x HTTP/1.1\r\nHost: gateway\r\n"
CLOSE = b"Connection: close\r\n"


async def test_a_good_request_passes(serve: Any, exchange: Any):
    async with serve(hello) as port:
        answer = await exchange(port, HEAD + CLOSE + b"Content-Length: 2\r\n\r\nab")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"ok")


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nab",
        HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        HEAD + b"Content-Length: 2, 3\r\n\r\nab",
        HEAD + b"Content-Length: +2\r\n\r\nab",
        HEAD + b"Content-Length: 1_0\r\n\r\nab",
        HEAD + b"Content-Length: -1\r\n\r\nab",
        HEAD + b"Content-Length: 1000000000000000000000000000000\r\n\r\nab",
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length : 2\r\n\r\nab",
        HEAD + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X: a\x00b\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nab\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabXX0\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nHost: a/admin?x=\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nHost: a#\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nHost: a@b\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nHost: a\\b\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nHost: \r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nHost: " + b"a" * 1024 + b"\r\nContent-Length: 0\r\n\r\n",
        b"POST //admin HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/../admin HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/%2fadmin HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/%00 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1\\x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"POST http://other/v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /v1/x HTTP/9.9\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01 not http at all\r\n\r\n",
        HEAD + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_hostile_bytes_are_refused(serve: Any, exchange: Any, request_bytes: bytes):
    async with serve(hello) as port:
        answer = await exchange(port, request_bytes)
        assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 505", b"HTTP/1.1 501", b"")
        assert b"200 OK" not in answer
        assert (await exchange(port, HEAD + CLOSE + b"\r\n")).startswith(b"HTTP/1.1 200"), "the process lives"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n", b"431"),
        (HEAD + b"X: a\r\n" * 200 + b"\r\n", b"431"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
    ],
)
async def test_limits(serve: Any, exchange: Any, request_bytes: bytes, status: bytes):
    async with serve(hello) as port:
        assert (await exchange(port, request_bytes))[9:12] == status


async def test_exactly_at_the_header_limit_is_served(serve: Any, exchange: Any):
    limits = Limits(header_count=5)
    async with serve(hello, limits) as port:
        assert (await exchange(port, HEAD + CLOSE + b"X: a\r\n" * 3 + b"\r\n"))[9:12] == b"200"
        assert (await exchange(port, HEAD + CLOSE + b"X: a\r\n" * 4 + b"\r\n"))[9:12] == b"431"


@pytest.mark.parametrize(
    "sent",
    [b"POST /v1/x HTTP/1.1\r\nHost: a\r\n", HEAD + b"Content-Length: 10\r\n\r\nabc", b""],
    ids=["slow header", "slow body", "idle"],
)
async def test_slow_clients_are_closed(serve: Any, exchange: Any, sent: bytes):
    limits = Limits(header_s=0.2, body_s=0.2, idle_s=0.2)
    async with serve(hello, limits) as port:
        answer = await exchange(port, sent)  # returns only because the gateway closes
    assert answer == b"" or answer[9:12] == b"408"


async def test_an_idle_connection_is_closed_after_its_last_answer(serve: Any, exchange: Any):
    async with serve(hello, Limits(idle_s=0.2)) as port:
        assert (await exchange(port, HEAD + b"\r\n")).startswith(b"HTTP/1.1 200")


async def test_a_client_that_leaves_cancels_its_request(serve: Any):
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        scope["suffice.connection"].request_task = asyncio.current_task()
        started.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()

    async with serve(slow) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"\r\n")
        await asyncio.wait_for(started.wait(), 5)
        writer.close()
        await asyncio.wait_for(cancelled.wait(), 5)


async def test_keep_alive_and_pipelining_serve_in_order(serve: Any, exchange: Any):
    async with serve(hello) as port:
        answer = await exchange(port, (HEAD + b"\r\n") * 2 + HEAD + CLOSE + b"\r\n")
    assert answer.count(b"HTTP/1.1 200") == 3
