import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.verify.schemas import bounded, violation

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def test_violations():
    assert violation({"a": 1}, SCHEMA) == ""
    assert "integer" in (violation({"a": "x"}, SCHEMA) or "")
    assert "required" in (violation({}, SCHEMA) or "")


def test_references_inside_work_and_others_are_unknown():
    inside = {"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}}
    assert violation({"a": 1}, inside) == "" and violation({"a": "x"}, inside)
    assert violation({}, {"$ref": "https://example.org/x.json"}) is None
    assert violation({}, {"$ref": "file:///etc/passwd"}) is None


def test_recursive_schemas():
    schema = {"properties": {"next": {"$ref": "#"}}, "type": "object"}
    assert violation({"next": {"next": {}}}, schema) == ""
    assert violation({"a": 1}, {"$ref": "#"}) is None


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}", "^(\\w+\\s?)*$", "x" * 500])
def test_costly_patterns_are_left_out(pattern):
    assert violation("a" * 40 + "!", {"type": "string", "pattern": pattern}) == ""


def test_cheap_patterns_count():
    assert violation("abc", {"pattern": "^[0-9]+$"})


def test_bad_deep_and_huge_are_unknown():
    assert violation({}, {"type": "nonsense"}) is None
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    assert violation(deep, {}) is None
    assert violation("x" * 400_000, {}) is None
    nested: dict = {}
    for _ in range(100):
        nested = {"items": nested}
    assert violation([], nested) is None


def test_bounded_keeps_the_rest():
    assert bounded({"type": "object", "$schema": "x", "uniqueItems": True}) == {"type": "object"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5) | st.integers(),
        lambda c: (
            st.lists(c, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "$ref", "pattern", "items", "enum", "a"]), c, max_size=3)
        ),
    )
)
def test_never_raises(value):
    violation(value, value if isinstance(value, dict) else {"const": value})
