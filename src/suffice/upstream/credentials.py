"""Credentials that are got while the gateway runs: from a program, a file, or a token endpoint; kept and renewed in time.

It must not decide for whom they are and must not send them. Invariants: one fetch at a time, whatever the number of requests;
a request waits only when no credential is in force; a failed fetch costs nothing while the old one lasts; no error and no
repr holds a credential or the words of the program that made it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from suffice.upstream.deadlines import Deadlines
from suffice.upstream.endpoints import Endpoint
from suffice.upstream.response import Response
from suffice.upstream.sigv4 import Credentials
from suffice.upstream.transport_fault import TransportFault

log = logging.getLogger("suffice.upstream")

HeaderPairs = tuple[tuple[bytes, bytes], ...]
FOREVER_S = float("inf")
# Renewed when so much is left, or a fifth of its life when that is less.
RENEW_BEFORE_S = 300.0
# After a fetch that failed the next one waits so long.
PAUSE_S = 10.0
# How long a request waits for a credential when none is in force.
PATIENCE_S = 30.0
# A refusal makes a credential of this age suspect; a younger one was made after the provider changed its mind.
SUSPECT_AFTER_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """One credential: a bearer `token` or `aws` keys, in force until `expires_s` (seconds since the epoch)."""

    token: str = field(default="", repr=False)
    aws: Credentials | None = field(default=None, repr=False)
    expires_s: float = FOREVER_S


class CredentialError(Exception):
    """A source could not give a credential; the text holds no secret."""


class Carrier(Protocol):
    """What a source may use: the clock, HTTP, and a place for work that goes on after the request that began it."""

    def wall_s(self) -> float:
        """Return the time in seconds since the epoch."""
        ...

    async def request(
        self,
        endpoint: Endpoint,
        method: bytes,
        path: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: Sequence[bytes] = (),
        deadlines: Deadlines = ...,
    ) -> Response:
        """Send one request; see `upstream.transport.Transport.request`."""
        ...

    def background(self, work: Coroutine[Any, Any, Issued]) -> asyncio.Task[Issued]:
        """Run `work` as a task that ends with the carrier at the latest."""
        ...


class Source(Protocol):
    """Where credentials come from."""

    async def fetch(self, carrier: Carrier) -> Issued:
        """Return a fresh credential. Raises CredentialError or TransportFault."""
        ...


class Fixed:
    """A source whose credential was configured."""

    def __init__(self, issued: Issued) -> None:
        self._issued = issued

    async def fetch(self, carrier: Carrier) -> Issued:
        """Return it."""
        return self._issued


class Keeper:
    """Keeps the credential of one source. Lives in one event loop.

    `name` is the endpoint's, for the log; `identity` a digest that changes with what was configured.
    """

    def __init__(self, source: Source, name: str, identity: str = "") -> None:
        self.identity = identity
        self._source = source
        self._name = name
        self._issued: Issued | None = source._issued if isinstance(source, Fixed) else None
        self._got_s = 0.0
        self._renew_s = FOREVER_S
        self._failed_s = -FOREVER_S
        self._work: asyncio.Task[Issued] | None = None

    async def get(self, carrier: Carrier) -> Issued:
        """Return the credential in force, renewing it in time. Raises TransportFault (kind `credential`) when there is none."""
        issued = self._issued
        if issued is not None and self._renew_s == FOREVER_S:
            return issued
        now_s = carrier.wall_s()
        if issued is not None and now_s < issued.expires_s:
            if now_s >= self._renew_s:
                self._begin(carrier, now_s)
            return issued
        work = self._begin(carrier, now_s)
        if work is None:
            raise _none(f"the last attempt failed less than {PAUSE_S:.0f} s ago")
        try:
            # The fetch belongs to all who wait: one that leaves does not end it.
            return await asyncio.wait_for(asyncio.shield(work), PATIENCE_S)
        except TimeoutError:
            raise _none(f"no answer within {PATIENCE_S:.0f} s") from None
        except CredentialError as error:
            raise _none(str(error)) from None

    def forget(self, now_s: float) -> None:
        """Drop what a provider refused, unless it is fresh or can only be configured."""
        if not isinstance(self._source, Fixed) and now_s - self._got_s > SUSPECT_AFTER_S:
            self._issued = None

    def _begin(self, carrier: Carrier, now_s: float) -> asyncio.Task[Issued] | None:
        """Return the fetch under way, or a new one; None while the source is left alone after a failure."""
        if self._work is None or self._work.done():
            if 0.0 <= now_s - self._failed_s < PAUSE_S:
                return None
            self._work = carrier.background(self._fetch(carrier))
            self._work.add_done_callback(_seen)
        return self._work

    async def _fetch(self, carrier: Carrier) -> Issued:
        try:
            issued = await self._source.fetch(carrier)
        except (CredentialError, TransportFault) as error:
            self._failed_s = carrier.wall_s()
            log.warning("endpoint %s: no new credential: %s", self._name, error)
            raise CredentialError(str(error)) from None
        now_s = carrier.wall_s()
        if issued.expires_s <= now_s:
            self._failed_s = now_s
            raise CredentialError("the credential has expired already; is this machine's clock right?")
        self._issued, self._got_s, self._failed_s = issued, now_s, -FOREVER_S
        life_s = issued.expires_s - now_s
        self._renew_s = issued.expires_s - min(RENEW_BEFORE_S, life_s / 5) if life_s < FOREVER_S else FOREVER_S
        return issued


def _seen(work: asyncio.Task[Issued]) -> None:
    """Take a failure that nobody waits for; it was logged where it happened."""
    if not work.cancelled():
        work.exception()


def _none(why: str) -> TransportFault:
    return TransportFault("credential", "queue", detail=f"no credential: {why}")
