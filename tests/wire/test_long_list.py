"""The one-pass split of large bodies gives what the plain split gives, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.errors import RequestError
from suffice.wire import long_list, prescan
from suffice.wire.prescan import ScanLimits, scan

# Text that looks like structure, so that a wrong end has every chance to look right.
text = st.text(alphabet='a"\\[]{},:é ', max_size=10) | st.sampled_from(
    ['],"messages":[', "]}", ',"x":null}', '"]', "\\"]
)
scalars = st.none() | st.integers(-9, 9) | text
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=8
)
names = st.sampled_from(["messages", "input", "contents", "tools", "m", "a"])
rows = st.lists(st.lists(st.tuples(names | text, values), max_size=3), max_size=4)
fields = st.lists(st.tuples(names, st.one_of(rows.map(lambda r: ("rows", r)), values)), max_size=5)
styles = st.sampled_from([(",", ":"), (", ", ": "), (" ,", ":\n")])


def written(made: Any, style: tuple[str, str], twice: bool) -> bytes:
    """JSON text in which keys may be repeated, as no dict could hold them."""
    comma, colon = style

    def pairs(items: list[tuple[str, str]]) -> str:
        return "{" + comma.join(json.dumps(k, ensure_ascii=False) + colon + v for k, v in items) + "}"

    def value(of: Any) -> str:
        if isinstance(of, tuple):
            objects = [[(k, value(v)) for k, v in row] for row in of[1]]
            if not twice:
                objects = [list(dict(row).items()) for row in objects]
            return "[" + comma.join(map(pairs, objects)) + "]"
        return json.dumps(of, separators=style, ensure_ascii=False)

    return pairs([(name, value(of)) for name, of in made]).encode()


def told(body: bytes, large: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(prescan, "_LARGE_BYTES", large)
        patch.setattr(prescan, "_LEVEL_BYTES", large)
        try:
            top = scan(body, ScanLimits(max_depth=12))
        except RequestError as error:
            return error.code, error.message
        objects = {name: top.objects(name) for name in top.spans}
        return dict(top.spans), {n: o and [{k: bytes(v) for k, v in r.items()} for r in o] for n, o in objects.items()}


@settings(max_examples=400)
@given(fields, styles, st.booleans())
def test_it_tells_what_the_plain_split_tells(made: Any, style: tuple[str, str], twice: bool):
    with pytest.MonkeyPatch.context() as monkeypatch:
        body = written(made, style, twice)
        assert told(body, 0, monkeypatch) == told(body, 1 << 30, monkeypatch)


@pytest.mark.parametrize("name", ["messages", "input", "contents"])
def test_what_clients_send_is_found(name: str):
    rows = [{"role": "user", "content": 'a "quoted" \\ é [{' * 20}, {}, {"role": "tool", "content": [{"type": "text"}]}]
    body = json.dumps({"model": "auto", "tools": [], name: rows, "stream": True}, separators=(",", ":")).encode()
    found = long_list.find(body)
    assert found is not None
    assert json.loads(body[found.start : found.end]) == rows
    assert prescan._split_large(body, ScanLimits()) is not None


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"a":1}],"messages":[{"a":1},{"b":2}]}',
        b'{"messages":[{"a":1}],"mess\\u0061ges":[{"a":1}]}',
        b'{"messages":[{"a":1}],"tools":[{"a":1}],"messages":[{"a":"' + b"x" * 23 + b'"}]}',
        b'{"messages":[{"a":"],","a":1}],"x":[1]}',
        b'{"x":{"messages":[{"a":1}]},"messages":[{"a":1}]}',
    ],
)
def test_what_hides_something_is_never_split_in_one_pass(body: bytes):
    split = prescan._split_large(body, ScanLimits())
    if split is not None:
        assert json.loads(body)["messages"] == json.loads(split.value("messages") or b"")
        assert split.spans == scan(body).spans


def test_a_deep_value_costs_no_more_than_a_few_looks(monkeypatch: pytest.MonkeyPatch):
    looks = 0
    real = prescan._rows

    def counted(value: bytes) -> Any:
        nonlocal looks
        looks += 1
        return real(value)

    monkeypatch.setattr(prescan, "_rows", counted)
    deep = b'[{"a":' * 60 + b'"' + b"{" * 300_000 + b'"' + b"}]" * 60
    scan(b'{"x":' + deep + b"}")
    assert 1 < looks <= 6


def test_an_array_of_the_same_name_and_length_further_in_hides_no_depth():
    deep = b"[" * 30 + b"]" * 30
    long = b'[{"a":"' + b"x" * (len(deep) - 10) + b'"}]'
    assert len(long) == len(deep)
    body = b'{"x":{"messages":' + deep + b'},"messages":' + long + b"}"
    assert prescan._split_large(body, ScanLimits(max_depth=12)) is None
