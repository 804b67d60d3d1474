from hypothesis import given
from hypothesis import strategies as st

from suffice.verify.fences import fences


def content(text):
    return [text[f.start : f.end] for f in fences(text)]


def test_backticks_and_tildes_with_info():
    text = "a\n```python title=x\ncode\n```\n~~~js\nmore\n~~~\n"
    assert content(text) == ["code\n", "more\n"]
    assert [f.info for f in fences(text)] == ["python title=x", "js"]


def test_a_longer_fence_holds_a_shorter_one():
    text = "````markdown\n```python\nx\n```\n````\n"
    assert content(text) == ["```python\nx\n```\n"]


def test_nested_fences_of_the_same_length():
    text = "```markdown\n# T\n```python\nx = 1\n```\nend\n```\nafter\n"
    assert content(text) == ["# T\n```python\nx = 1\n```\nend\n"]


def test_an_unclosed_fence_is_said_so():
    (found,) = fences("x\n```go\nfunc main() {\n")
    assert not found.closed and found.info == "go"


def test_a_deeper_fence_line_does_not_close():
    text = '```python\ndef f():\n    """\n    ```\n    x\n    ```\n    """\n```\n'
    assert content(text) == ['def f():\n    """\n    ```\n    x\n    ```\n    """\n']


def test_an_indented_fence_in_a_list():
    text = "1. do\n\n   ```sh\n   ls\n   ```\n2. done\n"
    (found,) = fences(text)
    assert found.closed and found.indent == 3


def test_the_line_before_is_kept():
    assert fences("**src/a.py**\n\n```\nx\n```")[0].header == "**src/a.py**"


def test_inline_code_is_no_fence():
    assert fences("use ```x``` here\n```not `an` info\n") == ()


@given(st.text(alphabet="`~ \nabc>-", max_size=300))
def test_spans_are_ordered_and_inside(text):
    at = 0
    for found in fences(text):
        assert at <= found.start <= found.end <= len(text)
        at = found.end


def test_a_fence_in_a_comment_ends_where_the_same_mark_stands_before_it():
    text = "/**\n * Use:\n * ```cpp\n * f();\n * ```\n */\nvoid f();\n"
    assert [one.closed for one in fences(text)] == [True]
    # In a list the code ends at a plain line; a further item's fence does not end it.
    listed = "* ```py\n  x = 1\n  ```\n* ```\n  y\n  ```\n"
    assert [one.closed for one in fences(listed)] == [True, True]
