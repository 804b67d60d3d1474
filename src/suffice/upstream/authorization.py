"""Authorization that is made anew for each request: a signature over it, or a token that expires.

An authorizer belongs to one endpoint, and the transport asks it for the headers that prove who sends. It must not read
configuration or the clock: the time comes with the call. Invariant: a credential leaves in a header and nowhere else; it is in no
repr, no error and no log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl

from suffice.upstream.credentials import Carrier, HeaderPairs, Keeper
from suffice.upstream.sigv4 import digest, sign
from suffice.upstream.transport_fault import TransportFault

# Hashing this much takes about a millisecond; more is done beside the loop.
_LOOP_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What is about to be sent: `authority` as in the Host header, `target` with its query, the `body` in its pieces."""

    method: bytes
    authority: str
    target: bytes
    body: Sequence[bytes] = ()


class Authorizer(Protocol):
    """Makes the headers that authorize one request."""

    @property
    def identity(self) -> str:
        """A digest that changes when another credential is configured; nothing of it can be read from it."""
        ...

    async def authorize(self, request: Outgoing, carrier: Carrier) -> HeaderPairs:
        """Return the headers to add. Raises TransportFault (kind `credential`, nothing was sent) when none can be got."""
        ...

    def refused(self, now_s: float) -> None:
        """Note that the provider refused what was sent, so that a credential that can be got anew is."""
        ...


class SigV4:
    """Signs each request for one region and service of AWS; the keys may be temporary."""

    def __init__(self, keeper: Keeper, *, region: str, service: str = "bedrock") -> None:
        self._keeper = keeper
        self._region = region
        self._service = service

    @property
    def identity(self) -> str:
        """The keeper's."""
        return self._keeper.identity

    async def authorize(self, request: Outgoing, carrier: Carrier) -> HeaderPairs:
        """Return the signature's headers. Raises TransportFault when there are no keys."""
        issued = await self._keeper.get(carrier)
        if issued.aws is None:
            raise TransportFault("credential", "queue", detail="the source gave a token where AWS keys are needed")
        body = request.body
        large = sum(len(piece) for piece in body) > _LOOP_BYTES
        hashed = await asyncio.to_thread(digest, body) if large else digest(body)
        path, _, query = request.target.decode("latin-1").partition("?")
        return sign(
            method=request.method.decode("ascii"),
            host=request.authority,
            path=path,
            body_sha256=hashed,
            query=parse_qsl(query, keep_blank_values=True),
            credentials=issued.aws,
            region=self._region,
            service=self._service,
            now_s=carrier.wall_s(),
        )

    def refused(self, now_s: float) -> None:
        """Let temporary keys be asked for again."""
        self._keeper.forget(now_s)


class TokenHeader:
    """Sends a token that is refreshed while it is still good: `authorization: Bearer <token>`."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    @property
    def identity(self) -> str:
        """The keeper's."""
        return self._keeper.identity

    async def authorize(self, request: Outgoing, carrier: Carrier) -> HeaderPairs:
        """Return the one header. Raises TransportFault when there is no token."""
        issued = await self._keeper.get(carrier)
        if not issued.token:
            raise TransportFault("credential", "queue", detail="the source gave AWS keys where a token is needed")
        return ((b"authorization", b"Bearer " + issued.token.encode("ascii")),)

    def refused(self, now_s: float) -> None:
        """Let the token be asked for again."""
        self._keeper.forget(now_s)
