from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import RequestError
from suffice.wire.prescan import ScanLimits, scan

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)
keys = st.text(alphabet="abcxyz_é漢 {}[]:,", max_size=4)
documents = st.dictionaries(keys, values, max_size=6)
layouts = st.sampled_from([{"separators": (",", ":")}, {}, {"indent": 2}, {"indent": "\t"}])


def dump(document: Any, layout: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, **layout).encode()


def refused(body: bytes, **limits: int) -> RequestError:
    with pytest.raises(RequestError) as caught:
        scan(body, ScanLimits(**limits))
    return caught.value


@given(documents, layouts)
def test_it_reads_what_json_reads(document: dict[str, Any], layout: dict[str, Any]) -> None:
    top = scan(dump(document, layout))
    assert {key: json.loads(top.value(key) or b"") for key in top.spans} == document
    assert list(top.spans) == list(document)


@given(documents, layouts, st.dictionaries(keys, st.none() | values.map(lambda v: [v]), max_size=5))
def test_splice_equals_updating_the_dict(
    document: dict[str, Any], layout: dict[str, Any], changes: dict[str, Any]
) -> None:
    body = dump(document, layout)
    encoded = {k: None if v is None else json.dumps(v).encode() for k, v in changes.items()}
    out = b"".join(scan(body).splice(encoded))
    expected = dict(document)
    for key, value in changes.items():
        if value is None:
            expected.pop(key, None)
        else:
            expected[key] = value
    assert json.loads(out) == expected
    assert list(scan(out).spans) == list(expected)


@given(documents, layouts, st.dictionaries(keys, values.map(lambda v: [v]), max_size=3))
def test_bytes_outside_the_spliced_values_stay(
    document: dict[str, Any], layout: dict[str, Any], changes: dict[str, Any]
) -> None:
    body = dump(document, layout)
    top = scan(body)
    present = {k: json.dumps(v).encode() for k, v in changes.items() if k in document}
    out = b"".join(top.splice(present))
    cursor_in = cursor_out = 0
    for key, span in top.spans.items():
        if key in present:
            gap = span.start - cursor_in
            assert out[cursor_out : cursor_out + gap] == body[cursor_in : span.start]
            cursor_in, cursor_out = span.end, cursor_out + gap + len(present[key])
    assert out[cursor_out:] == body[cursor_in:]
    assert b"".join(top.splice({})) == body


pairs = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["1", '"x"', '"1,\\"b\\":2"', "[1]", '{"a":1}'])), max_size=6
)


@given(pairs)
def test_every_repeated_top_level_key_is_refused(fields: list[tuple[str, str]]) -> None:
    body = ("{" + ",".join(f'"{k}":{v}' for k, v in fields) + "}").encode()
    if len({k for k, _ in fields}) == len(fields):
        assert list(scan(body).spans) == [k for k, _ in fields]
    else:
        assert refused(body).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"\\u006dodel":"a"}',
        b'{"model":"a","mod\\u0065l":"b"}',
        b'{"a\\"b":1}',
        b'{"model":1,"\\/x":2}',
    ],
)
def test_escaped_keys_are_refused(body: bytes) -> None:
    assert refused(body).status == 400


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not valid JSON"),
        (b"   ", "not valid JSON"),
        (b"[1]", "must be a JSON object"),
        (b'"x"', "must be a JSON object"),
        (b'{"a":1}x', "not valid JSON"),
        (b'{"a":1}\x00', "not valid JSON"),
        (b'{"a":1} {"a":2}', "not valid JSON"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a":1}'.encode("utf-16"), "byte order mark"),
        (b'{"a":"\xff"}', "UTF-8 at byte 6"),
        (b'{"a":"\xc0\xaf"}', "UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "UTF-8"),
        (b'{"a":NaN}', "not valid JSON"),
        (b'{"a":-Infinity}', "not valid JSON"),
        (b'{"a":[01]}', "not valid JSON"),
        (b'{"a":1,}', "not valid JSON"),
        (b'{"a":"\n"}', "not valid JSON"),
        (b"{'a':1}", "not valid JSON"),
        (b'{"a":tru}', "not valid JSON"),
    ],
)
def test_what_parsers_may_read_differently_is_refused(body: bytes, says: str) -> None:
    error = refused(body)
    assert error.status == 400
    assert says in error.message


