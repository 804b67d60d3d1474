"""The plain-data codec between the answer's process and the grader."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.sandbox.grader_program import Remote, pack, receive, send, unpack

ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
KEYS = st.booleans() | st.integers() | st.text() | st.tuples(st.integers(), st.text())
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner) | st.sets(KEYS),
    max_leaves=10,
)


@given(VALUES)
def test_plain_data_crosses_unchanged(value: Any) -> None:
    back = unpack(pack(value))
    assert back == value
    assert type(back) is type(value)


def test_what_is_not_plain_is_refused() -> None:
    for value in (object(), len, Ellipsis):
        with pytest.raises(TypeError, match="plain data"):
            pack(value)
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(TypeError, match="deeply"):
        pack(endless)


def test_a_subclass_arrives_as_its_plain_base() -> None:
    class Liar(int):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = int.__hash__

    assert type(unpack(pack(Liar(7)))) is int


def test_changes_of_arguments_are_seen() -> None:
    (near_r, far_w), (far_r, near_w) = os.pipe(), os.pipe()
    send(far_w, {"result": None, "args": pack([[1, 2], {"a": 1}])})
    numbers, mapping = [2, 1], {"b": 2}
    assert Remote("sort", near_r, near_w)(numbers, mapping) is None
    assert (numbers, mapping) == ([1, 2], {"a": 1})
    assert unpack(receive(far_r)[0]) == "sort"
    send(far_w, {"error": "KeyError", "text": "x"})
    with pytest.raises(KeyError):
        Remote("sort", near_r, near_w)()
    send(far_w, {"error": "SystemExit", "text": "0"})
    with pytest.raises(RuntimeError):
        Remote("sort", near_r, near_w)()
    for fd in (near_r, far_w, far_r, near_w):
        os.close(fd)
