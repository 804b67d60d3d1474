import pytest

from suffice.values.task import TaskType
from suffice.verify.requests import language_of, requested


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Write it in Go.", "go"),
        ("Convert this from Java to C++", "cpp"),
        ("Compare it in Go and in Rust", ""),
        ("Fix:\n```python\nx = 1\n```", "python"),
        ("objects in JavaScript\n\ndef f(x):\n    pass\n", ""),
        ("Hello", ""),
        ("go to the store", ""),
    ],
)
def test_languages(text, language):
    assert language_of(text) == language


def names(text, task=TaskType.GENERATE, language="python"):
    return [(r.name, r.parameters) for r in requested(text, language, task)]


def test_a_stub():
    assert names('def area(w, h=1):\n    """Return it."""\n') == [("area", ("w", "h"))]
    assert names("Complete:\n```python\ndef area(w, *, h):\n    pass\n```\n") == [("area", None)]
    assert names("def area(w):\n") == [("area", ("w",))]


def test_two_stubs_or_a_finished_function_ask_for_nothing():
    assert names("def a():\n    pass\n\ndef b():\n    pass\n") == []
    assert names("def a():\n    return 1\n") == []


def test_the_function_that_tests_call():
    assert names("Write a function. Your code should pass: assert set(area(1)) == set()") == [("area", None)]
    assert names("assert a(1) == b(2)") == []


def test_named_in_words():
    assert names("Write a function called `to_roman` that ...", language="go") == [("to_roman", None)]


def test_the_function_to_mend_keeps_its_name():
    assert names("Fix:\n```python\ndef area(w):\n    return w\n```", TaskType.BUG_FIX) == [("area", None)]
    assert names("def area(w):\n    pass", TaskType.EXPLAIN) == []
