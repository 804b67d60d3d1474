"""Whole exchanges over real sockets: reuse, streaming, back-pressure, cancellation, limits."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from suffice.errors import RequestError
from suffice.upstream.deadlines import Deadlines, TransportLimits
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.system_env import SystemEnv

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-Test: a\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def fault_of(coro) -> TransportFault:
    with pytest.raises(TransportFault) as caught:
        await coro
    return caught.value


async def test_one_exchange_and_what_was_sent(bench):
    server = await bench.answering(OK)
    endpoint = bench.endpoint(server.port, api_key="sk-1", headers=(("x-org", "o"),))
    response = await bench.transport.request(endpoint, b"POST", b"/v1/x?a=b", [(b"accept", b"*/*")], [b"ab", b"cd"])
    assert response.status == 200
    assert response.headers == [(b"content-length", b"5"), (b"x-test", b"a")]
    assert await response.chunk() == b"hello"
    assert await response.chunk() == b""
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == b"abcd"
    assert head.split(b"\r\n") == [
        b"POST /v1/x?a=b HTTP/1.1",
        b"host: 127.0.0.1:%d" % server.port,
        b"accept-encoding: identity",
        b"authorization: Bearer sk-1",
        b"x-org: o",
        b"user-agent: suffice",
        b"accept: */*",
        b"content-length: 4",
    ]
    t = response.timings
    assert 0 < t.start <= t.connected <= t.written <= t.head <= t.first_byte <= t.last_byte


async def test_connections_are_reused(bench):
    server = await bench.answering(OK)
    endpoint = bench.endpoint(server.port)
    for _ in range(20):
        assert await bench.fetch(endpoint) == (200, b"hello")
    assert server.connections == 1
    assert bench.transport.connections()[endpoint.id] == (1, 1, 0)


async def test_an_answer_that_says_close_is_not_reused(bench):
    server = await bench.answering(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\na")
    endpoint = bench.endpoint(server.port)
    await bench.fetch(endpoint)
    await bench.fetch(endpoint)
    assert server.connections == 2


async def test_a_stream_arrives_piece_by_piece(bench):
    go = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED + b"3\r\none\r\n")
        await go.wait()
        await peer.send(b"3\r\ntwo\r\n3\r\nthr\r\n0\r\n\r\n")
        await peer.request()
        await peer.send(OK)

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port)
    response = await bench.transport.request(endpoint, b"POST", b"/", [], [b"x"])
    assert await response.chunk() == b"one"
    go.set()
    rest = b""
    while piece := await response.chunk(5.0):
        rest += piece
    assert rest == b"twothr"
    assert await bench.fetch(endpoint) == (200, b"hello")
    assert server.connections == 1


@pytest.mark.parametrize(
    "body", [CHUNKED + b"3\r\nabc\r\n2;e=1\r\nde\r\n0\r\nt: u\r\n\r\n", OK.replace(b"hello", b"abcde")]
)
async def test_split_at_every_byte(bench, body):
    async def script(peer):
        for at in range(len(body) + 1):
            await peer.request()
            await peer.send(body[:at], body[at:])

    endpoint = bench.endpoint((await bench.server(script)).port)
    for _ in range(len(body) + 1):
        assert await bench.fetch(endpoint) == (200, b"abcde")
    one_by_one = [body[i : i + 1] for i in range(len(body))]
    server = await bench.answering(*one_by_one)
    assert await bench.fetch(bench.endpoint(server.port)) == (200, b"abcde")


async def test_large_request_body_waits_for_a_slow_server(bench):
    size = 16 * 2**20

    async def script(peer):
        await asyncio.sleep(0.05)
        await peer.request()
        await peer.send(OK)

    server = await bench.server(script)
    response = await bench.transport.request(bench.endpoint(server.port), b"POST", b"/", [], [b"a" * size, b"b"])
    assert await response.read(10) == b"hello"
    assert len(server.requests[0].partition(b"\r\n\r\n")[2]) == size + 1


async def test_reading_pauses_when_nobody_asks(bench):
    total = 64 * 2**20
    sent = 0

    async def script(peer):
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        block = b"z" * 65536
        while sent < total:
            peer.writer.write(block)
            await peer.writer.drain()
            sent += len(block)

    server = await bench.server(script)
    response = await bench.transport.request(bench.endpoint(server.port), b"GET", b"/", [])
    before = -1
    while before != sent:  # until the server makes no more progress
        before = sent
        await asyncio.sleep(0.05)
    assert sent < total // 2
    got = 0
    while piece := await response.chunk(5.0):
        got += len(piece)
    assert got == total


async def test_cancelling_the_wait_for_the_head_closes_the_socket(bench):
    async def script(peer):
        await peer.request()
        await peer.gone()

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port)
    task = asyncio.create_task(bench.fetch(endpoint))
    while not server.requests:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.gone.wait()
    assert bench.transport.connections()[endpoint.id] == (0, 0, 0)


@pytest.mark.parametrize("how", ["cancel chunk", "cancel read", "close"])
async def test_giving_up_a_body_closes_the_socket(bench, how):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED + b"1\r\na\r\n")
        await peer.gone()

    server = await bench.server(script)
    response = await bench.transport.request(bench.endpoint(server.port), b"POST", b"/", [], [b"x"])
    assert await response.chunk() == b"a"
    if how == "close":
        response.close()
        response.close()
    else:
        task = asyncio.create_task(response.chunk() if how == "cancel chunk" else response.read(100))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await server.gone.wait()
    assert (await fault_of(response.chunk())).kind == "truncated"


async def test_close_after_the_end_keeps_the_connection(bench):
    server = await bench.answering(OK)
    endpoint = bench.endpoint(server.port)
    response = await bench.transport.request(endpoint, b"POST", b"/", [], [b"x"])
    response.close()
    await bench.fetch(endpoint)
    assert server.connections == 1


async def test_redirects_are_answers(bench):
    server = await bench.answering(
        b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    )
    response = await bench.transport.request(bench.endpoint(server.port), b"GET", b"/", [])
    assert response.status == 302 and (b"location", b"http://169.254.169.254/") in response.headers
    assert len(server.requests) == 1


async def test_head_has_no_body(bench):
    server = await bench.answering(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")
    response = await bench.transport.request(bench.endpoint(server.port), b"HEAD", b"/", [])
    assert response.status == 200 and await response.chunk() == b""


async def test_limits_on_bodies(bench):
    server = await bench.answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + b"a" * 100)
    endpoint = bench.endpoint(server.port)
    response = await bench.transport.request(endpoint, b"GET", b"/", [])
    assert len(await response.read(100)) == 100
    response = await bench.transport.request(endpoint, b"GET", b"/", [])
    assert (await fault_of(response.read(99))).kind == "too_large"
    small = Transport(SystemEnv(), TransportLimits(body_bytes=99))
    response = await small.request(endpoint, b"GET", b"/", [])
    assert (await fault_of(response.read(1000))).kind == "too_large"
    await small.close()


async def test_gzip_is_unfolded_within_bounds(bench):
    packed = gzip.compress(b"hello " * 1000)
    server = await bench.answering(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed), packed
    )
    assert await bench.fetch(bench.endpoint(server.port)) == (200, b"hello " * 1000)
    bomb = gzip.compress(b"\0" * 64 * 2**20)
    server = await bench.answering(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb), bomb
    )
    assert (await fault_of(bench.fetch(bench.endpoint(server.port)))).kind == "too_large"
    cut = packed[:-9]
    server = await bench.answering(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(cut), cut
    )
    assert (await fault_of(bench.fetch(bench.endpoint(server.port)))).kind == "truncated"


async def test_a_new_endpoint_value_gets_new_connections(bench):
    server = await bench.answering(OK)
    first = bench.endpoint(server.port, api_key="old")
    await bench.fetch(first)
    from dataclasses import replace

    second = replace(first, auth=((b"authorization", b"Bearer new"),))
    await bench.fetch(second)
    assert b"Bearer new" in server.requests[1] and server.connections == 2
    assert bench.transport.connections()[first.id] == (1, 1, 0)


async def test_nothing_is_sent_when_a_header_is_bad(bench):
    server = await bench.answering(OK)
    endpoint = bench.endpoint(server.port)
    with pytest.raises(RequestError):
        await bench.transport.request(endpoint, b"POST", b"/", [(b"x", b"a\r\nb: c")], [b"x"])
    assert server.connections == 0


async def test_concurrent_requests_up_to_the_maximum_then_in_order(bench):
    running = peak = 0

    async def script(peer):
        nonlocal running, peak
        while True:
            await peer.request()
            running += 1
            peak = max(peak, running)
            await asyncio.sleep(0.005)
            running -= 1
            await peer.send(OK)

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port, max_connections=3)
    order: list[int] = []

    async def one(number: int) -> None:
        await bench.fetch(endpoint, deadlines=Deadlines(queue_s=15))
        order.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(one(number))
    assert peak == 3 and server.connections == 3
    assert [sorted(order[i : i + 3]) for i in range(0, 12, 3)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
