"""What an answer makes of a repository."""

import json

import pytest

from suffice.verify.landing import changed_files, plain_files
from suffice.verify.view import AnswerView, AskView, ToolCall

REPO = {"calc.py": "def add(a, b):\n    return a - b\n", "src/app/main.py": "import calc\n"}
FIXED = "def add(a, b):\n    return a + b\n"


def edit(path: str, old: str = "a - b", new: str = "a + b") -> AnswerView:
    arguments = json.dumps({"path": path, "old_str": old, "new_str": new})
    return AnswerView(tool_calls=(ToolCall(name="str_replace", arguments=arguments),))


@pytest.mark.parametrize("path", ["calc.py", "./calc.py", "/srv/repo/calc.py", "C:\\work\\repo\\calc.py"])
def test_an_edit_is_applied_to_the_repositorys_file_by_whatever_path_the_agent_calls_it(path: str) -> None:
    assert changed_files(edit(path), AskView(), REPO.get) == {"calc.py": FIXED}


def test_the_conversations_own_version_of_a_file_counts() -> None:
    ask = AskView(files={"/srv/repo/calc.py": "def add(a, b):\n    return a - b  # new\n"})
    assert changed_files(edit("/srv/repo/calc.py"), ask, REPO.get) == {
        "calc.py": "def add(a, b):\n    return a + b  # new\n"
    }
    partly = AskView(files={"calc.py": "    return a - b"}, partial=frozenset({"calc.py"}))
    assert changed_files(edit("calc.py"), partly, REPO.get) == {"calc.py": FIXED}


def test_a_new_file_lies_beside_the_others_or_nowhere() -> None:
    made = ToolCall(name="write_file", arguments=json.dumps({"path": "/srv/repo/src/new.py", "content": "x = 1\n"}))
    both = AnswerView(tool_calls=(*edit("/srv/repo/calc.py").tool_calls, made))
    ask = AskView(files={"/srv/repo/calc.py": REPO["calc.py"]})
    assert changed_files(both, ask, REPO.get) == {"calc.py": FIXED, "src/new.py": "x = 1\n"}
    assert changed_files(AnswerView(tool_calls=(made,)), AskView(), REPO.get) == {}


def test_what_is_unknown_or_no_edit_is_left_out() -> None:
    assert changed_files(edit("other.py"), AskView(), REPO.get) == {}
    assert changed_files(edit("calc.py", old="nowhere"), AskView(), REPO.get) == {}
    assert changed_files(AnswerView(text="```python\nx = 1\n```"), AskView(), REPO.get) == {}
    read = ToolCall(name="read_file", arguments='{"path": "calc.py"}')
    assert changed_files(AnswerView(tool_calls=(read,)), AskView(), REPO.get) == {}


def test_the_largest_piece_is_the_answer_unless_pieces_name_their_files() -> None:
    text = "First:\n```python\nx = 1\n```\nThen:\n```python\ndef add(a, b):\n    return a + b\n```\n"
    ask = AskView(language="python")
    assert plain_files(AnswerView(text=text), ask)[""].startswith("def add")
    assert plain_files(AnswerView(text="No code here."), ask) == {}
