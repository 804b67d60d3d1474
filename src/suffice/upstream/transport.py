"""The upstream HTTP/1.1 client: one call per request, over kept connections.

It must not retry, follow redirects, choose providers or know dialects. Invariant: a request goes to the host of its endpoint and
nowhere else; every wait has a deadline; a cancelled call closes its socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from suffice.upstream.authorization import Outgoing
from suffice.upstream.credentials import Issued
from suffice.upstream.deadlines import Deadlines, TransportLimits
from suffice.upstream.dial import Dialer
from suffice.upstream.endpoints import Endpoint
from suffice.upstream.pool import Pool
from suffice.upstream.request_head import HeadBuilder
from suffice.upstream.resolver import Lookup, Resolver, system_lookup
from suffice.upstream.response import Response
from suffice.upstream.tls import ContextCache
from suffice.values.env import Env

DEFAULT_DEADLINES = Deadlines()
DEFAULT_LIMITS = TransportLimits()


class Transport:
    """Sends requests to endpoints. Lives in one event loop; close it before the loop ends."""

    def __init__(self, env: Env, limits: TransportLimits = DEFAULT_LIMITS, *, lookup: Lookup = system_lookup) -> None:
        self._now = env.monotonic
        self._wall = env.now
        self._tasks: set[asyncio.Task[Issued]] = set()
        self._limits = limits
        self._dialer = Dialer(Resolver(env.monotonic, lookup), ContextCache())
        self._pools: dict[str, Pool] = {}
        self._old_pools: list[Pool] = []
        self._build_head = HeadBuilder().build

    async def request(
        self,
        endpoint: Endpoint,
        method: bytes,
        path: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: Sequence[bytes] = (),
        deadlines: Deadlines = DEFAULT_DEADLINES,
        *,
        fresh: bool = False,
    ) -> Response:
        """Send one request and return when the head of its answer is there.

        `path` is appended to the endpoint's prefix; `body` is sent as it is, piece after piece, with its length. Any status is an
        answer, a redirect too. Raises TransportFault, or RequestError when path or headers cannot be sent (nothing was). The
        caller reads the response to its end or closes it. `fresh`: a kept connection was found dead; what else lay idle is as
        doubtful, so all of it is closed and a new one opened.
        """
        start = self._now()
        size = 0
        for piece in body:
            size += len(piece)
        if endpoint.authorizer is None:
            head = self._build_head(endpoint, method, path, headers, size)
        else:
            outgoing = Outgoing(method=method, authority=endpoint.authority, target=endpoint.prefix + path, body=body)
            proof = await endpoint.authorizer.authorize(outgoing, self)
            head = self._build_head(endpoint, method, path, headers, size, proof)
        pool = self._pools.get(endpoint.id)
        if pool is None or pool.endpoint is not endpoint:
            pool = self._pool_of(endpoint)
        if fresh:
            pool.drop_idle()
        conn = pool.take()
        if conn is None:
            conn = await pool.acquire(deadlines)
        response = conn.send(head, body, size, deadlines, start, head_only=method == b"HEAD")
        await response.head(conn)
        if endpoint.authorizer is not None and response.status in (401, 403):
            endpoint.authorizer.refused(self.wall_s())
        return response

    def wall_s(self) -> float:
        """Return the time in seconds since the epoch, for authorizers."""
        return self._wall()

    def background(self, work: Coroutine[Any, Any, Issued]) -> asyncio.Task[Issued]:
        """Run the fetch of a credential, which may outlive the request that began it but not the transport."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _pool_of(self, endpoint: Endpoint) -> Pool:
        """Return the pool of an equal endpoint, or a new one; one of another value under the same id runs out.

        A reloaded configuration, and every refresh of prices, brings new values, most of which say what the old ones said.
        """
        old = self._pools.get(endpoint.id)
        if old is not None and old.endpoint == endpoint:
            old.endpoint = endpoint
            return old
        if old is not None:
            old.retire()
            self._old_pools = [pool for pool in self._old_pools if pool.total] + [old]
        pool = Pool(endpoint, self._dialer, self._now, self._limits, asyncio.get_running_loop())
        self._pools[endpoint.id] = pool
        return pool

    def connections(self) -> dict[str, tuple[int, int, int]]:
        """Return per endpoint id how many connections are open, how many of them free, and how many requests queue."""
        return {name: (pool.total, len(pool.idle), len(pool.waiting)) for name, pool in self._pools.items()}

    async def close(self) -> None:
        """Close kept connections; running requests finish and then close theirs. Idempotent."""
        for pool in self._pools.values():
            pool.retire()
        self._pools.clear()
        for task in self._tasks:
            task.cancel()
        # Sockets close in the loop's next turn; let it have one or two.
        for _ in range(3):
            await asyncio.sleep(0)
