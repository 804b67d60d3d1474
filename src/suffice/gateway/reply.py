"""The answer to one client: by plain calls on our own listener (`answering.py`), by ASGI's `send` anywhere else.

It knows whether the head has gone out (the first commit point of docs/architecture.md): before it everything can still
change, after it only bytes of the same answer follow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from suffice.errors import SufficeError
from suffice.gateway.answering import Answering
from suffice.wire import errors as wire_errors

Send = Callable[[Any], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON = (b"content-type", b"application/json")
# Our own refusals say whether the SDKs should try again: their default is to retry 408, 409, 429 and 5xx twice. Where a provider asks for
# time they may, at that time: Claude Code ends its session on a `false` (docs/decisions/105-who-names-a-time-may-be-asked-again.md).
_NO_RETRY = (b"x-should-retry", b"false")


# codex and qwen-code wait in silence for as long as they are told: five minutes for a credential that a person has to change.
_LONGEST_WAIT_S = 60.0
# A limit or an overload: a provider asks for time. Any other outage was tried again by us already.
_LATER = (429, 529)


def _worth_waiting(error: SufficeError) -> bool:
    """Tell whether the client is told when to come back: for a limit always, for an outage when that is soon."""
    if error.retry_after_s is None or error.status not in (408, 429, 503, 529):
        return False
    return error.status == 429 or error.retry_after_s <= _LONGEST_WAIT_S


class Reply:
    """Head once, then body bytes, then the end."""

    def __init__(self, send: Send, dialect: str, request_id: str, answering: Answering | None = None) -> None:
        self._send = send
        self._answering = answering
        # Pieces that were pushed where only a coroutine can write them.
        self._pushed = b""
        self.dialect = dialect
        self.request_id = request_id
        self.started = False
        self.finished = False
        # True once a provider may have worked for this request: asking again could cost again.
        self.worked = False
        self.status = 0
        # How a stream that has begun ends in an error, when its dialect's frame depends on what was sent before.
        self.ending: Callable[[SufficeError], bytes] | None = None
        self.headers: list[Header] = []

    def copied_to(self, keep: Callable[[Any], None]) -> None:
        """Show `keep` every message from now on, before it is sent. The answer then goes out as messages on any listener."""
        send, self._answering = self._send, None

        async def both(message: Any) -> None:
            keep(message)
            await send(message)

        self._send = both

    async def head(self, status: int, headers: Sequence[Header]) -> None:
        """Send the status line and the headers: the head commit point."""
        self.started = True
        self.status = status
        if self._answering is not None:
            await self._answering.writable()
            self._answering.head(status, [*headers, *self.headers])
        else:
            await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self.headers]})

    def push(self, data: bytes) -> bool:
        """Send body bytes now; False when the caller has to wait for `writable` before it pushes more."""
        if self._answering is None:
            self._pushed += data
            return False
        self._answering.push(data)
        return not self._answering.full

    async def writable(self) -> None:
        """Wait while the client's socket is full."""
        if self._answering is not None:
            await self._answering.writable()
        elif self._pushed:
            data, self._pushed = self._pushed, b""
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def write(self, data: bytes) -> None:
        """Send body bytes; waits while the client's socket is full."""
        await self.writable()
        if not self.push(data):
            await self.writable()

    async def end(self, data: bytes = b"") -> None:
        """Send the last body bytes, which may be none."""
        self.finished = True
        await self.writable()
        if self._answering is not None:
            self._answering.end(data)
        else:
            await self._send({"type": "http.response.body", "body": data, "more_body": False})

    def cut(self) -> None:
        """Give an answer up that has begun: nothing more is sent, and the server breaks the connection off."""
        self.finished = True

    async def whole(self, status: int, body: bytes, headers: Sequence[Header] = (JSON,)) -> None:
        """Send a complete answer."""
        if self._answering is not None:
            self.started = self.finished = True
            self.status = status
            await self._answering.writable()
            self._answering.whole(status, [*headers, *self.headers], body)
        else:
            await self.head(status, [*headers, (b"content-length", str(len(body)).encode())])
            await self.end(body)

    async def error(self, error: SufficeError) -> None:
        """Tell `error`: as a response with its true status, or as the last frame of a stream that has begun."""
        if self.finished:
            return
        if self.started:
            ending = self.ending
            await self.end(ending(error) if ending else wire_errors.frame(self.dialect, error, self.request_id))
            return
        headers: list[Header] = [JSON]
        if _worth_waiting(error):
            headers.append((b"retry-after", str(max(1, round(error.retry_after_s or 0))).encode()))
        if not (_worth_waiting(error) and error.status in _LATER):
            headers.append(_NO_RETRY)
        if error.status in (413, 408):
            headers.append((b"connection", b"close"))
        await self.whole(error.status, wire_errors.body(self.dialect, error, self.request_id), headers)
