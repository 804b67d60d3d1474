from suffice.values.task import TaskType
from suffice.values.verdict import Outcome
from suffice.verify import parses
from suffice.verify.reading import Reading
from suffice.verify.view import AnswerView, AskView, ToolCall


def check(answer="", calls=(), **ask):
    return parses.check(Reading(AnswerView(text=answer, tool_calls=calls), AskView(**ask)))


def test_good_code_is_accepted():
    assert check("```python\nx = 1\n```").outcome is Outcome.ACCEPT


def test_broken_code_is_rejected_with_its_place():
    found = check("```python\nx = 1\ny = = 2\n```")
    assert found.rejected and found.kind == "syntax" and "line 2" in found.reason and "y = = 2" in found.evidence
    assert found.language == "python" and found.span is not None


def test_no_code_and_unknown_languages_are_unknown():
    assert check("hello").outcome is Outcome.UNKNOWN
    assert check("```klingon\n(((\n```").outcome is Outcome.UNKNOWN


def test_one_broken_file_among_good_ones_rejects():
    found = check("a.py\n```python\nx = 1\n```\nb.py\n```python\nx = (\n```\n")
    assert found.rejected and "b.py" in found.reason


def test_a_partial_line_of_a_completion_is_unknown():
    assert (
        check("return (a +", task=TaskType.COMPLETE, language="python", text="def f(a):\n", suffix=" 1)\n").outcome
        is not Outcome.REJECT
    )


def edit(old, new):
    import json

    return (ToolCall(name="edit", arguments=json.dumps({"path": "a.py", "old_string": old, "new_string": new})),)


def test_a_file_must_parse_after_the_edit():
    files = {"a.py": "def f():\n    return 1\n"}
    assert check(calls=edit("return 1", "return 2"), files=files).outcome is Outcome.ACCEPT
    found = check(calls=edit("return 1", "return (1"), files=files)
    assert found.rejected and "a.py" in found.reason


def test_a_file_that_was_broken_before_is_not_held_against_the_edit():
    assert not check(calls=edit("return 1", "return 2"), files={"a.py": "def f(:\n    return 1\n"}).rejected


def test_a_written_file_is_judged():
    call = ToolCall(name="write_file", arguments='{"path": "a.py", "content": "x = (\\n"}')
    assert check(calls=(call,)).rejected