@pytest.mark.parametrize(
    "wraps", [["[", "]"], ['{"a":', "}"], ['["b",', ",{}]"], ["[ ", " ]"], ['{"a":"}]","b": ', "}"]]
)
@pytest.mark.parametrize("filler", ["", '"' + "[{" * 3000 + '",'])
def test_depth_is_bounded(wraps: list[str], filler: str) -> None:
    def nested(levels: int) -> bytes:
        return f'{{"pad":[{filler} 0],"v":{wraps[0] * levels}0{wraps[1] * levels}}}'.encode()

    assert scan(nested(8), ScanLimits(max_depth=10)).value("v")
    assert refused(nested(11), max_depth=10).code == "too_deep"
    assert refused(nested(5000)).code in {"too_deep", "request_too_large"}


def test_a_repeated_inner_key_hides_no_depth() -> None:
    deep = b"[" * 300 + b"]" * 300
    rows = b",".join(b'{"role":"user","content":"' + b"{[" * 400 + b'"}' for _ in range(20))
    body = b'{"messages":[' + rows + b',{"a":' + deep + b',"a":1}]}'
    assert refused(body).code == "too_deep"


@given(st.lists(st.dictionaries(st.text(max_size=3), values, max_size=3), max_size=5), layouts)
def test_brackets_inside_strings_are_not_depth(rows: list[dict[str, Any]], layout: dict[str, Any]) -> None:
    rows.append({"content": '{["\\' * 4000})
    top = scan(dump({"messages": rows, "x": "[" * 9000}, layout))
    objects = top.objects("messages")
    assert objects is not None
    assert [{k: json.loads(bytes(v)) for k, v in row.items()} for row in objects] == rows


def test_size_and_node_limits() -> None:
    assert refused(b'{"a":"' + b"x" * 50 + b'"}', max_body_bytes=40).status == 413
    many = b'{"a":[' + b"{}," * 600_000 + b"{}]}"
    assert refused(many).status == 413
    wide = b"{" + b",".join(b'"%d":1' % i for i in range(300_000)) + b"}"
    assert refused(wide).status == 413
    fields = b"{" + b",".join(b'"%d":1' % i for i in range(1001)) + b"}"
    assert "1001 top-level fields" in refused(fields).message
    prose = b'{"a":"' + b"a, b: [c] {d} " * 200_000 + b'"}'
    assert scan(prose).value("a") is not None


def test_objects_is_none_for_anything_but_an_array_of_objects() -> None:
    top = scan(b'{"a":[1],"b":{"c":1},"c":[{"d":1}],"d":null}')
    assert top.objects("a") is None
    assert top.objects("b") is None
    assert top.objects("missing") is None
    assert top.objects("d") is None
    assert [list(row) for row in top.objects("c") or []] == [["d"]]
    assert top.objects("c") is top.objects("c")


@pytest.mark.parametrize("number", [b"1e400", b"-1E+309", b"1" + b"0" * 400, b"-" + b"9" * 5000])
@pytest.mark.parametrize("padding", [b"", b"x" * 20_000])
def test_a_number_that_some_read_as_infinity_is_refused(number: bytes, padding: bytes) -> None:
    body = b'{"messages":[{"a":"' + padding + b'"}],"odd":%s}'
    assert refused(body % number).param == "odd"
    for good in (b"1e308", b"0.1e-400", b"-0", b"9" * 300):
        assert scan(body % good).value("odd") == good


def test_a_number_further_in_stays_as_it_came() -> None:
    assert scan(b'{"odd":{"x":1e400}}').value("odd") == b'{"x":1e400}'
