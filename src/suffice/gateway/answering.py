"""One answer on one client connection, written without a message per piece.

uvicorn's cycle speaks ASGI: a coroutine and a dictionary for the head and for every piece of the body. The data plane writes the
same bytes by plain calls; the control plane and everything else go on using `send`. Does: framing, back-pressure, the end of the
answer. Does not: know what it writes. Invariant: no value of a header can end its line; nothing is written after the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
_CLOSE = b"connection: close\r\n"


class Answering(RequestResponseCycle):
    """What `Reply` writes to. All but `writable` is synchronous; a client that has left takes everything in silence."""

    async def writable(self) -> None:
        """Wait while the client's socket is full."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()

    @property
    def full(self) -> bool:
        """True while the client's socket takes no more: what is written is kept in memory."""
        return self.flow.write_paused and not self.disconnected

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Write the head of an answer whose length is not known. Raises RuntimeError for a header that is no line."""
        if not self.disconnected:
            self.transport.write(self._head(status, headers) + _CHUNKED)
            self.chunked_encoding = True

    def whole(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Write a complete answer at once. Raises RuntimeError for a header that is no line."""
        if not self.disconnected:
            head = self._head(status, headers) + b"content-length: %d\r\n\r\n" % len(body)
            self.transport.write(head if self.scope["method"] == "HEAD" else head + body)
            self._complete()

    def push(self, data: bytes) -> None:
        """Write a piece of the body; an empty one is none, as it would end the body."""
        if data and not self.disconnected and self.scope["method"] != "HEAD":
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self, data: bytes) -> None:
        """Write the last piece, which may be empty."""
        if self.disconnected:
            return
        if self.scope["method"] != "HEAD":
            self.transport.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else b"0\r\n\r\n")
        self._complete()

    def _head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        if self.response_started:
            raise RuntimeError("an answer has one head")
        self.response_started = True
        self.waiting_for_100_continue = False
        parts, lines = [STATUS_LINE[status]], 1 + len(headers)
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        if (b"connection", b"close") in headers:
            self.keep_alive = False
        elif not self.keep_alive:
            parts.append(_CLOSE)
            lines += 1
        head = b"".join(parts)
        # One line end per line given: a value that holds one makes a count differ.
        if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
            raise RuntimeError("a header of an answer holds CR, LF or NUL")
        return head

    def _complete(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
