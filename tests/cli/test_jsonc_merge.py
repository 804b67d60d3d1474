import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.cli.file_merge import UnsafeMergeError, overlay
from suffice.cli.jsonc_merge import merge, plain

WANTED = {"env": {"URL": "http://gw", "N": 1}, "model": "auto"}


def merged(text, wanted=WANTED):
    return merge(text, wanted, json.loads, overlay)


def test_remarks_and_all_that_is_not_asked_for_stay_as_they_are():
    before = """{
  // my theme
  "theme": "a // b", /* here */
  "model": "mine", // and there
  "env": {
    "A": ["x",], // a list
  },
  "last": 1 // behind
  /* the end */
}
"""
    assert (
        merged(before)
        == """{
  // my theme
  "theme": "a // b", /* here */
  "model": "auto", // and there
  "env": {
    "A": ["x",], // a list
    "URL": "http://gw",
    "N": 1,
  },
  "last": 1 // behind
  /* the end */
}
"""
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{ // a\n}", '{ // a\n  "m": {\n    "n": 1\n  }\n}'),
        ('{"a": 1} // b', '{"a": 1,\n  "m": {\n    "n": 1\n  }\n} // b'),
        ('{\n\t"a": 1 // b\n}', '{\n\t"a": 1, // b\n\t"m": {\n\t  "n": 1\n\t}\n}'),
        ('{\r\n "a": 1,\r\n}', '{\r\n "a": 1,\r\n "m": {\r\n   "n": 1\r\n },\r\n}'),
        ('{"m": {"n": 2}, /* a */}', '{"m": {"n": 1}, /* a */}'),
        ('{"m": {}, /* a */}', '{"m": {\n    "n": 1\n  }, /* a */}'),
    ],
)
def test_where_a_member_goes(before, after):
    found = merged(before, {"m": {"n": 1}})
    assert json.loads(plain(found)) == overlay(json.loads(plain(before)), {"m": {"n": 1}})
    assert found.replace(" ", "") == after.replace(" ", "")
    assert merged(found, {"m": {"n": 1}}) == found


@pytest.mark.parametrize(
    "before",
    [
        "",
        "[1] // a",
        "{",
        "// a",
        '{"a" 1}',
        '{"a": }',
        '{"env": [1]} // a',
        '{"model": [/* a */]}',
        "{'a': 1}",
        '{"a": tru}',
        "{1: 2}",
        "[" * 300,
    ],
)
def test_what_cannot_be_read_or_would_be_lost_is_refused(before):
    with pytest.raises((ValueError, UnsafeMergeError)):
        merged(before)


SPACE = st.sampled_from(["", " ", "\n", "\t", ' // a, "}\n', "/* } , */", "\r\n"])
VALUE = st.recursive(
    st.sampled_from(["1", '"x // y"', "null", "true", "-2.5", '"\\""']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda of: "[" + ", ".join(of) + "]")
        | st.dictionaries(st.sampled_from(['"env"', '"model"', '"b"', '"URL"']), inner, max_size=3).map(
            lambda of: "{" + ", ".join(f"{k}: {v}" for k, v in of.items()) + "}"
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(['"env"', '"model"', '"b"', '"c"']), VALUE, max_size=4), st.data())
def test_whatever_the_file_was_it_is_still_there_or_refused(members, data):
    parts = []
    for key, value in members.items():
        spaces = [data.draw(SPACE) for _ in range(4)]
        parts.append(f"{spaces[0]}{key}{spaces[1]}:{spaces[2]}{value}{spaces[3]}")
    comma = data.draw(st.sampled_from(["", ","])) if parts else ""
    before = data.draw(SPACE) + "{" + ",".join(parts) + comma + data.draw(SPACE) + "}" + data.draw(SPACE)
    try:
        after = merged(before)
    except (ValueError, UnsafeMergeError) as error:
        found = json.loads(plain(before))
        assert (
            not isinstance(found.get("env", {}), dict)
            or isinstance(found.get("model"), (dict, list))
            or any(isinstance(found.get("env", {}).get(k), (dict, list)) for k in ("URL", "N"))
        ), (before, error)
        return
    assert json.loads(plain(after)) == overlay(json.loads(plain(before)), WANTED)
    assert after.count("// a, ") == before.count("// a, ") and after.count("/* } , */") == before.count("/* } , */")
