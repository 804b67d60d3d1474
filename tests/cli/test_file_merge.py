import json
import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from suffice.cli.file_merge import UnsafeMergeError, merge, overlay

WANTED = json.dumps({"env": {"URL": "http://gw", "N": 1}})
TOML = 'model = "auto"\n\n[providers.suffice]\nurl = "http://gw"\n'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_a_new_and_an_empty_file_get_the_text():
    for before in (None, b"", b" \n"):
        assert merge("a.yaml", before, "x: 1\n") == b"x: 1\n"
    assert merge("a.yaml", b"x: 1\n", "x: 1\n") == b"x: 1\n"


def test_json_keeps_what_is_there_and_how_it_is_indented():
    before = b'{\n    "theme": "dark",\n    "env": {\n        "A": "\\u00fc"\n    }\n}\n'
    after = merge("a.json", before, WANTED)
    assert json.loads(after) == {"theme": "dark", "env": {"A": "ü", "URL": "http://gw", "N": 1}}
    assert after.startswith(b'{\n    "theme"') and after.endswith(b"}\n")
    assert b"\r\n" in merge("a.json", before.replace(b"\n", b"\r\n"), WANTED)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5))
@example({"env": {"URL": "http://old", "other": [1.5]}})
@example({"env": []})
def test_json_holds_both_or_is_refused(found):
    try:
        after = json.loads(merge("a.json", json.dumps(found).encode(), WANTED))
    except UnsafeMergeError:
        assert not isinstance(found.get("env", {}), dict)
        return
    assert {k: v for k, v in after.items() if k != "env"} == {k: v for k, v in found.items() if k != "env"}
    assert after["env"] == {**found.get("env", {}), "URL": "http://gw", "N": 1}


@pytest.mark.parametrize(
    "before",
    [
        b'{"a": 1,,}',
        b'{"a": 1 / 2}',
        b'{\n// a remark\n"a": 1, "a": 2}',
        b'{/* a */ "a": NaN}',
        b'{"a": 1} // b\n2',
        b'{"env": 1, // a\n}',
        b"{ // a",
        b'{"a": 1, "a": 2}',
        b'{"a": 0.12345678901234567890123}',
        b'{"a": 1e999}',
        b'{"a": NaN}',
        b"[1]",
        b'"text"',
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"env": "text"}',
    ],
)
def test_json_that_would_lose_something_is_refused(before):
    with pytest.raises(UnsafeMergeError):
        merge("a.json", before, WANTED)


def test_plain_json_keeps_its_layout():
    before = b'{\n\t"allow": [ "a", {"b": [1, 2]} ],\n\t"n": 1.50,\n\t"env": { "A": "1", "URL": "x" }\n}'
    after = merge("a.json", before, WANTED)
    assert after.startswith(
        b'{\n\t"allow": [ "a", {"b": [1, 2]} ],\n\t"n": 1.50,\n\t"env": { "A": "1", "URL": "http://gw"'
    )
    assert json.loads(after)["env"] == {"A": "1", "URL": "http://gw", "N": 1}
    # Half of a character is lost only where it is read and written again.
    assert b'"a": "\\ud800"' in merge("a.json", b'{"a": "\\ud800"}', WANTED)


def test_toml_is_added_around_what_is_there():
    before = b'# mine\napproval = "never" # so\n\n[providers.other]\nurl = "x"'
    after = merge("a.toml", before, TOML)
    assert before in after
    assert tomllib.loads(after.decode()) == {
        "model": "auto",
        "approval": "never",
        "providers": {"other": {"url": "x"}, "suffice": {"url": "http://gw"}},
    }


def test_toml_arrays_of_tables_grow():
    after = merge("a.toml", b'[[models]]\nname = "a"\n', '[[models]]\nname = "b"\n')
    assert tomllib.loads(after.decode())["models"] == [{"name": "a"}, {"name": "b"}]


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (b'model = """mine"""\n', "sets `model` already"),
        (b'model = [\n"mine"]\n', "already"),
        (b'"model" = "mine"\n', "sets `model` already"),
        (b'a = """\nmodel = "mine"\n"""\nmodel = 1\n', "sets `model` already"),
        (b'[providers.suffice]\nurl = "x"\n', "already"),
        (b"providers = 1\n", "sets `providers` already"),
        (b"providers = {}\n", "already"),
        (b"a = \n", "not valid TOML"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_toml_that_says_something_else_is_refused(before, why):
    with pytest.raises(UnsafeMergeError, match=why):
        merge("a.toml", before, TOML)


def test_a_key_of_the_root_is_set_in_its_line():
    before = b"# mine\r\nmodel\t= 'a # b'  # my choice\r\n[t]\r\nmodel = \"other\"\r\n"
    after = merge("a.toml", before, TOML)
    assert after.startswith(b'# mine\r\nmodel\t= "auto"  # my choice\r\n[t]\r\nmodel = "other"\r\n')
    assert tomllib.loads(after.decode())["model"] == "auto"
    assert merge("a.toml", b"model = 1\nx = 2", 'model = "auto"\ny = 3\n') == b'y = 3\n\nmodel = "auto"\nx = 2'


@given(st.text(alphabet="am[].=\"\n#'\r t1{}", max_size=40))
@example('t = """\n[a]\n"""\n')
@example("[[a]]\n")
@example('model = "a" # b\n[a]\nmodel = 1\n')
@example('a = """\nmodel = 1\n"""\n')
def test_whatever_the_toml_was_it_is_still_there_or_refused(text):
    try:
        after = merge("a.toml", text.encode(), TOML)
    except UnsafeMergeError:
        return
    data = tomllib.loads(after.decode())
    assert data.pop("model") == "auto" and data["providers"].pop("suffice") == {"url": "http://gw"}
    if not data["providers"]:
        del data["providers"]
    was = tomllib.loads(text) if text.strip() else {}
    was.pop("model", None)
    assert data == was


def test_other_formats_are_never_changed():
    for name in ("a.yaml", ".vimrc", "a.sh"):
        with pytest.raises(UnsafeMergeError):
            merge(name, b"there: 1\n", "x: 1\n")


def test_overlay_joins_objects_and_replaces_the_rest():
    assert overlay({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2]}, "d": 3}) == {"a": {"b": 1, "c": [2]}, "d": 3}
    with pytest.raises(UnsafeMergeError):
        overlay({"a": 1}, {"a": {"b": 2}})
