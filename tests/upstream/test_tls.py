from __future__ import annotations

import ssl

import pytest

from suffice.errors import ConfigError
from suffice.upstream.tls import ContextCache, client_context
from suffice.upstream.transport_fault import TransportFault

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


async def answer(peer):
    while True:
        await peer.request()
        await peer.send(OK)


def test_contexts_verify_and_are_kept(data):
    cache = ContextCache()
    context = cache.get(str(data / "ca.pem"))
    assert context is cache.get(str(data / "ca.pem")) and context is not cache.get("")
    for c in (context, cache.get("")):
        assert c.verify_mode is ssl.CERT_REQUIRED and c.check_hostname
        assert c.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("text", [None, "", "not a certificate"])
def test_an_unusable_file(tmp_path, text):
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match="ca_file"):
        client_context(str(path))


async def test_a_tls_exchange_with_reuse(bench, data):
    server = await bench.server(answer, certificate="server.pem")
    endpoint = bench.endpoint(server.port, base="https://localhost", ca_file=str(data / "ca.pem"))
    for _ in range(3):
        assert await bench.fetch(endpoint) == (200, b"hello")
    assert server.connections == 1
    assert b"host: localhost:" in server.requests[0]


async def test_large_bodies_both_ways(bench, data):
    size = 4 * 2**20

    async def script(peer):
        request = await peer.request()
        body = request.partition(b"\r\n\r\n")[2]
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body), body)

    server = await bench.server(script, certificate="server.pem")
    endpoint = bench.endpoint(server.port, base="https://localhost", ca_file=str(data / "ca.pem"))
    body = bytes(range(256)) * (size // 256)
    assert await bench.fetch(endpoint, body=[body]) == (200, body)


@pytest.mark.parametrize(
    ("certificate", "host", "authority"),
    [("expired.pem", "localhost", True), ("server.pem", "127.0.0.1", True), ("server.pem", "localhost", False)],
    ids=["expired", "wrong host", "unknown authority"],
)
async def test_bad_certificates_are_refused(bench, data, certificate, host, authority):
    server = await bench.server(answer, certificate=certificate)
    ca = str(data / "ca.pem") if authority else ""
    endpoint = bench.endpoint(server.port, base=f"https://{host}", ca_file=ca)
    with pytest.raises(TransportFault) as caught:
        await bench.fetch(endpoint)
    assert (caught.value.kind, caught.value.bytes_sent) == ("tls", "none")
    assert server.requests == [] and bench.transport.connections()[endpoint.id] == (0, 0, 0)


async def test_old_protocol_and_plain_text_are_refused(bench, data):
    async def plain(peer):
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = await bench.server(plain)
    endpoint = bench.endpoint(server.port, base="https://localhost", ca_file=str(data / "ca.pem"))
    with pytest.raises(TransportFault) as caught:
        await bench.fetch(endpoint)
    assert caught.value.kind == "tls"
