import pytest

from suffice.values.task import TaskType
from suffice.values.verdict import Outcome
from suffice.verify import asked
from suffice.verify.reading import Reading
from suffice.verify.view import AnswerView, AskView, Requested, ResponseFormat


def check(answer, **ask):
    ask.setdefault("task", TaskType.GENERATE)
    return asked.check(Reading(AnswerView(text=answer), AskView(**ask)))


def python(code, *parameters, **more):
    wanted = Requested(name="area", parameters=parameters or None, language="python")
    return check(f"```python\n{code}\n```", requested=(wanted,), language="python", **more)


def test_the_name_is_there():
    assert python("def area(w, h):\n    return w * h\n", "w", "h").outcome is Outcome.ACCEPT
    assert python("area = lambda w, h: w * h\n").outcome is Outcome.ACCEPT


def test_the_name_is_missing():
    found = python("def size(w, h):\n    return w * h\n")
    assert found.rejected and found.kind == "missing-name" and "size" in found.reason


def test_a_body_is_not_held_against():
    assert not python("    return w * h\n").rejected


@pytest.mark.parametrize(
    ("header", "rejected"),
    [("w", True), ("w, h, d", True), ("w, h, d=1", False), ("*a", False), ("self, w, h", False), ("w, *, h", False)],
)
def test_signatures(header, rejected):
    assert python(f"def area({header}):\n    return 1\n", "w", "h").rejected is rejected


def test_other_languages_by_word():
    wanted = (Requested(name="area", language="go"),)
    assert check("```go\nfunc area() int { return 1 }\n```", requested=wanted, language="go").outcome is Outcome.ACCEPT
    assert check("```go\nfunc size() int { return 1 }\n```", requested=wanted, language="go").kind == "missing-name"


def test_languages():
    wanted = {"language": "python", "text": "Write this in Python."}
    assert check("```java\nclass A {}\n```", **wanted).kind == "wrong-language"
    stub = 'def area(w, h):\n    """The area."""\n'
    assert check("```java\nclass A {}\n```", language="python", text=stub).kind == "wrong-language"
    assert not check("```ts\nlet a = 1\n```", language="javascript").rejected
    assert not check("```sh\nls\n```", language="python").rejected
    assert not check("```java\nclass A {}\n```", task=TaskType.EXPLAIN, **wanted).rejected


@pytest.mark.parametrize(
    "ask",
    ["Write a React component that calls this endpoint:", "Port it to golang:", "I need the browser's side of this:"],
)
def test_code_that_is_shown_demands_no_language(ask):
    text = f"{ask}\n```python\n@app.get('/x')\ndef x():\n    return 1\n```"
    assert not check("```javascript\nconst a = 1;\n```", language="python", text=text).rejected


def test_json():
    form = ResponseFormat(kind="json_object")
    assert check('{"a": 1}', response_format=form).outcome is Outcome.ACCEPT
    assert check("Sure!", response_format=form).kind == "invalid-json"
    assert check("[1]", response_format=form).rejected
    schema = ResponseFormat(kind="json_schema", schema={"type": "object", "required": ["a"]})
    assert check('{"b": 1}', response_format=schema).kind == "schema"
    assert check('```json\n{"a": 1}\n```', response_format=schema).outcome is Outcome.UNKNOWN


def test_nothing_asked():
    assert check("hello").outcome is Outcome.UNKNOWN
