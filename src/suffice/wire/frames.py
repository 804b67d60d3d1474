"""Payloads of an event stream, fast: whole events are cut at blank lines, and the common ones need no line-by-line reading.

Gives only the data of each event; dialects that name their events repeat the name inside. Anything unusual (CR, comments,
several data lines) goes through `wire.sse.Decoder`, so both ways read alike.
"""

from __future__ import annotations

from suffice.errors import WireError
from suffice.wire import sse


class Frames:
    """Bytes in, event payloads out. One per stream."""

    def __init__(self, limit: int = sse.DEFAULT_LIMIT) -> None:
        self._carry = b""
        self._limit = limit
        self._begun = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the payloads that `chunk` completes. Raises WireError when an event exceeds the limit or is not UTF-8."""
        if self._carry:
            chunk = self._carry + chunk
        if not self._begun and chunk:
            # A byte order mark may come in pieces.
            if len(chunk) < 3 and b"\xef\xbb\xbf".startswith(chunk):
                self._carry = chunk
                return []
            self._begun = True
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        if chunk.endswith(b"\n\n") and chunk.startswith(b"data: ") and chunk.count(b"\n") == 2 and b"\r" not in chunk:
            self._carry = b""
            return [sse.utf8(chunk[6:-2])]
        end = sse.last_boundary(chunk)
        self._carry = chunk[end:]
        if len(self._carry) > self._limit:
            raise WireError("an event of the stream is too long", code="upstream_too_large", retryable=False)
        return _payloads(chunk[:end]) if end else []

    def close(self) -> list[bytes]:
        """Return the payload of an event without its final blank line, if it is there."""
        rest, self._carry = self._carry, b""
        return _payloads(rest.rstrip(b"\r\n") + b"\n\n") if rest.strip() else []


def _payloads(block: bytes) -> list[bytes]:
    sse.utf8(block)
    if b"\r" in block:
        return [event.data for event in sse.Decoder().feed(block)]
    out: list[bytes] = []
    for piece in block.split(b"\n\n"):
        if piece.startswith(b"event:"):
            piece = piece.partition(b"\n")[2]
        if piece.startswith(b"data:") and b"\n" not in piece:
            out.append(piece[6:] if piece[5:6] == b" " else piece[5:])
        elif piece:
            out += [event.data for event in sse.Decoder().feed(piece + b"\n\n")]
    return out
