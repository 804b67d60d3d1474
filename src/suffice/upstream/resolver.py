"""Names to checked addresses, with a bounded cache that outlives a failing name server.

It must not connect. Invariant: every address it returns passed the egress check of the endpoint that asked; the check runs at
every use, so that a cached answer cannot serve an endpoint with fewer rights.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

from suffice.upstream.egress import refusal
from suffice.upstream.transport_fault import TransportFault

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]

_DEADLINE_S = 2.0
_FRESH_S = 60.0
_STALE_S = 300.0
_MAX_NAMES = 1024


async def system_lookup(host: str, port: int) -> list[str]:
    """Ask the operating system; returns textual addresses in its order of preference. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class Resolver:
    """Resolves with a deadline of 2 s; an answer is fresh for 60 s and served stale for 300 s when the lookup fails."""

    def __init__(self, now: Callable[[], float], lookup: Lookup = system_lookup) -> None:
        self._now = now
        self._lookup = lookup
        self._answers: dict[str, tuple[float, list[str]]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def resolve(self, host: str, port: int, *, private: bool) -> list[str]:
        """Return at least one address of `host` that may be connected to.

        Raises TransportFault `dns` when the name cannot be resolved and `egress_denied` when no address may be used.
        """
        addresses = [host] if _is_address(host) else await self._answer(host, port)
        allowed = []
        reason = ""
        for address in addresses:
            why = refusal(address, private=private)
            if why:
                reason = why
            else:
                allowed.append(address)
        if not allowed:
            raise TransportFault("egress_denied", "dns", detail=f"{host}: {reason}")
        return allowed

    async def _answer(self, host: str, port: int) -> list[str]:
        cached = self._answers.get(host)
        if cached is not None and self._now() - cached[0] < _FRESH_S:
            return cached[1]
        lock = self._locks.setdefault(host, asyncio.Lock())
        async with lock:
            cached = self._answers.get(host)  # another request may have asked meanwhile
            if cached is not None and self._now() - cached[0] < _FRESH_S:
                return cached[1]
            try:
                async with asyncio.timeout(_DEADLINE_S):
                    addresses = list(await self._lookup(host, port))
                if not addresses:
                    raise OSError("no address")
            except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
                if cached is not None and self._now() - cached[0] < _STALE_S:
                    return cached[1]
                raise TransportFault("dns", "dns", detail=f"{host}: {error or 'no answer in 2 s'}") from None
            if len(self._answers) >= _MAX_NAMES:
                self._answers.clear()
                self._locks.clear()
            self._answers[host] = (self._now(), addresses)
            return addresses


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
