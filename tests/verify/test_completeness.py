import pytest

from suffice.values.task import TaskType
from suffice.values.verdict import Outcome
from suffice.verify import completeness
from suffice.verify.reading import Reading
from suffice.verify.view import AnswerView, AskView, ToolCall

CODE = "```python\nx = 1\n```\n"


def check(text="", finish="stop", calls=(), **ask):
    return completeness.check(Reading(AnswerView(text=text, finish_reason=finish, tool_calls=calls), AskView(**ask)))


def test_a_whole_answer_is_accepted():
    assert check(CODE).outcome is Outcome.ACCEPT
    assert check("Just words.").outcome is Outcome.ACCEPT
    assert check(calls=(ToolCall(name="x"),)).outcome is Outcome.ACCEPT


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "incomplete"])
def test_cut_by_the_limit(reason):
    found = check(CODE, reason)
    assert found.rejected and found.kind == "truncated"


@pytest.mark.parametrize("reason", ["content_filter", "SAFETY", "refusal"])
def test_withheld(reason):
    assert check(CODE, reason).kind == "refusal"


@pytest.mark.parametrize("text", ["", "  \n\n"])
def test_empty(text):
    assert check(text).kind == "empty"
    assert not check(text, task=TaskType.COMPLETE).rejected


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot assist with this request.",
        "Sorry, I can't do that.",
        "As an AI language model, I cannot write it.",
    ],
)
def test_refusals(text):
    assert check(text).kind == "refusal"


def test_an_apology_before_code_is_no_refusal():
    assert check("I'm sorry, I can't have been clear. Here:\n" + CODE).outcome is Outcome.ACCEPT
    assert check("I can't reproduce the bug, because `x` is never None.").outcome is Outcome.ACCEPT


def test_an_open_fence():
    assert check("```python\nx = 1\n").kind == "truncated"
    assert not check("```python\nx = 1\n", stop=("```",)).rejected


def test_code_that_ends_too_early():
    assert check("```go\npackage a\n\nfunc f() {\n\tx(1,\n```\n").kind == "truncated"
    assert check("```dart\nvoid main() {\n  print(1);\n```\n").kind == "truncated"


@pytest.mark.parametrize(
    "line",
    [
        "# ... rest of the code unchanged",
        "// ... existing code ...",
        "# rest of the function remains the same",
        "/* ... other methods ... */",
        "// implementation omitted",
    ],
)
def test_left_out_code(line):
    text = f"```python\nx = 1\n{line}\n```\n" if line.startswith("#") else f"```javascript\nlet x = 1;\n{line}\n```\n"
    found = check(text, whole_code=True)
    assert found.rejected and found.kind == "elided"
    assert not check(text).rejected


@pytest.mark.parametrize(
    "line",
    [
        "# the rest of the list is sorted already",
        "# existing users keep their code",
        "x[...] = 1",
        "# Same as before, but faster",
    ],
)
def test_ordinary_comments_leave_nothing_out(line):
    assert not check(f"```python\nx = [1]\n{line}\n```\n", whole_code=True).rejected


def test_a_comment_that_the_file_already_had_is_kept():
    line = "# ... existing code ..."
    text = f"a.py\n```python\n{line}\nx = 1\n```\n"
    assert not check(text, whole_code=True, files={"a.py": f"{line}\n"}).rejected


def test_cut_edits():
    assert check("*** Begin Patch\n*** Update File: a\n@@\n-a\n").kind == "truncated"
    assert check("a.py\n<<<<<<< SEARCH\na\n=======\nb\n").kind == "truncated"
