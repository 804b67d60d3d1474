import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import WireError
from suffice.wire import sse
from suffice.wire.sse import Decoder, Event

STREAM = (
    b'\xef\xbb\xbf: hello\n\nevent: ping\ndata: {"a": "\xc3\xa9"}\n\ndata: one\ndata:two\n\nid: 3\ndata: [DONE]\n\n'
)
EVENTS = [
    Event(name="ping", data=b'{"a": "\xc3\xa9"}'),
    Event(data=b"one\ntwo"),
    Event(data=b"[DONE]"),
]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_split_at_every_byte(end: bytes):
    stream = STREAM.replace(b"\n", end)
    for cut in range(len(stream) + 1):
        decoder = Decoder()
        assert decoder.feed(stream[:cut]) + decoder.feed(stream[cut:]) + decoder.close() == EVENTS


@given(st.lists(st.integers(1, 9), max_size=60), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_split_anywhere_and_often(sizes: list[int], end: bytes):
    stream = STREAM.replace(b"\n", end)
    decoder, events, at = Decoder(), [], 0
    for size in sizes:
        events += decoder.feed(stream[at : at + size])
        at += size
    events += decoder.feed(stream[at:])
    assert events + decoder.close() == EVENTS


def test_a_missing_last_blank_line_loses_nothing():
    decoder = Decoder()
    assert decoder.feed(b"data: tail") == []
    assert decoder.close() == [Event(data=b"tail")]


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_decoder(data: bytes):
    decoder = Decoder()
    try:
        decoder.feed(data)
        decoder.close()
    except WireError:
        pass


def test_an_endless_line_is_refused():
    decoder = Decoder(limit=1000)
    with pytest.raises(WireError, match="too long"):
        for _ in range(20):
            decoder.feed(b"x" * 100)


def test_an_endless_event_is_refused():
    decoder = Decoder(limit=1000)
    with pytest.raises(WireError, match="too long"):
        for _ in range(20):
            decoder.feed(b"data: " + b"x" * 100 + b"\n")


@given(st.text(min_size=1).map(str.encode).filter(lambda b: b"\r" not in b), st.sampled_from(["", "message_stop"]))
def test_encode_then_decode(data: bytes, name: str):
    assert Decoder().feed(sse.encode(data, name)) == [Event(data=data, name=name)]


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"", 0),
        (b"data: a", 0),
        (b"data: a\n", 0),
        (b"data: a\n\n", 9),
        (b"data: a\n\ndata: b", 9),
        (b"data: a\r\n\r\ndata: b\r\n", 11),
        (b"data: a\r\rx", 9),
        (b"\n", 0),
        (b"\r\n", 0),
    ],
)
def test_last_boundary(data: bytes, end: int):
    assert sse.last_boundary(data) == end


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_events_are_cut_one_by_one_at_any_line_end(end: bytes) -> None:
    line = end[: len(end) // 2]
    events = [b"data: 1" + end, b": c" + end, b"event: x" + line + b"data: 2" + end]
    assert sse.pieces(b"".join(events)) == events
    assert sse.pieces(b"") == []


@given(st.lists(st.sampled_from([b"data: 1", b": c", b"\n", b"\n\n", b"\r\n", b"\r", b"x"]), max_size=12))
def test_events_together_are_the_bytes(parts: list[bytes]) -> None:
    assert b"".join(sse.pieces(b"".join(parts))) == b"".join(parts)


@given(st.lists(st.sampled_from([b"data: a", b"\n", b"\n\n", b"\r\n\r\n", b": c", b"x"]), max_size=12), st.data())
def test_whole_events_are_cut_at_blank_lines_and_lose_no_byte(parts: list[bytes], data: st.DataObject):
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=4)))
    whole = sse.WholeEvents()
    out = [whole.feed(stream[a:b]) for a, b in itertools.pairwise([0, *cuts, len(stream)])]
    assert all(piece.endswith((b"\n\n", b"\r\n\r\n", b"\n\r\n")) for piece in out if piece)
    given_out, rest = b"".join(out), whole.close()
    assert stream.startswith(given_out)
    left = stream[len(given_out) :]
    assert rest == (left.rstrip(b"\r\n") + b"\n\n" if left.strip() else b"")
    assert whole.close() == b""


NOT_UTF8 = b'data: {"a":"\xff"}\n\n'


@pytest.mark.parametrize(
    "stream", [NOT_UTF8, b"data: a\n\n" + NOT_UTF8, b"event: \xff\ndata: a\n\n", NOT_UTF8.rstrip()]
)
def test_what_is_not_utf8_is_refused_and_what_is_may_be_cut_anywhere(stream: bytes):
    """A client's own reader would end on it."""
    for reader in (Decoder(), sse.WholeEvents()):
        with pytest.raises(WireError):
            reader.feed(stream)
            reader.close()
    good, whole = 'data: {"a":"é東💡"}\n\n'.encode(), sse.WholeEvents()
    assert b"".join(whole.feed(good[i : i + 1]) for i in range(len(good))) == good
