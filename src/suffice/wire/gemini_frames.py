"""The three framings in which a Gemini answer comes: event stream, JSON array sent piece by piece, one JSON object.

`ArraySplitter` cuts an array into its objects while it arrives, without decoding it twice; `Payloads` finds out by the first
byte which framing it is. Both are linear in the bytes and bounded in what they hold.
"""

from __future__ import annotations

import re

from suffice.errors import WireError
from suffice.wire import sse
from suffice.wire.frames import Frames

_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')
_BETWEEN = re.compile(rb"[\s,]*")
_SPACE = b" \t\r\n"
_MAX_DEPTH = 512


class ArraySplitter:
    """Bytes of `[{...}, {...}]` in, whole objects out. `closed` once the final bracket came."""

    def __init__(self, limit: int = sse.DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._held = b""
        self._at = 0
        self._depth = 0
        self._string = False
        self._opened = False
        self.closed = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the objects that `chunk` completes. Raises WireError when the bytes are no array of objects."""
        data = self._held + chunk if self._held else chunk
        out: list[bytes] = []
        start, at = 0, self._at
        while at < len(data):
            if self._depth == 0:
                start = at = self._skip(data, at)
                if at >= len(data):
                    break
                self._depth, at = 1, at + 1
            elif self._string:
                at = self._in_string(data, at)
                if at < 0:
                    at = -at - 1
                    break
            else:
                found = _OUTSIDE.search(data, at)
                if found is None:
                    at = len(data)
                    break
                at = found.end()
                self._step(found.group())
                if self._depth == 0:
                    out.append(sse.utf8(data[start:at]))
                    start = at
        self._held = data[start:]
        self._at = at - start
        if len(self._held) > self._limit:
            raise WireError("an element of the answer is too long", code="upstream_too_large", retryable=False)
        return out

    def _skip(self, data: bytes, at: int) -> int:
        """Return the offset of the next object between objects, or the end of the data."""
        while True:
            found = _BETWEEN.match(data, at)
            at = found.end() if found else at
            if at >= len(data):
                return at
            byte = data[at]
            if self.closed:
                raise WireError("bytes follow the end of the provider's array")
            if byte == 0x5B and not self._opened:
                self._opened = True
            elif byte == 0x5D and self._opened:
                self.closed = True
            elif byte == 0x7B and self._opened:
                return at
            else:
                raise WireError("the provider's answer is not an array of objects")
            at += 1

    def _in_string(self, data: bytes, at: int) -> int:
        """Return the offset behind what was read, or -1 - offset when more bytes are needed."""
        found = _INSIDE.search(data, at)
        if found is None:
            return -1 - len(data)
        if found.group() == b'"':
            self._string = False
            return found.end()
        return found.end() + 1 if found.end() < len(data) else -1 - found.start()

    def _step(self, byte: bytes) -> None:
        if byte == b'"':
            self._string = True
        elif byte in b"{[":
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise WireError("the provider's answer is nested too deeply")
        else:
            self._depth -= 1


class Payloads:
    """Bytes of an answer in any framing in, JSON payloads out. `array` and `open` are known once bytes came."""

    def __init__(self) -> None:
        self._frames: Frames | None = None
        self._splitter: ArraySplitter | None = None
        self._object = b""
        self._lead = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the payloads that `chunk` completes. Raises WireError."""
        if self._frames is not None:
            return self._frames.feed(chunk)
        if self._splitter is not None:
            return self._splitter.feed(chunk)
        self._object += chunk
        if len(self._object) > sse.DEFAULT_LIMIT:
            raise WireError("the provider's answer is too long", code="upstream_too_large", retryable=False)
        first = self._object.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)[:1]
        if first in (b"", b"\xef", b"{"):
            return []
        chunk, self._object = self._object, b""
        if first == b"[":
            self._splitter = ArraySplitter()
            return self._splitter.feed(chunk.removeprefix(b"\xef\xbb\xbf"))
        self._frames = Frames()
        return self._frames.feed(chunk)

    def close(self) -> list[bytes]:
        """Return the payload that a missing final blank line left behind, or the one object of an answer that was no stream."""
        if self._frames is not None:
            return self._frames.close()
        rest, self._object = self._object, b""
        return [sse.utf8(rest)] if rest.strip() else []

    @property
    def cut(self) -> bool:
        """True for an array whose end has not come."""
        return self._splitter is not None and not self._splitter.closed
