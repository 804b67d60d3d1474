"""One upstream answer while it arrives: head, body pieces, end or fault.

It must not parse or touch the socket (connection.py does). Invariant: `chunk` returns b"" only for a message that its framing
says is whole; every other end raises TransportFault.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from suffice.upstream.deadlines import Deadlines, Timings
from suffice.upstream.transport_fault import TransportFault

if TYPE_CHECKING:
    from suffice.upstream.connection import Connection

# What the reader is waiting for.
_NOTHING, _HEAD, _CHUNK, _WHOLE, _POUR = range(5)
# One network read may unfold to this much and no more: about 16 times what one read holds.
_INFLATE_STEP_BYTES = 4_194_304


def _nobody(data: bytes) -> float:
    return 0.0


class Response:
    """An answer whose head is complete. `status`, `headers` (lower-case names, in order), `timings`.

    `close_delimited` says that only the end of the connection marks the end of the body, so that a cut cannot be told from
    an end: look for the dialect's own terminator. One reader at a time.
    """

    __slots__ = (
        "_buffered",
        "_conn",
        "_fault",
        "_inflate",
        "_pieces",
        "_read_limit",
        "_received",
        "_take",
        "_waiter",
        "_want",
        "close_delimited",
        "deadlines",
        "headers",
        "status",
        "timings",
    )

    def __init__(self, conn: Connection, deadlines: Deadlines, start: float) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.timings = Timings(start)
        self.close_delimited = False
        self._conn: Connection | None = conn
        self.deadlines = deadlines
        self._fault: TransportFault | None = None
        self._pieces: list[bytes] = []
        self._buffered = 0
        self._received = 0
        self._read_limit = 0
        self._take: Callable[[bytes], float] = _nobody
        self._inflate: zlib._Decompress | None = None
        self._want = _HEAD
        self._waiter: asyncio.Future[bytes] | None = conn.loop.create_future()

    async def chunk(self, timeout_s: float | None = None) -> bytes:
        """Return the next bytes of the body, as many as have arrived; b"" at the whole message's end.

        `timeout_s` bounds this wait; without it the deadlines of the request do. Raises TransportFault. If the awaiting task is
        cancelled the connection is closed at once.
        """
        pieces = self._pieces
        if pieces:
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            self._buffered = 0
            if self._conn is not None:
                self._conn.resume_upstream()
            return data
        conn = self._conn
        if conn is not None:
            if self.timings.first_byte:
                conn.arm(self.deadlines.between_s if timeout_s is None else timeout_s, "stall")
            else:
                conn.arm(self.deadlines.first_byte_s if timeout_s is None else timeout_s, "first_byte_timeout")
            if self._waiter is not None:
                raise RuntimeError("one reader at a time")
            # As in _wait, but in this frame: it runs once per piece of every stream.
            waiter: asyncio.Future[bytes] = conn.loop.create_future()
            self._waiter = waiter
            self._want = _CHUNK
            try:
                data = await waiter
            except BaseException:
                conn.fail("truncated", "cancelled by the reader")
                raise
            if data:
                return data
        if self._fault is not None:
            raise self._fault
        return b""

    async def pour(self, take: Callable[[bytes], float], timeout_s: float) -> bool:
        """Give each piece to `take` as it arrives, without waking the reader; False at the whole message's end.

        `take` returns how many seconds the next piece may take, 0 or less to stop: then this returns True, and what arrives is
        kept until it is asked for. What `take` raises is raised here. Raises TransportFault.
        """
        if self._pieces:
            timeout_s = take(await self.chunk())
            if timeout_s <= 0:
                return True
        conn = self._conn
        if conn is not None:
            conn.arm(timeout_s, "stall")
            self._take = take
            stopped = await self._wait(conn, _POUR)
            if stopped:
                return True
        if self._fault is not None:
            raise self._fault
        return False

    async def read(self, limit: int, timeout_s: float | None = None) -> bytes:
        """Return the whole rest of the body; raises TransportFault `too_large` beyond `limit` bytes.

        `timeout_s` bounds the whole read; without it each silence is bounded as in `chunk`. One wake-up for the whole body.
        """
        conn = self._conn
        if self._buffered > limit:
            if conn is not None:
                conn.fail("too_large", f"body over {limit} bytes")
            raise self._fault or TransportFault(
                "too_large", "body", bytes_sent="all", detail=f"body over {limit} bytes"
            )
        if conn is not None:
            self._read_limit = limit
            if timeout_s is not None:
                conn.total_at = min(conn.total_at, conn.now() + timeout_s)
            self.await_more(conn)
            conn.resume_upstream()
            await self._wait(conn, _WHOLE)
        if self._fault is not None:
            raise self._fault
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._buffered = 0
        return data

    def close(self) -> None:
        """Give the answer up. A whole one has returned its connection already; otherwise the socket is closed now."""
        conn = self._conn
        if conn is not None:
            conn.fail("truncated", "closed by the reader")

    def await_more(self, conn: Connection) -> None:
        """Arm the silence deadline of a whole-body read."""
        if self.timings.first_byte:
            conn.arm(self.deadlines.between_s, "stall")
        else:
            conn.arm(self.deadlines.first_byte_s, "first_byte_timeout")

    async def head(self, conn: Connection) -> None:
        """Wait for the head of the answer; raises TransportFault. Called once, by the transport."""
        waiter = self._waiter
        if waiter is not None:
            try:
                await waiter
            except BaseException:
                conn.fail("truncated", "cancelled by the reader")
                raise
        if self._fault is not None and not self.status:
            raise self._fault

    async def _wait(self, conn: Connection, want: int) -> bytes:
        if self._waiter is not None:
            raise RuntimeError("one reader at a time")
        waiter: asyncio.Future[bytes] = conn.loop.create_future()
        self._waiter = waiter
        self._want = want
        try:
            return await waiter
        except BaseException:
            conn.fail("truncated", "cancelled by the reader")
            raise

    # Called by the connection.

    def head_done(self) -> None:
        """The head is parsed: wake the request."""
        if self._want == _HEAD:
            self._wake(b"")

    def push(self, conn: Connection, data: bytes, now: float) -> None:
        """Take bytes of the body that arrived at `now`."""
        timings = self.timings
        timings.last_byte = now
        if not timings.first_byte:
            timings.first_byte = now
        if self._inflate is not None:
            unfolded = self._unfold(conn, data)
            if not unfolded:
                return
            data = unfolded
        self._received += len(data)
        if self._received > conn.limits.body_bytes:
            conn.fail("too_large", f"body over {conn.limits.body_bytes} bytes")
            return
        want = self._want
        waiter = self._waiter
        if want == _CHUNK and waiter is not None and not waiter.done():
            self._waiter = None
            self._want = _NOTHING
            waiter.set_result(data)
            conn.arm_total()
            return
        if want == _POUR and waiter is not None and not waiter.done():
            self._pour_piece(conn, waiter, data)
            return
        self._pieces.append(data)
        self._buffered += len(data)
        if want == _WHOLE:
            if self._buffered > self._read_limit:
                conn.fail("too_large", f"body over {self._read_limit} bytes")
            else:
                self.await_more(conn)
        elif self._buffered > conn.limits.high_water_bytes:
            conn.pause_upstream()

    def _pour_piece(self, conn: Connection, waiter: asyncio.Future[bytes], data: bytes) -> None:
        try:
            left_s = self._take(data)
        except Exception as error:
            left_s = 0.0
            waiter.set_exception(error)
        if left_s > 0:
            conn.arm(left_s, "stall")
            return
        self._waiter, self._want = None, _NOTHING
        if not waiter.done():
            waiter.set_result(b"stopped")
        conn.arm_total()

    def end(self, conn: Connection) -> None:
        """The message is whole."""
        self._conn = None
        if self._inflate is not None and not self._inflate.eof:
            self._fault = conn.fault("truncated", "compressed body ends early")
        self._wake(b"")

    def lost(self, fault: TransportFault) -> None:
        """The message will not become whole."""
        self._conn = None
        self._fault = fault
        self._wake(b"")

    def inflate(self) -> None:
        """The body is gzip or zlib although identity was asked for; unfold it within bounds."""
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def _unfold(self, conn: Connection, data: bytes) -> bytes:
        inflate = self._inflate
        assert inflate is not None
        try:
            out: bytes = inflate.decompress(data, _INFLATE_STEP_BYTES)
        except zlib.error:
            conn.fail("malformed", "compressed body cannot be decoded")
            return b""
        if inflate.unconsumed_tail:
            conn.fail("too_large", "compressed body unfolds too far")
            return b""
        if inflate.unused_data:
            conn.fail("malformed", "bytes after the compressed body")
            return b""
        return out

    def _wake(self, result: bytes) -> None:
        waiter = self._waiter
        self._waiter = None
        self._want = _NOTHING
        if waiter is not None and not waiter.done():
            waiter.set_result(result)
