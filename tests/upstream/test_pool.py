from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from suffice.upstream.deadlines import Deadlines, TransportLimits
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.system_env import SystemEnv

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Clock(SystemEnv):
    """A monotonic clock that the test can move on."""

    ahead_s = 0.0

    def monotonic(self) -> float:  # type: ignore[override]
        return SystemEnv.monotonic() + self.ahead_s


async def until(condition) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def test_the_last_used_connection_is_taken_first(bench):
    both = asyncio.Event()
    served: list[int] = []

    async def script(peer):
        number = server.connections
        while True:
            await peer.request()
            served.append(number)
            if len(served) == 2:
                both.set()
            await both.wait()
            if number == 2 and len(served) == 2:
                await asyncio.sleep(0.02)
            await peer.send(OK)

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port)
    await asyncio.gather(bench.fetch(endpoint), bench.fetch(endpoint))
    for _ in range(5):
        await bench.fetch(endpoint)
    assert len(set(served[2:])) == 1 and served[2:][0] == 2


async def test_idle_connections_are_closed(bench):
    server = await bench.answering(OK)
    endpoint = bench.endpoint(server.port)
    transport = Transport(SystemEnv(), TransportLimits(idle_s=0.05))
    response = await transport.request(endpoint, b"GET", b"/", [])
    await response.read(10)
    await until(lambda: transport.connections()[endpoint.id] == (0, 0, 0))


async def test_old_connections_are_closed(bench):
    server = await bench.answering(OK)
    endpoint = bench.endpoint(server.port)
    clock = Clock()
    transport = Transport(clock, TransportLimits(age_s=100))
    for _ in range(2):
        await (await transport.request(endpoint, b"GET", b"/", [])).read(10)
    assert server.connections == 1
    response = await transport.request(endpoint, b"GET", b"/slow", [])
    clock.ahead_s = 101
    await response.read(10)
    await (await transport.request(endpoint, b"GET", b"/", [])).read(10)
    await (await transport.request(endpoint, b"GET", b"/", [])).read(10)
    assert server.connections == 2
    await transport.close()


async def test_no_more_than_max_idle_are_kept(bench):
    server = await bench.answering(OK)
    endpoint = bench.endpoint(server.port)
    transport = Transport(SystemEnv(), TransportLimits(max_idle=2))

    async def one() -> None:
        await (await transport.request(endpoint, b"GET", b"/", [])).read(10)

    await asyncio.gather(*(one() for _ in range(6)))
    assert transport.connections()[endpoint.id] == (2, 2, 0)
    await transport.close()


async def held(bench, **more):
    """An endpoint whose only connection is busy until `go` is set."""
    go = asyncio.Event()

    async def script(peer):
        while True:
            await peer.request()
            await go.wait()
            await peer.send(OK)

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port, max_connections=1)
    first = asyncio.create_task(bench.fetch(endpoint))
    await until(lambda: server.requests)
    return server, endpoint, first, go


async def test_the_queue_has_a_deadline(bench):
    _, endpoint, first, go = await held(bench)
    with pytest.raises(TransportFault) as caught:
        await bench.fetch(endpoint, deadlines=Deadlines(queue_s=0.05))
    assert (caught.value.kind, caught.value.phase, caught.value.bytes_sent) == ("connect_timeout", "queue", "none")
    go.set()
    assert await first == (200, b"hello")
    assert bench.transport.connections()[endpoint.id] == (1, 1, 0)


async def test_the_queue_is_bounded(bench):
    bench.transport = Transport(SystemEnv(), TransportLimits(max_waiting=1))
    _, endpoint, first, go = await held(bench)
    second = asyncio.create_task(bench.fetch(endpoint))
    await until(lambda: bench.transport.connections()[endpoint.id][2] == 1)
    with pytest.raises(TransportFault) as caught:
        await bench.fetch(endpoint)
    assert caught.value.phase == "queue"
    go.set()
    assert await first == await second == (200, b"hello")


async def test_a_cancelled_waiter_leaves_its_place(bench):
    server, endpoint, first, go = await held(bench)
    waiting = [asyncio.create_task(bench.fetch(endpoint)) for _ in range(3)]
    await until(lambda: bench.transport.connections()[endpoint.id][2] == 3)
    waiting[0].cancel()
    go.set()
    assert await first == await waiting[1] == await waiting[2] == (200, b"hello")
    assert server.connections == 1 and bench.transport.connections()[endpoint.id] == (1, 1, 0)


async def test_a_waiter_cancelled_after_being_served_gives_back(bench):
    _, endpoint, first, go = await held(bench)
    waiting = [asyncio.create_task(bench.fetch(endpoint)) for _ in range(2)]
    await until(lambda: bench.transport.connections()[endpoint.id][2] == 2)
    pool = bench.transport._pools[endpoint.id]
    turn = pool.waiting[0]
    turn.add_done_callback(lambda _: waiting[0].cancel())
    go.set()
    assert await first == await waiting[1] == (200, b"hello")
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    assert bench.transport.connections()[endpoint.id] == (1, 1, 0)


async def test_a_lost_connections_place_goes_to_the_next(bench):
    server, endpoint, first, go = await held(bench)
    second = asyncio.create_task(bench.fetch(endpoint))
    await until(lambda: bench.transport.connections()[endpoint.id][2] == 1)
    first.cancel()
    go.set()
    assert await second == (200, b"hello")
    assert server.connections == 2 and bench.transport.connections()[endpoint.id] == (1, 1, 0)


async def test_failed_connects_give_their_place_back(bench):
    server = await bench.answering(OK)
    await bench.close()  # nobody listens any more
    endpoint = bench.endpoint(server.port, max_connections=1)
    for _ in range(3):
        with pytest.raises(TransportFault) as caught:
            await bench.fetch(endpoint)
        assert caught.value.kind == "connect_refused"
    assert bench.transport.connections()[endpoint.id] == (0, 0, 0)


async def test_closing_lets_running_requests_finish(bench):
    _, _, first, go = await held(bench)
    await bench.transport.close()
    go.set()
    assert await first == (200, b"hello")


async def test_an_equal_endpoint_keeps_the_connections_and_a_changed_one_does_not(bench):
    """A reload, and every refresh of prices, makes new endpoint values."""
    server = await bench.answering(OK)
    named = bench.endpoint(server.port, api_key="sk-1")
    for _ in range(3):
        await bench.fetch(replace(named))
    assert server.connections == 1
    changed = replace(named, auth=((b"authorization", b"Bearer sk-2"),))
    await bench.fetch(changed)
    assert server.connections == 2
    assert b"Bearer sk-2" in server.requests[-1]
    assert bench.transport.connections() == {changed.id: (1, 1, 0)}


async def test_a_fresh_request_trusts_no_kept_connection(bench):
    server = await bench.answering(OK)
    endpoint = bench.endpoint(server.port)
    await asyncio.gather(bench.fetch(endpoint), bench.fetch(endpoint))
    await (await bench.transport.request(endpoint, b"GET", b"/", [], fresh=True)).read(10)
    assert server.connections == 3
    assert bench.transport.connections() == {endpoint.id: (1, 1, 0)}
