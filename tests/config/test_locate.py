import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.config.locate import Place, locate

EXAMPLE = """\
# a comment
version = 1
top."dotted key".x = 'lit # eral'

[server] # after a header
  port = 4000
text = \"\"\"
port = 1
[fake]
"\"\"\"\"

[[list]]
a = [1, [2, 3], { b = "}" , 'c.d' = 4 }]
[list.sub]
z = 1
[[list]]
a = 1
["q.\\u0041"]
x = 2024-01-01 # day
"""


def places_of(data, path=()):
    """Every key path of parsed data, tables and list elements included."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in items:
        yield (*path, name)
        yield from places_of(value, (*path, name))


def test_example_lines_and_columns():
    found = locate(EXAMPLE)
    assert found[("version",)] == Place(line=2, column=1, value_line=2, value_column=11)
    assert found[("top", "dotted key", "x")].line == 3
    assert found[("server", "port")] == Place(line=6, column=3, value_line=6, value_column=10)
    assert found[("server", "text")].line == 7
    assert found[("list", 0, "a", 2, "c.d")].line == 13
    assert found[("list", 0, "sub", "z")].line == 15
    assert found[("list", 1, "a")].line == 17
    assert found[("q.A", "x")].line == 19
    assert set(found) == set(places_of(tomllib.loads(EXAMPLE)))


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "# only", "a=1", "a = [\n1, # one\n\n2,\n]\nb=2", "a={}", "[a]\n[a.b]\n[c]", "x = '''\n'''''\ny=1"],
)
def test_small_documents(text):
    assert set(locate(text)) == set(places_of(tomllib.loads(text)))


def quoted(text: str) -> str:
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in text) + '"'


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
bare = st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True)
keys = st.one_of(bare.map(lambda k: (k, k)), words.map(lambda k: (k, quoted(k))), bare.map(lambda k: (k, f"'{k}'")))
scalars = st.one_of(
    st.integers(-(2**40), 2**40).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        [
            "true",
            "false",
            "inf",
            "1979-05-27T07:32:00Z",
            "07:32:00",
            "'#,]}'",
            '"\\"#]}="',
            "'''a\n[b]\nc=1'''",
            '"""x\\"""" # y"""',
        ]
    ),
    words.map(quoted),
)
gaps = st.sampled_from(["", " ", "  ", "\t"])
breaks = st.sampled_from(["", " ", "\n", " # note ] }\n", "\n\n  "])


@st.composite
def arrays(draw, inner):
    parts = draw(st.lists(inner, max_size=3))
    return "[" + "".join(f"{draw(breaks)}{p}{draw(breaks)}," for p in parts) + draw(breaks) + "]"


@st.composite
def inline_tables(draw, inner):
    pairs = draw(st.lists(st.tuples(keys, gaps, inner), max_size=3, unique_by=lambda p: p[0][0]))
    return "{" + ",".join(f" {key[1]}{gap}={gap}{value} " for key, gap, value in pairs) + "}"


values = st.recursive(scalars, lambda inner: arrays(inner) | inline_tables(inner), max_leaves=6)


@st.composite
def documents(draw):
    """Lines of pairs, headers and comments; whether they make a valid document is for tomllib to say."""
    lines = []
    for _ in range(draw(st.integers(0, 8))):
        dotted = ".".join(k[1] for k in draw(st.lists(keys, min_size=1, max_size=3)))
        kind = draw(st.sampled_from(["pair", "pair", "table", "array", "comment"]))
        if kind == "pair":
            lines.append(f"{draw(gaps)}{dotted}{draw(gaps)}={draw(gaps)}{draw(values)}{draw(gaps)}")
        elif kind == "comment":
            lines.append("# [x] = {")
        else:
            left, right = ("[", "]") if kind == "table" else ("[[", "]]")
            lines.append(f"{left}{draw(gaps)}{dotted}{draw(gaps)}{right} # {{")
    return "\n".join(lines)


@given(documents())
def test_paths_are_those_of_the_parser(text):
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = locate(text)
    assert set(found) == set(places_of(data))
    lines = text.split("\n")
    for path, place in found.items():
        rest = lines[place.line - 1][place.column - 1 :]
        assert rest, (path, place)
        if isinstance(path[-1], str) and path[-1].isascii() and path[-1].isalnum():
            assert rest.lstrip("\"'").startswith(path[-1])
