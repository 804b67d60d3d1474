"""AWS event streams (`application/vnd.amazon.eventstream`): binary messages with headers and two checksums.

The decoder takes bytes split anywhere, checks both CRC-32 sums of each message before it believes a byte of it, and holds no
more than one message. A message: total length, length of the headers, CRC of these eight bytes, headers, payload, CRC of all
before. Numbers are big-endian.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from struct import Struct
from struct import error as StructError

import msgspec

from suffice.errors import WireError

_PRELUDE = Struct(">III")
_WORD = Struct(">I")
_SHORT = Struct(">H")
# Sizes of the header types with a fixed one: true, false, byte, short, integer, long, timestamp, UUID.
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_BYTES, _STRING = 6, 7
_LEAST = 16
# The service allows 24 MB; none of its models sends pieces near that.
DEFAULT_LIMIT = 24 * 1024 * 1024
CONTENT_TYPE = "application/vnd.amazon.eventstream"


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One message: its text headers (`:event-type`, `:message-type`, ...) and its payload."""

    headers: dict[str, str]
    payload: bytes


class Decoder:
    """Bytes in, messages out. One per stream."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._held = b""

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the messages that `chunk` completes. Raises WireError for a wrong checksum or an impossible length."""
        data = self._held + chunk if self._held else chunk
        out: list[Frame] = []
        at = 0
        while len(data) - at >= _PRELUDE.size:
            total, headers, checksum = _PRELUDE.unpack_from(data, at)
            if zlib.crc32(data[at : at + 8]) != checksum:
                raise WireError("a message of the event stream has a wrong checksum")
            if not _LEAST + headers <= total <= self._limit:
                raise WireError("a message of the event stream has an impossible length")
            if len(data) - at < total:
                break
            out.append(_frame(data[at : at + total], headers))
            at += total
        self._held = data[at:]
        return out

    @property
    def cut(self) -> bool:
        """True while part of a message is held."""
        return bool(self._held)


def _frame(message: bytes, headers: int) -> Frame:
    if zlib.crc32(message[:-4]) != _WORD.unpack_from(message, len(message) - 4)[0]:
        raise WireError("a message of the event stream has a wrong checksum")
    start = _PRELUDE.size
    return Frame(headers=_headers(message[start : start + headers]), payload=message[start + headers : -4])


def _headers(data: bytes) -> dict[str, str]:
    out: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            end = at + 1 + data[at]
            name = data[at + 1 : end].decode()
            kind = data[end]
            at = end + 1
            if kind in (_BYTES, _STRING):
                size = _SHORT.unpack_from(data, at)[0]
                at += 2
            else:
                size = _FIXED[kind]
            if at + size > len(data):
                raise WireError("a header of the event stream is cut")
            if kind == _STRING:
                out[name] = data[at : at + size].decode()
            at += size
    except (IndexError, KeyError, UnicodeDecodeError, StructError):
        raise WireError("the headers of an event stream message cannot be read") from None
    return out


def encode(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one message with text headers (for simulated providers)."""
    rows = b""
    for name, value in headers.items():
        raw, text = name.encode(), value.encode()
        rows += bytes((len(raw),)) + raw + bytes((_STRING,)) + _SHORT.pack(len(text)) + text
    prelude = Struct(">II").pack(_LEAST + len(rows) + len(payload), len(rows))
    message = prelude + _WORD.pack(zlib.crc32(prelude)) + rows + payload
    return message + _WORD.pack(zlib.crc32(message))
