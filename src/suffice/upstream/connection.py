"""One connection to a provider: an asyncio protocol around httptools' response parser.

It carries one request at a time, checks the answer's framing strictly, keeps the deadlines with a single lazily moved timer, and
goes back to its pool by itself when a message is whole and the connection may be used again. It must not know dialects,
retries or money. Invariant: after any fault the socket is closed and never used again.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import httptools

from suffice.upstream.answer_parser import AnswerParser
from suffice.upstream.deadlines import Deadlines, TransportLimits
from suffice.upstream.response import Response
from suffice.upstream.transport_fault import BytesSent, FaultKind, Phase, TransportFault

# Below this a joined copy is cheaper than a vectored write.
_JOIN_BYTES = 16_384
_MIN_TIMER_S = 0.001


class ConnectionOwner(Protocol):
    """What a connection tells its pool."""

    def release(self, conn: Connection) -> None:
        """The connection is free and may be used again."""

    def lost(self, conn: Connection) -> None:
        """The connection is closed; called exactly once."""


class Connection(AnswerParser, asyncio.Protocol):
    """See the module. Attributes without an underscore are for pool, response and transport only."""

    __slots__ = (
        "_deadline",
        "_deadline_kind",
        "_owner",
        "_read_paused",
        "_response",
        "_seen",
        "_timer",
        "_timer_at",
        "_write_paused",
        "born",
        "closed",
        "loop",
        "now",
        "served",
        "total_at",
        "transport",
    )

    def __init__(
        self,
        owner: ConnectionOwner,
        loop: asyncio.AbstractEventLoop,
        now: Callable[[], float],
        limits: TransportLimits,
    ) -> None:
        super().__init__(limits)
        self.loop = loop
        self.now = now
        self.transport: asyncio.Transport | None = None
        self.closed = False
        self.born = now()
        self.served = 0
        self.total_at = math.inf
        self._owner = owner
        self._response: Response | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._deadline = math.inf
        self._deadline_kind: FaultKind = "total_timeout"
        self._write_paused = False
        self._read_paused = False
        self._seen = False

    # asyncio protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; have every unsent byte reported as back-pressure."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        tls = transport.get_extra_info("sslcontext") is not None
        # asyncio's TLS layer compares with >=, so 0 would mean "always full".
        self.transport.set_write_buffer_limits(high=1 if tls else 0, low=0)

    def data_received(self, data: bytes) -> None:
        """Parse `data` and hand on what it holds."""
        response = self._response
        if response is None:
            self.discard()  # nobody asked for it
            return
        self._seen = True
        if not self.head_done:
            self.fed += len(data)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._refuse(response, error)
            return
        if not self.head_done:
            self._bound_overhead()
            return
        if not response.status:
            self._publish(response)
        pieces = self.pieces
        if pieces:
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            self.fed = 0
            response.push(self, body, self.now())
            if self.closed:
                return
        elif not self.complete:
            self.fed += len(data)
            self._bound_overhead()
        if self.complete:
            self._finish(response)
        else:
            response.head_done()

    def pause_writing(self) -> None:
        """Part of the request waits for the network."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """The whole request is with the operating system: now the answer's head is due."""
        self._write_paused = False
        response = self._response
        if response is not None:
            response.timings.written = self.now()
            if not self.head_done:
                self.arm(response.deadlines.head_s, "header_timeout")

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone: end a close-delimited body, fail anything else."""
        response = self._response
        if response is None:
            self.discard()
        elif exc is None and self.head_done and self.close_delimited:
            self.keep = False
            self._finish(response)
        elif self._seen:
            self.fail("truncated", "connection closed before the message was whole")
        elif self.served:
            self.fail("stale_keepalive", "kept connection was closed by the other side")
        elif self._write_paused:
            self.fail("write_reset", "connection closed while the request was being sent")
        else:
            self.fail("truncated", "connection closed before any answer")

    # Request

    def send(
        self, head: bytes, body: Sequence[bytes], size: int, deadlines: Deadlines, start: float, *, head_only: bool
    ) -> Response:
        """Write one request and return its response, whose head has yet to arrive."""
        assert self.transport is not None and self._response is None
        self.begin(head_only=head_only)
        self._seen = False
        response = self._response = Response(self, deadlines, start)
        now = response.timings.connected = self.now()
        self.total_at = start + deadlines.total_s
        if size <= _JOIN_BYTES:
            self.transport.write(b"".join((head, *body)))
        else:
            self.transport.writelines((head, *body))
        if self._write_paused:
            self.arm(deadlines.write_s, "write_reset")
        else:
            response.timings.written = now
            self.arm(deadlines.head_s, "header_timeout")
        return response

    def fault(self, kind: FaultKind, detail: str) -> TransportFault:
        """Return the fault `kind` with the connection's present phase."""
        sent: BytesSent = "part" if self._write_paused else "all"
        phase: Phase = "body" if self.head_done else "write" if self._write_paused else "head"
        return TransportFault(kind, phase, bytes_sent=sent, reused=self.served > 0, detail=detail)

    def fail(self, kind: FaultKind, detail: str) -> None:
        """Close the socket and tell the response."""
        response = self._response
        if response is None:
            self.discard()
            return
        fault = self.fault(kind, detail)
        self._response = None
        self.discard()
        response.lost(fault)

    def discard(self) -> None:
        """Close the socket without a word; idempotent."""
        if self.closed:
            return
        self.closed = True
        self._response = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.transport is not None:
            self.transport.abort()
        self._owner.lost(self)

    def pause_upstream(self) -> None:
        """Stop reading until the reader has taken what is buffered."""
        if not self._read_paused and self.transport is not None:
            self._read_paused = True
            self.transport.pause_reading()

    def resume_upstream(self) -> None:
        """Read again after `pause_upstream`."""
        if self._read_paused and self.transport is not None and not self.closed:
            self._read_paused = False
            self.transport.resume_reading()

    # Deadlines: one timer per connection that is moved only when it would ring too late.

    def arm(self, delay_s: float, kind: FaultKind) -> None:
        """Fail with `kind` after `delay_s` seconds, or with total_timeout when that is earlier."""
        at = self.now() + delay_s
        if at > self.total_at:
            at = self.total_at
            kind = "total_timeout"
        self._deadline = at
        self._deadline_kind = kind
        if at < self._timer_at:
            self._set_timer(at)

    def arm_total(self) -> None:
        """Nobody waits: only the total deadline holds."""
        self._deadline = self.total_at
        self._deadline_kind = "total_timeout"

    def idle(self) -> None:
        """Close after the idle time unless another request comes first."""
        self.total_at = math.inf
        self.arm(self.idle_s, "total_timeout")

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self.loop.call_later(max(_MIN_TIMER_S, at - self.now()), self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._timer_at = math.inf
        if self.closed:
            return
        if self._deadline > self.now():
            self._set_timer(self._deadline)
        elif self._response is None:
            self.discard()
        else:
            self.fail(self._deadline_kind, "deadline passed")

    # Ends

    def _bound_overhead(self) -> None:
        """Bound bytes that carry no body: heads that never end, chunk extensions, trailers."""
        if self.fed > self.limits.head_bytes:
            self.fail("too_large", f"over {self.limits.head_bytes} bytes of head without an end")

    def _publish(self, response: Response) -> None:
        """The head is complete: only the total deadline holds until somebody waits for the body."""
        response.status = self.status
        response.headers = self.head
        response.timings.head = self.now()
        response.close_delimited = self.close_delimited
        if self.compressed:
            response.inflate()
        if self.head_only:
            self.pieces.clear()
        self.fed = 0
        self.arm_total()

    def _refuse(self, response: Response, error: Exception) -> None:
        if self.head_done and not response.status:
            self._publish(response)
        if self.pieces:
            body = b"".join(self.pieces)
            self.pieces.clear()
            response.push(self, body, self.now())
        if self.head_only and self.complete:
            self._finish(response)
            return
        kind, detail = self.refusal or ("malformed", f"not HTTP: {error}")
        self.fail(kind, detail)

    def _finish(self, response: Response) -> None:
        """The message is whole: free the connection, then tell the response."""
        reuse = self.keep and not self._write_paused
        self.resume_upstream()
        self._response = None
        response.end(self)
        if reuse:
            self.served += 1
            self._owner.release(self)
        else:
            self.discard()
