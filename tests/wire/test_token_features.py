from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.token_features import NAMES, features


def test_what_is_counted() -> None:
    found = dict(zip(NAMES, features("aB  9\n\t(+=) 'é中🎉 x".encode()), strict=True))
    assert found == {
        "lower": 2,
        "upper": 1,
        "digit": 1,
        "space": 4,
        "newline": 1,
        "tab": 1,
        "bracket": 2,
        "operator": 2,
        "quote": 1,
        "two_byte": 1,
        "three_byte": 1,
        "four_byte": 1,
        "word_after_space": 1,
        "camel": 1,
        "space_run": 1,
        "letter_operator": 0,
        "operator_operator": 1,
        "line_indent": 0,
    }


@given(st.binary(), st.binary())
def test_counts_of_two_texts_differ_from_the_whole_by_their_seam_only(one: bytes, two: bytes) -> None:
    apart = [a + b for a, b in zip(features(one), features(two), strict=True)]
    whole = features(one + two)
    assert all(0 <= w - a <= 1 for w, a in zip(whole, apart, strict=True))
    assert len(whole) == len(NAMES)
