import json

import pytest

from suffice.verify.conversation import Files, shown_files, tool_result, unnumbered
from suffice.verify.view import ToolCall


def after(*steps):
    files = Files()
    for name, arguments, result in steps:
        tool_result(files, ToolCall(name=name, arguments=json.dumps(arguments)), result)
    return files


READ = ("read_file", {"path": "a.py"}, "x = 1\n")


def test_fences_and_tags():
    files = Files()
    shown_files(
        files, 'src/a.py\n```python\nx = 1\n```\n<file path="b.go">\npackage b\n</file>\nc.py\n```\n# ...\ny = 1\n```\n'
    )
    assert files.full == {"src/a.py": "x = 1\n", "b.go": "package b"} and set(files.part) == {"c.py"}


@pytest.mark.parametrize(
    ("dump", "text", "first"),
    [
        ("     1\ta\n     2\t\n     3\tb\n", "a\n\nb\n", 1),
        ("1→a\n2→b", "a\nb", 1),
        ("10 | a\n11 | b", "a\nb", 10),
        ("1: a\n3: b", "1: a\n3: b", 1),
        ("a\nb", "a\nb", 1),
    ],
)
def test_line_numbers(dump, text, first):
    assert unnumbered(dump) == (text, first)


@pytest.mark.parametrize(
    "step",
    [
        READ,
        ("Read", {"file_path": "a.py"}, "     1\tx = 1\n"),
        ("bash", {"command": "cat a.py"}, "x = 1\n"),
        ("str_replace_editor", {"command": "view", "path": "a.py"}, "x = 1\n"),
    ],
)
def test_reading_tools(step):
    assert after(step).full == {"a.py": "x = 1\n"}


def test_ranges_cuts_and_failures_are_not_the_whole_file():
    assert set(after(("read_file", {"path": "a.py", "offset": 10}, "x")).part) == {"a.py"}
    assert set(after(("read_file", {"path": "a.py"}, "x\n[output truncated]")).part) == {"a.py"}
    assert after(("read_file", {"path": "a.py"}, "Error: no such file")).full == {}


def test_what_may_have_changed_a_file():
    assert after(READ, ("bash", {"command": "sed -i s/x/y/ a.py"}, "")).full == {}
    assert after(READ, ("bash", {"command": "ls -l"}, "a.py")).full == {"a.py": "x = 1\n"}
    assert after(READ, ("mystery", {"z": 1}, "")).full == {}
    assert after(READ, ("grep", {"pattern": "x"}, "")).full == {"a.py": "x = 1\n"}


def test_edits_are_followed():
    edit = ("edit", {"path": "a.py", "old_string": "x = 1", "new_string": "x = 2"}, "done")
    assert after(READ, edit).full == {"a.py": "x = 2\n"}
    assert after(READ, (edit[0], {**edit[1], "old_string": "zzz"}, "done")).full == {}
    assert after(READ, (*edit[:2], "Error: not found")).full == {"a.py": "x = 1\n"}
    assert after(("write_file", {"path": "n.py", "content": "y"}, "ok")).full == {"n.py": "y"}


def test_broken_arguments_make_everything_doubtful():
    files = after(READ)
    tool_result(files, ToolCall(name="bash", arguments="{"), "")
    assert files.full == {} and set(files.part) == {"a.py"}


RAN = "Chunk ID: b8724f\nWall time: 0.0 seconds\nProcess exited with code 0\nOriginal token count: 8\nOutput:\n"
PATCHED = "Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nM calc.py\n"
TEXT = "def add(a, b):\n    return a - b\n"
PATCH = "*** Begin Patch\n*** Update File: calc.py\n@@\n-    return a - b\n+    return a + b\n*** End Patch"


def told(output: str) -> Files:
    """The files after Codex has read calc.py and got `output`."""
    files = Files()
    call = ToolCall(id="1", name="exec_command", arguments='{"cmd": "cat calc.py"}')
    tool_result(files, call, output)
    return files


def test_what_codex_writes_above_an_output_is_no_part_of_a_file() -> None:
    assert told(RAN + TEXT).full == {"calc.py": TEXT}
    assert told(RAN.replace("code 0", "code 1") + "cat: calc.py: No such file").full == {}
    assert told(RAN + "def add(a, b):\n…1200 tokens truncated…\n    return a\n").full == {}


def test_a_freeform_patch_changes_the_file_that_was_read() -> None:
    files = told(RAN + TEXT)
    call = ToolCall(id="2", name="apply_patch", arguments=PATCH)
    tool_result(files, call, "apply_patch verification failed: Failed to find expected lines in calc.py")
    assert files.full == {"calc.py": TEXT}
    tool_result(files, call, PATCHED)
    assert files.full == {"calc.py": TEXT.replace("-", "+")}
    # What was not read is not known, whatever the patch says.
    other = Files()
    tool_result(other, call, PATCHED)
    assert other.full == {}
