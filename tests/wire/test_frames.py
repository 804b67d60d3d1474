from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import WireError
from suffice.wire import sse
from suffice.wire.frames import Frames

STREAM = b': hi\n\nevent: a\ndata: {"x":1}\n\ndata:{"y":"\xc3\xa9"}\n\ndata: 1\ndata: 2\n\nid: 7\ndata: [DONE]\n\n'


def read(chunks):
    frames = Frames()
    return [p for c in chunks for p in frames.feed(c)] + frames.close()


@given(
    st.lists(st.integers(0, len(STREAM)), max_size=6),
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_splits_line_ends_and_marks_do_not_matter(cuts, end, mark):
    stream = mark + STREAM.replace(b"\n", end)
    edges = [0, *sorted(min(c, len(stream)) for c in cuts), len(stream)]
    chunks = [stream[a:b] for a, b in pairwise(edges)]
    assert read(chunks) == [b'{"x":1}', '{"y":"é"}'.encode(), b"1\n2", b"[DONE]"]


@given(
    st.lists(st.sampled_from([b"data: a", b"data:b", b"\n", b"\n\n", b": c", b"event: d", b"data", b"x"]), max_size=12)
)
def test_it_reads_what_the_plain_decoder_reads(pieces):
    stream = b"".join(pieces) + b"\n\n"
    assert read([stream]) == [event.data for event in sse.Decoder().feed(stream)]


def test_a_last_event_without_its_blank_line_is_there_and_an_endless_one_is_refused():
    assert read([b"data: a\n\ndata: b"]) == [b"a", b"b"]
    frames = Frames(limit=10)
    with pytest.raises(WireError):
        frames.feed(b"data: 0123456789")


@pytest.mark.parametrize("end", [b"\n\n", b"\n\n: c\n\n", b"\r\n\r\n", b""])
def test_bytes_that_are_not_utf8_are_refused(end: bytes):
    with pytest.raises(WireError):
        read([b'data: {"a":"\xff"}' + end])
