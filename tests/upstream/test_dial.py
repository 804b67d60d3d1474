from __future__ import annotations

import asyncio
import os
import socket

import pytest

from suffice.upstream.deadlines import Deadlines
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.system_env import SystemEnv

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def names(*addresses: str):
    async def lookup(host: str, port: int) -> list[str]:
        return list(addresses)

    return lookup


async def fault_of(coro) -> TransportFault:
    with pytest.raises(TransportFault) as caught:
        await coro
    return caught.value


async def test_nobody_listens(bench):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        fault = await fault_of(bench.fetch(bench.endpoint(sock.getsockname()[1])))
    assert (fault.kind, fault.phase, fault.bytes_sent, fault.reused) == ("connect_refused", "connect", "none", False)


async def test_the_next_address_is_tried(bench):
    server = await bench.answering(OK)
    bench.transport = Transport(SystemEnv(), lookup=names("127.0.0.9", "127.0.0.1"))
    assert await bench.fetch(bench.endpoint(server.port, base="http://h.example")) == (200, b"hello")
    assert b"host: h.example:" in server.requests[0]


async def test_only_checked_addresses_are_connected_to(bench):
    server = await bench.answering(OK)
    bench.transport = Transport(SystemEnv(), lookup=names("127.0.0.1"))
    endpoint = bench.endpoint(server.port, base="https://h.example", private=False)
    fault = await fault_of(bench.fetch(endpoint))
    assert (fault.kind, fault.bytes_sent) == ("egress_denied", "none")
    literal = bench.endpoint(server.port, base="https://127.0.0.1", private=False)
    assert (await fault_of(bench.fetch(literal))).kind == "egress_denied"
    metadata = bench.endpoint(80, base="http://169.254.169.254")
    assert (await fault_of(bench.fetch(metadata))).kind == "egress_denied"
    assert server.connections == 0


async def test_unknown_name(bench):
    async def lookup(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    bench.transport = Transport(SystemEnv(), lookup=lookup)
    fault = await fault_of(bench.fetch(bench.endpoint(1, base="http://h.example")))
    assert (fault.kind, fault.phase, fault.bytes_sent) == ("dns", "dns", "none")


async def test_a_handshake_that_hangs(bench, data):
    async def script(peer):
        await peer.gone()

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port, base="https://localhost", ca_file=str(data / "ca.pem"))
    fault = await fault_of(bench.fetch(endpoint, deadlines=Deadlines(connect_s=0.05)))
    assert (fault.kind, fault.phase, fault.bytes_sent) == ("connect_timeout", "tls", "none")
    await server.gone.wait()


async def test_cancelling_a_connect_leaves_nothing_open(bench, data):
    async def script(peer):
        await peer.gone()

    server = await bench.server(script)
    endpoint = bench.endpoint(server.port, base="https://localhost", ca_file=str(data / "ca.pem"))
    task = asyncio.create_task(bench.fetch(endpoint))
    while not server.connections:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.gone.wait()
    assert bench.transport.connections()[endpoint.id] == (0, 0, 0)


async def test_a_connect_that_hangs(bench):
    backlog = socket.socket()
    backlog.bind(("127.0.0.1", 0))
    backlog.listen(0)
    port = backlog.getsockname()[1]
    fillers = []
    for _ in range(4):  # fill the accept queue, so that the kernel drops the next SYN
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    try:
        fault = await fault_of(bench.fetch(bench.endpoint(port), deadlines=Deadlines(connect_s=0.1)))
    finally:
        for sock in (backlog, *fillers):
            sock.close()
    assert (fault.kind, fault.phase, fault.bytes_sent) == ("connect_timeout", "connect", "none")


async def test_environment_proxies_are_ignored(bench, monkeypatch):
    server = await bench.answering(OK)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:1")
    assert await bench.fetch(bench.endpoint(server.port)) == (200, b"hello")
