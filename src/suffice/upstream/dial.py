"""Opening a connection: name, egress check, TCP, proxy tunnel, TLS, under one deadline.

The one place of the product that connects to a provider. Invariant: it connects only to an address that was checked just
before, while SNI, certificate check and Host keep the endpoint's name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl

from suffice.upstream.connection import Connection
from suffice.upstream.egress import refusal
from suffice.upstream.endpoints import Endpoint
from suffice.upstream.proxy import open_tunnel
from suffice.upstream.resolver import Resolver
from suffice.upstream.tls import ContextCache
from suffice.upstream.transport_fault import Phase, TransportFault


class Dialer:
    """Opens connections for every pool of one transport."""

    def __init__(self, resolver: Resolver, contexts: ContextCache) -> None:
        self._resolver = resolver
        self._contexts = contexts

    async def open(self, endpoint: Endpoint, conn: Connection, timeout_s: float) -> None:
        """Connect `conn` to `endpoint` within `timeout_s` seconds; raises TransportFault with bytes_sent "none".

        A cancelled call leaves no socket open.
        """
        phase: list[Phase] = ["dns"]
        try:
            async with asyncio.timeout(timeout_s):
                sock = await self._tcp(endpoint, phase, timeout_s)
                await self._attach(endpoint, conn, sock, phase)
        except TransportFault:
            raise
        except TimeoutError:
            raise TransportFault(
                "connect_timeout", phase[0], detail=f"{endpoint.host}: {timeout_s:g} s passed"
            ) from None
        except ssl.SSLError as error:
            why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.reason
            raise TransportFault("tls", "tls", detail=f"{endpoint.host}: {why}") from None
        except OSError as error:
            if phase[0] == "proxy":
                raise TransportFault(
                    "proxy", "proxy", detail=f"the proxy's connection failed: {error.strerror}"
                ) from None
            if phase[0] == "tls":
                raise TransportFault("tls", "tls", detail=f"{endpoint.host}: closed during the handshake") from None
            raise TransportFault(
                "connect_refused", phase[0], detail=f"{endpoint.host}: {error.strerror or error}"
            ) from None

    async def _tcp(self, endpoint: Endpoint, phase: list[Phase], timeout_s: float) -> socket.socket:
        """Return a connected socket to the endpoint, or to its proxy; tries each address with its share of the time."""
        proxy = endpoint.proxy
        if proxy is None:
            host, port, private = endpoint.host, endpoint.port, endpoint.private
        else:
            host, port, private = proxy.host, proxy.port, True  # the operator named the proxy
            _check_literal(endpoint)
        addresses = await self._resolver.resolve(host, port, private=private)
        phase[0] = "connect"
        for left in range(len(addresses), 0, -1):
            address = addresses[-left]
            try:
                async with asyncio.timeout(timeout_s / left if left > 1 else None):
                    return await _connect(address, port)
            except OSError:
                if left == 1:
                    raise
        raise AssertionError("the resolver returned no address")

    async def _attach(self, endpoint: Endpoint, conn: Connection, sock: socket.socket, phase: list[Phase]) -> None:
        try:
            context = self._contexts.get(endpoint.ca_file) if endpoint.tls else None
            if endpoint.proxy is not None:
                phase[0] = "proxy"
                await open_tunnel(sock, endpoint.proxy, endpoint.host, endpoint.port)
        except BaseException:
            sock.close()
            raise
        # From here the loop owns the socket and closes it when the handshake fails.
        loop = asyncio.get_running_loop()
        if context is not None:
            phase[0] = "tls"
            await loop.create_connection(lambda: conn, sock=sock, ssl=context, server_hostname=endpoint.host)
        else:
            await loop.create_connection(lambda: conn, sock=sock)


def _check_literal(endpoint: Endpoint) -> None:
    why = refusal(endpoint.host, private=endpoint.private)
    if why and why != "not an IP address":
        raise TransportFault("egress_denied", "dns", detail=f"{endpoint.host}: {why}")


async def _connect(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock
