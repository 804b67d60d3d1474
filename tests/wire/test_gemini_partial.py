from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import WireError
from suffice.wire.gemini_partial import PartialArguments

_NAME = st.text(st.characters(categories=("Ll", "Nd")), min_size=1, max_size=5)
_TREE = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(_NAME, inner, min_size=1, max_size=3),
    max_leaves=10,
)


def _pieces(value: object, path: str) -> list[dict[str, object]]:
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in _pieces(v, f"{path}.{k}")]
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in _pieces(v, f"{path}[{i}]")]
    if isinstance(value, str):
        half = len(value) // 2
        return [{"jsonPath": path, "stringValue": value[:half]}, {"jsonPath": path, "stringValue": value[half:]}]
    kind = "boolValue" if isinstance(value, bool) else "numberValue"
    return [{"jsonPath": path, kind: value}]


@given(st.dictionaries(_NAME, _TREE, max_size=3))
def test_any_object_sent_in_pieces_comes_together(tree: dict[str, object]) -> None:
    growing = PartialArguments()
    for piece in _pieces(tree, "$"):
        growing.add([piece])
    assert json.loads(growing.text()) == tree


@pytest.mark.parametrize("path", [None, "", "$", "$[0]", "$.a[99999]", "$..", "$.a" * 70, "$.a['", "$.a[-1]"])
def test_a_path_that_cannot_be_followed_is_refused(path: str | None) -> None:
    with pytest.raises(WireError):
        PartialArguments().add([{"jsonPath": path, "stringValue": "x"}])


def test_contradictory_places_are_refused() -> None:
    growing = PartialArguments()
    growing.add([{"jsonPath": "$.a[0]", "stringValue": "x"}])
    with pytest.raises(WireError):
        growing.add([{"jsonPath": "$.a.b", "stringValue": "x"}])
