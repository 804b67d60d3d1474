from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.gemini_schema import from_gemini, to_gemini

_LEAF = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "number", "integer", "boolean"])}, optional={"description": st.text(max_size=5)}
)
_SCHEMA = st.recursive(
    _LEAF | st.just({"type": ["string", "null"]}) | st.just({"type": "string", "enum": ["a", "b"]}),
    lambda inner: (
        st.fixed_dictionaries({"type": st.just("array"), "items": inner, "minItems": st.integers(0, 3)})
        | st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.text(max_size=4), inner, max_size=3)},
            optional={"required": st.lists(st.text(max_size=3), max_size=2)},
        )
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)})
    ),
    max_leaves=8,
)


@given(_SCHEMA)
def test_what_the_form_can_hold_goes_there_and_back(schema: dict[str, object]) -> None:
    converted, lost = to_gemini(schema)
    assert lost == ()
    assert from_gemini(converted) == schema


@pytest.mark.parametrize(
    ("schema", "lost"),
    [
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {}}, ("$defs", "$ref")),
        ({"type": "object", "additionalProperties": False}, ("additionalProperties",)),
        ({"type": ["string", "integer"]}, ("type",)),
        ({"enum": [1, 2]}, ("enum",)),
        ({"type": "string", "format": "uri"}, ("format",)),
        ({"oneOf": []}, ("oneOf",)),
        ({"type": "array", "items": True}, ("boolean schema",)),
        ({"type": "string", "$schema": "x"}, ()),
    ],
)
def test_what_it_cannot_hold_is_named(schema: dict[str, object], lost: tuple[str, ...]) -> None:
    assert to_gemini(schema)[1] == lost


def test_upper_case_types_nullable_and_counts_as_text_are_read() -> None:
    given_schema = {
        "type": "OBJECT",
        "nullable": True,
        "propertyOrdering": ["a"],
        "properties": {"a": {"type": "STRING", "format": "enum", "enum": ["x"], "maxLength": "4", "nullable": True}},
    }
    assert from_gemini(given_schema) == {
        "type": ["object", "null"],
        "properties": {"a": {"type": ["string", "null"], "enum": ["x", None], "maxLength": 4}},
    }


def test_a_schema_of_endless_depth_ends() -> None:
    deep: dict[str, object] = {}
    for _ in range(200):
        deep = {"type": "array", "items": deep}
    assert "depth" in to_gemini(deep)[1]
    assert from_gemini(deep)
