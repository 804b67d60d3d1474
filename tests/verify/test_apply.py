import json

import pytest

from suffice.verify.apply import Workspace, apply
from suffice.verify.extract import extract
from suffice.verify.view import AnswerView, AskView, ToolCall

TEXT = "def f():\n    a = 1\n    return a\n\n\ndef g():\n    return 2\n"
FILES = {"src/a.py": TEXT}


def of(text="", calls=(), files=FILES, partial=frozenset()):
    return apply(extract(AnswerView(text=text, tool_calls=calls), AskView()), files, partial)


def tool(name, **arguments):
    return (ToolCall(name=name, arguments=json.dumps(arguments)),)


def block(old, new, path="src/a.py"):
    return f"{path}\n```\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```"


def test_paths_match_by_their_tail():
    space = Workspace({"/w/src/a.py": "", "/w/b/a.py": ""}, frozenset())
    assert (
        space.find("src/a.py") == "/w/src/a.py"
        and space.find("a.py") is None
        and space.find("./src/a.py") == "/w/src/a.py"
    )


def test_a_block_applies():
    found = of(block("    a = 1", "    a = 3"))
    assert found.fitting == 1 and "a = 3" in found.after["src/a.py"] and not found.problems


def test_a_block_that_is_not_there():
    found = of(block("    b = 1", "    b = 3"))
    assert found.problems[0].sure and not found.after


def test_blanks_make_a_block_unsure():
    (problem,) = of(block("a = 1", "a = 3")).problems
    assert not problem.sure


def test_an_unknown_or_partial_file_is_unsure():
    assert not of(block("x", "y", "other.py")).problems[0].sure
    assert not of(block("x", "y"), partial=frozenset({"src/a.py"})).problems[0].sure


def test_diffs_ignore_numbers_but_not_context():
    good = "```diff\n--- a/src/a.py\n+++ b/src/a.py\n@@ -100,2 +100,9 @@\n def g():\n-    return 2\n+    return 3\n```"
    assert "return 3" in of(good).after["src/a.py"]
    assert of(good.replace(" def g():", " def h():")).problems[0].sure
    assert not of(good.replace(" def g():", " def g():  ")).problems[0].sure


def test_a_patch_with_anchor():
    patch = "*** Begin Patch\n*** Update File: src/a.py\n@@ def g():\n-    return 2\n+    return 3\n*** End Patch"
    assert "return 3" in of(patch).after["src/a.py"]
    assert of(patch.replace("def g", "def h")).problems[0].sure
    assert of(patch.replace("-    return 2", "-    return 5")).problems[0].sure


def test_replace_text_tools():
    assert of(calls=tool("Edit", file_path="src/a.py", old_string="a = 1", new_string="a = 3")).fitting == 1
    assert of(calls=tool("Edit", file_path="src/a.py", old_string="zzz", new_string="a")).problems[0].sure
    twice = tool("Edit", file_path="src/a.py", old_string="return", new_string="yield")
    assert "2 times" in of(calls=twice).problems[0].why
    everywhere = tool("Edit", file_path="src/a.py", old_string="return", new_string="yield", replace_all=True)
    assert of(calls=everywhere).after["src/a.py"].count("yield") == 2
    assert of(calls=tool("Edit", file_path="src/a.py", old_string="a = 1", new_string="a = 1")).problems[0].sure


def test_edits_build_on_each_other():
    calls = tool("Edit", file_path="src/a.py", old_string="a = 1", new_string="a = 9") + tool(
        "Edit", file_path="src/a.py", old_string="a = 9", new_string="a = 7"
    )
    found = of(calls=calls)
    assert found.fitting == 2 and "a = 7" in found.after["src/a.py"]


def test_windows_line_ends():
    files = {"src/a.py": TEXT.replace("\n", "\r\n")}
    assert of(block("def g():\n    return 2", "x"), files=files).fitting == 1


def test_whole_files_and_new_files():
    found = of(calls=tool("write_file", path="n.py", content="x = 1\n"))
    assert found.after == {"n.py": "x = 1\n"}
    assert of(block("", "x = 1", "n.py")).after == {"n.py": "x = 1"}


@pytest.mark.parametrize("text", ["*** Begin Patch\nnonsense\n*** End Patch", "<<<<<<< SEARCH\na\n"])
def test_malformed_edits_are_sure(text):
    assert of(text).problems[0].sure
