"""Server-sent events: an incremental decoder and an encoder.

The decoder takes bytes as they come, split anywhere, with LF, CR or CRLF line ends, comments and a missing last blank line.
It keeps no more than `limit` bytes of an unfinished line, and it never guesses: bytes that are not UTF-8 raise WireError.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from suffice.errors import WireError

DEFAULT_LIMIT = 16 * 1024 * 1024
DONE = b"[DONE]"
_BOUNDARY = re.compile(rb"(?<=\n\n)|(?<=\n\r\n)|(?<=\r\r)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One dispatched event. `name` is `""` when the stream named none; `data` is joined with LF as the standard says."""

    data: bytes
    name: str = ""

    @property
    def is_done(self) -> bool:
        """True for OpenAI's terminal `[DONE]`."""
        return self.data == DONE


def utf8(whole: bytes) -> bytes:
    """Return `whole`, which ends at the end of a line. Raises WireError when it is not UTF-8: its readers would end on it."""
    if not whole.isascii():
        try:
            whole.decode()
        except UnicodeDecodeError as error:
            raise WireError("the provider sent bytes that are not UTF-8") from error
    return whole


class Decoder:
    """Bytes in, events out. One decoder per stream."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._buffer = b""
        self._data: list[bytes] = []
        self._size = 0
        self._name = b""
        self._started = False
        self._skip_lf = False
        self.comments = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes. Raises WireError when a line or an event exceeds the limit."""
        data = self._buffer + chunk if self._buffer else chunk
        if not self._started and data:
            if len(data) < 3 and b"\xef\xbb\xbf".startswith(data):
                self._buffer = data
                return []
            data = data.removeprefix(b"\xef\xbb\xbf")
            self._started = True
        if self._skip_lf and data:
            data = data.removeprefix(b"\n")
            self._skip_lf = False
        if b"\r" in data:
            # A CR at the very end may be the first half of CRLF: the line is over either way, the LF is skipped later.
            self._skip_lf = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = data.split(b"\n")
        self._buffer = lines.pop()
        if len(self._buffer) > self._limit:
            raise WireError("a line of the event stream is too long", code="upstream_too_large", retryable=False)
        events: list[Event] = []
        for line in lines:
            self._line(line, events)
        return events

    def close(self) -> list[Event]:
        """Return the event that a stream without a final blank line left unfinished, if any."""
        events: list[Event] = []
        if self._buffer:
            self._line(self._buffer, events)
            self._buffer = b""
        self._line(b"", events)
        return events

    def _line(self, line: bytes, events: list[Event]) -> None:
        if not line:
            if self._data:
                events.append(Event(data=utf8(b"\n".join(self._data)), name=utf8(self._name).decode()))
                self._data = []
                self._size = 0
            self._name = b""
            return
        if line.startswith(b"data:"):
            value = line[5:].removeprefix(b" ")
            self._size += len(value)
            if self._size > self._limit:
                raise WireError("an event of the stream is too long", code="upstream_too_large", retryable=False)
            self._data.append(value)
        elif line.startswith(b"event:"):
            self._name = line[6:].removeprefix(b" ")
        elif line.startswith(b":"):
            self.comments += 1
        elif line == b"data":
            self._data.append(b"")


def encode(data: bytes, name: str = "") -> bytes:
    """Return one event as bytes; LF inside `data` becomes several data lines."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"


COMMENT = b": keep-alive\n\n"


def last_boundary(data: bytes) -> int:
    """Return the offset just behind the last blank line of `data`, or 0 when no event is complete in it."""
    end = data.rfind(b"\n\n") + 2
    if b"\r" in data:
        end = max(end, data.rfind(b"\n\r\n") + 3, data.rfind(b"\r\r") + 2)
        if end in (2, 1) and not data[:end].endswith((b"\n\n", b"\r\r")):
            return 0
        return end if data[:end].endswith((b"\n\n", b"\n\r\n", b"\r\r")) else 0
    return end if end >= 2 and data[end - 2 : end] == b"\n\n" else 0


def pieces(events: bytes) -> list[bytes]:
    """Return whole events one by one, byte for byte: together they are `events`."""
    if b"\r" in events:
        return [piece for piece in _BOUNDARY.split(events) if piece]
    # Looking behind at every byte takes 50 times as long.
    *whole, rest = events.split(b"\n\n")
    found = [piece + b"\n\n" for piece in whole]
    if rest:
        found.append(rest)
    return found


class WholeEvents:
    """Cuts a stream at its blank lines, for relays that pass events on as they came."""

    __slots__ = ("_carry",)

    def __init__(self) -> None:
        self._carry = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return the events that `chunk` completes, byte for byte. Raises WireError when one exceeds the limit or is not UTF-8."""
        data = self._carry + chunk if self._carry else chunk
        end = last_boundary(data)
        self._carry = data[end:]
        if len(self._carry) > DEFAULT_LIMIT:
            raise WireError("an event of the stream is too long", code="upstream_too_large", retryable=False)
        return utf8(data if end == len(data) else data[:end])

    def close(self) -> bytes:
        """Return what a stream that ended without a blank line left behind, completed; empty when there is nothing. Raises WireError."""
        rest, self._carry = self._carry, b""
        return utf8(rest.rstrip(b"\r\n") + b"\n\n") if rest.strip() else b""
