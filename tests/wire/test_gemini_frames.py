from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import WireError
from suffice.wire.gemini_frames import ArraySplitter, Payloads

from .gemini_samples import CHUNKS, array, sse

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
_OBJECTS = st.lists(st.dictionaries(st.text(max_size=5), _JSON, max_size=3), max_size=4)


@given(_OBJECTS, st.booleans(), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_an_array_comes_apart_into_its_objects_however_it_is_cut(
    objects: list[dict[str, object]], ascii_only: bool, steps: list[int]
) -> None:
    data = json.dumps(objects, ensure_ascii=ascii_only, indent=steps[0] if steps[0] > 4 else None).encode()
    splitter = ArraySplitter()
    out: list[bytes] = []
    at = turn = 0
    while at < len(data):
        step = steps[turn % len(steps)]
        assert not splitter.closed
        out += splitter.feed(data[at : at + step])
        at, turn = at + step, turn + 1
    assert [json.loads(piece) for piece in out] == objects
    assert splitter.closed


@pytest.mark.parametrize("bad", [b"[1]", b"{}", b"[]x", b"x", b"[{}]{", b'["a"]', b"]", b"[" + b'{"a":' * 600])
def test_what_is_no_array_of_objects_is_refused(bad: bytes) -> None:
    with pytest.raises(WireError):
        ArraySplitter().feed(bad)


def test_an_element_beyond_the_limit_is_refused() -> None:
    splitter = ArraySplitter(limit=100)
    splitter.feed(b'[{"a":"' + b"x" * 50)
    with pytest.raises(WireError, match="too long"):
        splitter.feed(b"y" * 60)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_the_framing_is_found_by_the_first_byte(size: int) -> None:
    one = json.dumps(CHUNKS[0]).encode()
    for data in (
        sse(CHUNKS),
        sse(CHUNKS, b"\n\n"),
        array(CHUNKS),
        one,
        b"\xef\xbb\xbf" + sse(CHUNKS),
        b"\n " + array(CHUNKS),
    ):
        payloads = Payloads()
        out = [p for at in range(0, len(data), size) for p in payloads.feed(data[at : at + size])] + payloads.close()
        assert [json.loads(p) for p in out] == (CHUNKS[:1] if data is one else CHUNKS)
        assert not payloads.cut


def test_an_array_without_its_end_is_cut() -> None:
    payloads = Payloads()
    payloads.feed(array(CHUNKS).rstrip()[:-1])
    assert payloads.close() == []
    assert payloads.cut


@pytest.mark.parametrize("data", [b'[{"a":"\xff"}]', b'{"a":"\xff"}', b'data: {"a":"\xff"}\n\n'])
def test_bytes_that_are_not_utf8_are_refused(data: bytes) -> None:
    payloads = Payloads()
    with pytest.raises(WireError):
        payloads.feed(data)
        payloads.close()
