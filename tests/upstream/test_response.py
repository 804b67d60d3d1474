"""The same answers, read by aiohttp's client and by ours, must have the same bodies."""

from __future__ import annotations

import asyncio
import itertools

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.upstream.endpoints import make_endpoint
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.system_env import SystemEnv


def chunked(parts: list[bytes]) -> bytes:
    frames = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part)
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + frames + b"0\r\n\r\n"


def sized(parts: list[bytes]) -> bytes:
    body = b"".join(parts)
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def until_close(parts: list[bytes]) -> bytes:
    return b"HTTP/1.0 200 OK\r\n\r\n" + b"".join(parts)


async def read_both(message: bytes, cuts: list[int]) -> tuple[bytes, bytes, bytes]:
    """Return the body as aiohttp reads it, as `chunk` gives it and as `read` gives it."""
    edges = [0, *sorted(c % (len(message) + 1) for c in cuts), len(message)]

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for start, end in itertools.pairwise(edges):
            writer.write(message[start:end])
            await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as answer:
        theirs = await answer.read()
    endpoint = make_endpoint("e", provider="p", base_url=f"http://127.0.0.1:{port}", private=True)
    transport = Transport(SystemEnv())
    response = await transport.request(endpoint, b"GET", b"/", [])
    pieces = []
    while piece := await response.chunk():
        pieces.append(piece)
    # This server closes after one answer without having said so.
    whole = await (await transport.request(endpoint, b"GET", b"/", [], fresh=True)).read(2**20)
    await transport.close()
    server.close()
    return theirs, b"".join(pieces), whole


@settings(max_examples=40)
@given(
    st.sampled_from([chunked, sized, until_close]),
    st.lists(st.binary(max_size=300), max_size=6),
    st.lists(st.integers(0, 5000), max_size=8),
)
def test_same_bodies_as_aiohttp(framing, parts, cuts):
    theirs, chunks, whole = asyncio.run(read_both(framing(parts), cuts))
    assert theirs == chunks == whole == b"".join(parts)


async def test_one_reader_at_a_time(bench):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
        await peer.gone()

    server = await bench.server(script)
    response = await bench.transport.request(bench.endpoint(server.port), b"POST", b"/", [], [b"x"])
    first = asyncio.create_task(response.chunk())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one reader"):
        await response.chunk()
    response.close()
    with pytest.raises(Exception, match="closed by the reader"):
        await first


async def test_reading_after_some_chunks(bench):
    server = await bench.answering(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", b"he", b"llo")
    response = await bench.transport.request(bench.endpoint(server.port), b"POST", b"/", [], [b"x"])
    first = await response.chunk()
    assert first + await response.read(10) == b"hello"
    assert await response.read(10) == b"" and await response.chunk() == b""


async def poured(response, take, timeout_s=5.0):
    """Pour until the end; return how often the reader was woken on the way."""
    stops = 0
    while await response.pour(take, timeout_s):
        stops += 1
    return stops


@pytest.mark.parametrize(("left_s", "woken"), [(5.0, False), (0.0, True)])
async def test_pouring_gives_every_piece_and_wakes_the_reader_when_told(bench, left_s, woken):
    server = await bench.answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"one", b"two", b"six")
    response = await bench.transport.request(bench.endpoint(server.port), b"POST", b"/", [], [b"x"])
    taken = []

    def take(piece):
        taken.append(piece)
        return left_s

    stops = await poured(response, take)
    assert b"".join(taken) == b"onetwosix" and (stops > 0) == woken
    assert await response.chunk() == b""


async def test_what_the_taker_raises_is_raised_and_closes_the_connection(bench):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n")
        await peer.send(b"some")
        await peer.gone()

    server = await bench.server(script)
    response = await bench.transport.request(bench.endpoint(server.port), b"POST", b"/", [], [b"x"])

    def take(piece):
        raise ValueError("not this")

    with pytest.raises(ValueError, match="not this"):
        await poured(response, take)
    with pytest.raises(TransportFault):
        await response.chunk()


@pytest.mark.parametrize(("body", "kind"), [(b"", "stall"), (b"so", "stall")])
async def test_a_silence_while_pouring_is_a_stall(bench, body, kind):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n" + body)
        await peer.gone()

    server = await bench.server(script)
    response = await bench.transport.request(bench.endpoint(server.port), b"POST", b"/", [], [b"x"])
    with pytest.raises(TransportFault) as caught:
        await poured(response, lambda piece: 0.02, 0.02)
    assert caught.value.kind == kind


async def test_a_cut_and_a_cancellation_end_a_pour(bench):
    async def cut(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nso")

    async def hold(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nso")
        await peer.gone()

    server = await bench.server(cut)
    response = await bench.transport.request(bench.endpoint(server.port), b"POST", b"/", [], [b"x"])
    with pytest.raises(TransportFault) as caught:
        await poured(response, lambda piece: 5.0)
    assert caught.value.kind == "truncated"
    server = await bench.server(hold)
    response = await bench.transport.request(bench.endpoint(server.port), b"POST", b"/", [], [b"x"])
    task = asyncio.create_task(poured(response, lambda piece: 5.0))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
