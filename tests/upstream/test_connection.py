"""Every way in which an exchange can fail once a connection exists: rows 5 to 10, 19, 34 and 35 of the fault matrix."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import pytest

from suffice.upstream.deadlines import Deadlines
from suffice.upstream.transport_fault import TransportFault

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def reset(peer) -> None:
    """Close with RST instead of FIN."""
    sock = peer.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.writer.transport.abort()


async def fault_of(coro) -> TransportFault:
    with pytest.raises(TransportFault) as caught:
        await coro
    return caught.value


async def test_stale_kept_connection_is_flagged(bench):
    async def script(peer):
        await peer.request()
        await peer.send(OK)
        await peer.request()  # taken, and dropped without a byte

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port)
    await bench.fetch(endpoint)
    fault = await fault_of(bench.fetch(endpoint))
    assert (fault.kind, fault.phase, fault.bytes_sent, fault.reused) == ("stale_keepalive", "head", "all", True)
    assert await bench.fetch(endpoint) == (200, b"hello") and server.connections == 2


async def test_a_kept_connection_closed_in_time_is_not_used(bench):
    async def script(peer):
        await peer.request()
        await peer.send(OK)

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port)
    for _ in range(3):
        assert await bench.fetch(endpoint) == (200, b"hello")
        while bench.transport.connections()[endpoint.id][0]:
            await asyncio.sleep(0.001)
    assert server.connections == 3


@pytest.mark.parametrize("hard", [False, True], ids=["FIN", "RST"])
async def test_closed_before_any_answer(bench, hard):
    async def script(peer):
        await peer.request()
        if hard:
            reset(peer)

    fault = await fault_of(bench.fetch(bench.endpoint((await bench.server(script)).port)))
    assert (fault.kind, fault.phase, fault.bytes_sent, fault.reused) == ("truncated", "head", "all", False)


async def test_reset_while_the_request_is_sent(bench):
    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        reset(peer)

    endpoint = bench.endpoint((await bench.server(script)).port)
    fault = await fault_of(bench.fetch(endpoint, body=[b"a" * 64 * 2**20]))
    assert (fault.kind, fault.phase, fault.bytes_sent) == ("write_reset", "write", "part")


CUT = {
    "in the head": OK[:20],
    "after the head": OK[:-5],
    "in the body": OK[:-1],
    "in a chunk": CHUNKED + b"5\r\nabc",
    "between chunks": CHUNKED + b"3\r\nabc\r\n",
    "in the last chunk": CHUNKED + b"3\r\nabc\r\n0\r\n",
}


@pytest.mark.parametrize("hard", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
async def test_truncation_is_never_a_clean_end(bench, answer, hard):
    async def script(peer):
        await peer.request()
        await peer.send(answer)
        await asyncio.sleep(0.02)
        if hard:
            reset(peer)

    fault = await fault_of(bench.fetch(bench.endpoint((await bench.server(script)).port)))
    assert (fault.kind, fault.bytes_sent) == ("truncated", "all")
    assert fault.phase == ("head" if answer == OK[:20] else "body")


async def test_what_arrived_before_a_cut_is_handed_out_first(bench):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED + b"3\r\nabc\r\n")

    response = await bench.transport.request(
        bench.endpoint((await bench.server(script)).port), b"POST", b"/", [], [b"x"]
    )
    assert await response.chunk() == b"abc"
    for _ in range(2):
        assert (await fault_of(response.chunk())).kind == "truncated"


async def test_a_body_that_ends_with_the_connection(bench):
    server = await bench.answering(b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo", close=True)
    response = await bench.transport.request(bench.endpoint(server.port), b"GET", b"/", [])
    assert response.close_delimited and await response.read(10) == b"hello"


async def test_a_reset_does_not_end_a_body_cleanly(bench):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhel")
        await asyncio.sleep(0.02)
        reset(peer)

    fault = await fault_of(bench.fetch(bench.endpoint((await bench.server(script)).port)))
    assert fault.kind == "truncated"


MALFORMED = {
    "both framings": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "beyond the length": OK + b"more",
    "chunk size": CHUNKED + b"zz\r\n",
    "login page": b"<html>",
    "switching protocols": b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    "hundred continues": b"HTTP/1.1 100 C\r\n\r\n" * 100,
}


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_answers_close_the_connection(bench, answer):
    server = await bench.answering(answer)
    endpoint = bench.endpoint(server.port)
    fault = await fault_of(bench.fetch(endpoint))
    assert (fault.kind, fault.bytes_sent) == ("malformed", "all")
    assert bench.transport.connections()[endpoint.id] == (0, 0, 0)


async def test_bytes_nobody_asked_for_close_a_kept_connection(bench):
    async def script(peer):
        await peer.request()
        await peer.send(OK)
        await asyncio.sleep(0.01)
        await peer.send(OK)
        await peer.gone()

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port)
    await bench.fetch(endpoint)
    await server.gone.wait()
    assert bench.transport.connections()[endpoint.id] == (0, 0, 0)


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"HTTP/1.1 200 OK\r\nx: ", b"y" * 60_000),
        (CHUNKED + b"1;", b"e" * 60_000),
        (CHUNKED + b"0\r\nx: ", b"y" * 60_000),
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 10_000),
    ],
    ids=["header", "chunk extension", "trailer", "headers"],
)
async def test_heads_that_never_end(bench, start, more):
    async def script(peer):
        await peer.request()
        await peer.send(start)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                await peer.send(more)

    fault = await fault_of(bench.fetch(bench.endpoint((await bench.server(script)).port)))
    assert fault.kind in ("too_large", "malformed")


async def test_an_early_answer_ends_a_large_upload(bench):
    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await peer.gone()

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port)
    response = await bench.transport.request(endpoint, b"POST", b"/", [], [b"a" * 256 * 2**20])
    assert (response.status, await response.read(10)) == (413, b"big")
    assert bench.transport.connections()[endpoint.id] == (0, 0, 0)


class TestDeadlines:
    """Each deadline short in turn, the others long: the fault names the one that passed."""

    async def silent_after(self, bench, *pieces: bytes):
        async def script(peer):
            await peer.request()
            await peer.send(*pieces)
            await peer.gone()

        return await bench.server(script)

    async def test_head(self, bench):
        server = await self.silent_after(bench, OK[:20])
        fault = await fault_of(bench.fetch(bench.endpoint(server.port), deadlines=Deadlines(head_s=0.05)))
        assert (fault.kind, fault.phase, fault.bytes_sent) == ("header_timeout", "head", "all")
        await server.gone.wait()

    async def test_first_byte(self, bench):
        server = await self.silent_after(bench, CHUNKED)
        fault = await fault_of(bench.fetch(bench.endpoint(server.port), deadlines=Deadlines(first_byte_s=0.05)))
        assert (fault.kind, fault.phase) == ("first_byte_timeout", "body")
        await server.gone.wait()

    @pytest.mark.parametrize("how", ["chunk", "read", "chunk with its own", "read with its own"])
    async def test_between(self, bench, how):
        server = await self.silent_after(bench, CHUNKED + b"1\r\na\r\n")
        own = how.endswith("own")
        deadlines = Deadlines() if own else Deadlines(between_s=0.05)
        response = await bench.transport.request(bench.endpoint(server.port), b"POST", b"/", [], [b"x"], deadlines)
        assert await response.chunk() == b"a"
        timeout_s = 0.05 if own else None
        fault = await fault_of(response.chunk(timeout_s) if how.startswith("chunk") else response.read(9, timeout_s))
        assert fault.kind == ("total_timeout" if how == "read with its own" else "stall")
        await server.gone.wait()

    async def test_total_while_pieces_keep_coming(self, bench):
        async def script(peer):
            await peer.request()
            await peer.send(CHUNKED)
            while True:
                await peer.send(b"1\r\na\r\n")
                await asyncio.sleep(0.005)

        server = await bench.server(script)
        fault = await fault_of(bench.fetch(bench.endpoint(server.port), deadlines=Deadlines(total_s=0.1)))
        assert fault.kind == "total_timeout"

    async def test_total_while_nobody_reads(self, bench):
        server = await self.silent_after(bench, CHUNKED)
        endpoint = bench.endpoint(server.port)
        response = await bench.transport.request(endpoint, b"POST", b"/", [], [b"x"], Deadlines(total_s=0.1))
        await server.gone.wait()
        assert (await fault_of(response.chunk())).kind == "total_timeout"

    async def test_a_slow_reader_is_not_a_stall(self, bench):
        async def script(peer):
            await peer.request()
            await peer.send(CHUNKED + b"1\r\na\r\n")
            await asyncio.sleep(0.2)
            await peer.send(b"1\r\nb\r\n0\r\n\r\n")

        server = await bench.server(script)
        endpoint = bench.endpoint(server.port)
        response = await bench.transport.request(endpoint, b"POST", b"/", [], [b"x"], Deadlines(between_s=0.1))
        assert await response.chunk() == b"a"
        await asyncio.sleep(0.3)
        assert await response.read(9) == b"b"

    async def test_write(self, bench):
        async def script(peer):
            await asyncio.sleep(3600)

        server = await bench.server(script)
        endpoint = bench.endpoint(server.port)
        fault = await fault_of(bench.fetch(endpoint, body=[b"a" * 64 * 2**20], deadlines=Deadlines(write_s=0.05)))
        assert (fault.kind, fault.phase, fault.bytes_sent) == ("write_reset", "write", "part")

    async def test_many_exchanges_outlive_an_earlier_timer(self, bench):
        server = await bench.answering(OK)
        endpoint = bench.endpoint(server.port)
        await bench.fetch(endpoint, deadlines=Deadlines(head_s=0.05))
        await asyncio.sleep(0.1)
        assert await bench.fetch(endpoint) == (200, b"hello") and server.connections == 1
