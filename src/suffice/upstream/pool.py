"""The connections of one endpoint: free ones are reused last in, first out; requests beyond the maximum queue in order.

Invariant: `total` counts every connection that is open or being opened, and never exceeds the endpoint's maximum; a free
connection and a waiting request never exist together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from suffice.upstream.connection import Connection
from suffice.upstream.deadlines import Deadlines, TransportLimits
from suffice.upstream.dial import Dialer
from suffice.upstream.endpoints import Endpoint
from suffice.upstream.transport_fault import TransportFault


class Pool:
    """Connections of `endpoint`; `idle`, `total` and `waiting` may be read for metrics."""

    __slots__ = ("_dialer", "_loop", "_now", "_retired", "endpoint", "idle", "limits", "total", "waiting")

    def __init__(
        self,
        endpoint: Endpoint,
        dialer: Dialer,
        now: Callable[[], float],
        limits: TransportLimits,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.endpoint = endpoint
        self.limits = limits
        self.idle: list[Connection] = []
        self.total = 0
        self.waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._dialer = dialer
        self._now = now
        self._loop = loop
        self._retired = False

    def take(self) -> Connection | None:
        """Return the connection that was used last, or None when none is free."""
        while self.idle:
            conn = self.idle.pop()
            if conn.transport is not None and not conn.transport.is_closing():
                return conn
            conn.discard()
        return None

    async def acquire(self, deadlines: Deadlines) -> Connection:
        """Return a connection, new or handed over by another request; raises TransportFault, bytes_sent "none".

        Call it when `take` returned None.
        """
        while self.total >= self.endpoint.max_connections:
            handed = await self._queue(min(deadlines.queue_s, deadlines.total_s))
            if handed is None:
                break  # a place, already counted for us
            if not handed.closed:
                return handed
        else:
            self.total += 1
        conn = Connection(self, self._loop, self._now, self.limits)
        try:
            await self._dialer.open(self.endpoint, conn, min(deadlines.connect_s, deadlines.total_s))
        except BaseException:
            conn.discard()
            raise
        return conn

    async def _queue(self, timeout_s: float) -> Connection | None:
        if len(self.waiting) >= self.limits.max_waiting:
            raise self._busy(f"{len(self.waiting)} requests wait already")
        turn: asyncio.Future[Connection | None] = self._loop.create_future()
        self.waiting.append(turn)
        try:
            async with asyncio.timeout(timeout_s):
                return await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._give_back(turn.result())
            elif turn in self.waiting:
                self.waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise self._busy(f"none became free in {timeout_s:g} s") from None
            raise

    def _busy(self, why: str) -> TransportFault:
        busy = f"all {self.endpoint.max_connections} connections are busy and {why}"
        return TransportFault("connect_timeout", "queue", detail=busy)

    def _give_back(self, handed: Connection | None) -> None:
        if handed is None:
            self._free_place()
        elif not handed.closed:
            self.release(handed)

    def release(self, conn: Connection) -> None:
        """A connection is free: give it to the first in the queue, keep it, or close it."""
        if self._retired or conn.idle_s <= 0 or self._now() - conn.born > self.limits.age_s:
            conn.discard()
            return
        conn.idle()
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(conn)
                return
        if len(self.idle) >= self.limits.max_idle:
            conn.discard()
        else:
            self.idle.append(conn)

    def lost(self, conn: Connection) -> None:
        """A connection is closed: its place goes to the first in the queue."""
        if conn in self.idle:
            self.idle.remove(conn)
        self._free_place()

    def _free_place(self) -> None:
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.total -= 1

    def drop_idle(self) -> None:
        """Close every free connection."""
        for conn in list(self.idle):
            conn.discard()

    def retire(self) -> None:
        """Keep nothing from now on: free connections close, busy ones close when their answer is whole."""
        self._retired = True
        self.drop_idle()
