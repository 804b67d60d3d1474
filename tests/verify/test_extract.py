import json

from hypothesis import given
from hypothesis import strategies as st

from suffice.verify.extract import Form, Source, extract, header_path, info_parts
from suffice.verify.view import AnswerView, AskView, ResponseFormat, ToolCall


def pieces(text, **ask):
    return extract(AnswerView(text=text), AskView(**ask))


def test_a_fence_with_language_and_path():
    (piece,) = pieces("**src/a.py**\n```python\nx = 1\n```")
    assert (piece.language, piece.path, piece.text, piece.form, piece.certain) == (
        "python",
        "src/a.py",
        "x = 1\n",
        Form.CODE,
        True,
    )


def test_windows_line_ends():
    (piece,) = pieces("Here:\r\n```go\r\npackage a\r\n```\r\n")
    assert piece.text == "package a\n" and piece.closed


def test_info_strings():
    assert info_parts("py") == ("python", "")
    assert info_parts("python:src/a.py") == ("python", "src/a.py")
    assert info_parts("src/app.ts") == ("typescript", "src/app.ts")
    assert info_parts('js title="a/b.js"') == ("javascript", "a/b.js")
    assert info_parts("klingon") == ("", "")


def test_headers():
    assert header_path("### `lib/x.rb`:") == "lib/x.rb"
    assert header_path("File: a.py") == "a.py"
    assert header_path("Here is the code:") == "" and header_path("Version 1.2.3") == "" and header_path("1.5") == ""


def test_bare_code_needs_to_look_like_code():
    assert pieces("def f(x):\n    return x\n", language="python")[0].source is Source.BARE
    assert pieces("The answer is 42, because it always is.") == ()


def test_prose_then_bare_code_is_not_certain():
    (piece,) = pieces("Here you go:\n\ndef f(x):\n    return x\n")
    assert not piece.certain and piece.text.startswith("def f")


def test_json_answers_are_one_piece():
    (piece,) = pieces('{"a": 1}', response_format=ResponseFormat(kind="json_object"))
    assert piece.language == "json"


def test_forms():
    assert pieces("```diff\n-a\n+b\n```")[0].form is Form.DIFF
    assert pieces("a.py\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n")[0].form is Form.BLOCKS
    assert pieces("*** Begin Patch\n*** End Patch")[0].form is Form.PATCH
    assert pieces("```text\nhello\n```")[0].form is Form.OUTPUT


def call(name, arguments):
    return extract(AnswerView(tool_calls=(ToolCall(name=name, arguments=json.dumps(arguments)),)), AskView())


def test_code_carried_by_tools():
    (written,) = call("write_file", {"path": "a.py", "content": "x = 1"})
    assert written.source is Source.TOOL and written.language == "python" and written.replaces is None
    (edited,) = call("Edit", {"file_path": "a.go", "old_string": "a", "new_string": "b"})
    assert edited.replaces == "a" and edited.text == "b"
    many = call(
        "MultiEdit",
        {
            "file_path": "a.go",
            "edits": [{"old_string": "a", "new_string": "b"}, {"old_string": "c", "new_string": "d"}],
        },
    )
    assert [piece.replaces for piece in many] == ["a", "c"]
    (patch,) = call("shell", {"command": ["apply_patch", "*** Begin Patch\n*** End Patch"]})
    assert patch.form is Form.PATCH
    assert call("send_mail", {"text": "hello", "path": "a.py"}) == ()


def test_broken_arguments_carry_nothing():
    assert extract(AnswerView(tool_calls=(ToolCall(name="write_file", arguments='{"path": "a'),)), AskView()) == ()


def test_a_prefilled_fence_is_continued():
    (piece,) = extract(AnswerView(text="x = 1\n```\n"), AskView(prefill="```python\n"))
    assert piece.text == "x = 1\n" and piece.closed


@given(st.text(max_size=400), st.text(max_size=50))
def test_never_raises(text, arguments):
    extract(AnswerView(text=text, tool_calls=(ToolCall(name="edit", arguments=arguments),)), AskView(language="python"))


def test_a_language_that_nobody_said_is_a_guess():
    assert pieces("```\npackage main\n\nfunc main() {}\n```")[0].guessed
    assert not pieces("```go\npackage main\n```")[0].guessed
    assert not pieces("main.go\n```\npackage main\n```")[0].guessed
    assert pieces("package main\n\nfunc main() {\n}\n", language="go")[0].guessed


def test_new_files_of_a_patch_are_code_of_their_own():
    added = "*** Add File: a.py\n+x = 1\n+\n+y = 2\n"
    patch = f"*** Begin Patch\n{added}*** Update File: b.py\n@@\n-a\n+b\n*** Add File: c.go\n+package c\n*** End Patch"
    for arguments in (patch, json.dumps({"input": patch})):
        call = ToolCall(id="1", name="apply_patch", arguments=arguments)
        whole, *new = extract(AnswerView(tool_calls=(call,)), AskView())
        assert whole.form is Form.PATCH
        assert [(one.path, one.language, one.text) for one in new] == [
            ("a.py", "python", "x = 1\n\ny = 2\n"),
            ("c.go", "go", "package c\n"),
        ]
