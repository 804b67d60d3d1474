from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import WireError
from suffice.wire.eventstream import Decoder, Frame, encode

_HEADERS = st.dictionaries(st.text(max_size=8).filter(lambda t: len(t.encode()) < 255), st.text(max_size=8), max_size=3)


@given(st.lists(st.tuples(_HEADERS, st.binary(max_size=40)), max_size=3), st.integers(1, 30))
def test_messages_survive_any_split(messages: list[tuple[dict[str, str], bytes]], size: int) -> None:
    data = b"".join(encode(headers, payload) for headers, payload in messages)
    decoder = Decoder()
    out = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    assert out == [Frame(headers=headers, payload=payload) for headers, payload in messages]
    assert not decoder.cut


def test_a_flipped_bit_anywhere_is_never_believed() -> None:
    data = encode({":event-type": "x"}, b'{"a":1}')
    for at in range(len(data)):
        for bit in (1, 128):
            broken = data[:at] + bytes((data[at] ^ bit,)) + data[at + 1 :]
            with pytest.raises(WireError):
                Decoder().feed(broken)


def test_a_truncated_message_is_held_and_told() -> None:
    data = encode({}, b"payload")
    for at in range(1, len(data)):
        decoder = Decoder()
        assert decoder.feed(data[:at]) == []
        assert decoder.cut


def _message(headers: bytes, payload: bytes = b"", total: int | None = None) -> bytes:
    prelude = struct.pack(">II", 16 + len(headers) + len(payload) if total is None else total, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def test_headers_of_every_type_are_stepped_over() -> None:
    rows = b"".join(
        b"\x01a" + bytes((kind,)) + b"\0" * size
        for kind, size in {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}.items()
    )
    rows += b"\x01b\x06\x00\x02xy" + b"\x01c\x07\x00\x01z"
    assert Decoder().feed(_message(rows, b"p")) == [Frame(headers={"c": "z"}, payload=b"p")]


@pytest.mark.parametrize(
    "headers",
    [b"\x05a", b"\x01a\x0b", b"\x01a\x07\x00", b"\x01a\x07\x00\x09z", b"\x01\xff\x00", b"\x01a\x07\x00\x01\xff"],
)
def test_headers_that_cannot_be_read_are_refused(headers: bytes) -> None:
    with pytest.raises(WireError):
        Decoder().feed(_message(headers))


def test_impossible_lengths_are_refused_at_once() -> None:
    for data in (_message(b"", total=3), _message(b"", total=2**31)):
        with pytest.raises(WireError, match="length"):
            Decoder().feed(data)


@given(st.binary(max_size=60))
def test_noise_raises_or_waits(data: bytes) -> None:
    try:
        assert Decoder().feed(data) == []
    except WireError:
        pass
