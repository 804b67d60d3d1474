from __future__ import annotations

import asyncio
import contextlib

import pytest

from suffice.upstream.deadlines import Deadlines
from suffice.upstream.transport_fault import TransportFault

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


async def tunnel(peer):
    """A CONNECT proxy that asks for u:p and leads every target to 127.0.0.1."""
    head = await peer.reader.readuntil(b"\r\n\r\n")
    peer.server.requests.append(head)
    if b"proxy-authorization: Basic dTpw\r\n" not in head:
        await peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        return
    port = int(head.split(b" ")[1].rpartition(b":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def copy(source, sink):
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()

    copies = [asyncio.create_task(copy(peer.reader, writer)), asyncio.create_task(copy(reader, peer.writer))]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in copies:
            task.cancel()
        writer.close()


async def answer(peer):
    while True:
        await peer.request()
        await peer.send(OK)


async def test_plain_and_tls_through_a_proxy(bench, data):
    proxy = await bench.server(tunnel)
    plain = await bench.server(answer)
    secure = await bench.server(answer, certificate="server.pem")
    through = f"http://u:p@127.0.0.1:{proxy.port}"
    endpoint = bench.endpoint(plain.port, base="http://h.example", proxy=through)
    for _ in range(2):
        assert await bench.fetch(endpoint) == (200, b"hello")
    endpoint = bench.endpoint(secure.port, base="https://localhost", proxy=through, ca_file=str(data / "ca.pem"))
    for _ in range(2):
        assert await bench.fetch(endpoint) == (200, b"hello")
    assert proxy.connections == 2
    assert proxy.requests[0].startswith(b"CONNECT h.example:%d HTTP/1.1\r\n" % plain.port)
    assert b"roxy" not in plain.requests[0]


async def refused(bench, port: int, **more) -> TransportFault:
    endpoint = bench.endpoint(9, base="https://h.example", proxy=f"http://127.0.0.1:{port}")
    with pytest.raises(TransportFault) as caught:
        await bench.fetch(endpoint, **more)
    assert caught.value.bytes_sent == "none"
    assert bench.transport.connections()[endpoint.id] == (0, 0, 0)
    return caught.value


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: x\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n\r\nearly",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20_000,
    ],
)
async def test_answers_that_open_no_tunnel(bench, reply):
    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(reply)

    assert (await refused(bench, (await bench.server(script)).port)).kind == "proxy"


async def test_a_proxy_that_wants_a_password(bench):
    fault = await refused(bench, (await bench.server(tunnel)).port)
    assert fault.kind == "proxy" and "407" in fault.detail


async def test_a_proxy_that_hangs(bench):
    async def script(peer):
        await peer.gone()

    server = await bench.server(script)
    fault = await refused(bench, server.port, deadlines=Deadlines(connect_s=0.05))
    assert (fault.kind, fault.phase) == ("connect_timeout", "proxy")
    await server.gone.wait()


async def test_a_forbidden_address_is_not_asked_for(bench):
    proxy = await bench.server(tunnel)
    endpoint = bench.endpoint(443, base="https://10.0.0.1", private=False, proxy=f"http://u:p@127.0.0.1:{proxy.port}")
    with pytest.raises(TransportFault) as caught:
        await bench.fetch(endpoint)
    assert caught.value.kind == "egress_denied" and proxy.connections == 0
