import json

import pytest

from suffice.values.verdict import Outcome
from suffice.verify import tools
from suffice.verify.reading import Reading
from suffice.verify.view import AnswerView, AskView, Tool, ToolCall

READ = Tool(
    name="read_file", schema={"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
)
WRITE = Tool(name="write_file", schema={"type": "object"})
FREE = Tool(name="apply_patch")


def check(name="read_file", arguments='{"path": "a.py"}', **ask):
    ask.setdefault("tools", (READ, WRITE, FREE))
    return tools.check(Reading(AnswerView(tool_calls=(ToolCall(name=name, arguments=arguments),)), AskView(**ask)))


def test_a_valid_call():
    assert check().outcome is Outcome.ACCEPT


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("read_fil", "{}", "unknown-tool"),
        ("read_file", '{"path": "a', "invalid-json"),
        ("read_file", "[1]", "invalid-json"),
        ("read_file", "{}", "schema"),
        ("read_file", "", "schema"),
        ("read_file", '{"path": 1}', "schema"),
        ("write_file", '{"path": "../../etc/x"}', "bad-path"),
        ("write_file", '{"path": "/etc/passwd"}', "bad-path"),
        ("read_file", '{"path": "a\\u0000b"}', "bad-path"),
    ],
)
def test_invalid_calls(name, arguments, kind):
    found = check(name, arguments)
    assert found.rejected and found.kind == kind


def test_free_text_and_unknown_schemas_are_unknown():
    assert check("apply_patch", "*** Begin Patch").outcome is Outcome.UNKNOWN
    assert check(tools=()).outcome is Outcome.UNKNOWN


def test_reading_outside_and_what_the_conversation_names_is_allowed():
    assert check("read_file", '{"path": "/etc/hosts"}').outcome is Outcome.ACCEPT
    assert not check("write_file", '{"path": "/etc/hosts"}', text="Edit /etc/hosts").rejected


def test_the_same_call_again():
    same = ToolCall(name="read_file", arguments='{ "path":"a.py" }')
    other = ToolCall(name="read_file", arguments='{"path": "b.py"}')
    assert check(previous_calls=(same,)).kind == "repeated-call"
    assert not check(previous_calls=(same, other)).rejected
    assert check(previous_calls=(same, other, same, other)).kind == "repeated-call"


def test_a_file_is_read_again_after_something_may_have_changed_it():
    same = ToolCall(name="read_file", arguments='{"path": "a.py"}')
    for between in ("str_replace", "bash", "a_tool_of_a_server"):
        changed = ToolCall(name=between, arguments="{}")
        assert not check(previous_calls=(same, changed, same, changed)).rejected
        # Three times with nothing between that could change it is a loop, whatever came before.
        other = ToolCall(name="read_file", arguments='{"path": "b.py"}')
        assert check(previous_calls=(changed, same, other, same, other)).kind == "repeated-call"


def test_what_an_unknown_tool_answers_may_change_by_itself():
    name = "github_get_run"
    call = ToolCall(name=name, arguments='{"id": 7}')
    found = tools.check(
        Reading(
            AnswerView(tool_calls=(call,)),
            AskView(tools=(Tool(name=name, schema={"type": "object"}),), previous_calls=(call,) * 5),
        )
    )
    assert found.outcome is Outcome.ACCEPT


def test_the_same_edit_for_the_third_time_is_a_loop_whatever_was_between():
    edit = ToolCall(name="str_replace", arguments='{"path": "a.py"}')
    read = ToolCall(name="read_file", arguments='{"path": "a.py"}')
    known = (Tool(name="str_replace", schema={"type": "object"}),)
    for before, rejected in (((edit, read), False), ((edit, read, edit, read), True)):
        ask = AskView(tools=known, previous_calls=before)
        assert tools.check(Reading(AnswerView(tool_calls=(edit,)), ask)).rejected is rejected


def test_running_tests_again_is_no_loop():
    run = Tool(name="bash", schema={"type": "object"})
    call = ToolCall(name="bash", arguments=json.dumps({"command": "pytest"}))
    found = tools.check(
        Reading(AnswerView(tool_calls=(call,)), AskView(tools=(run,), previous_calls=(call, call, call)))
    )
    assert found.outcome is Outcome.ACCEPT


def test_no_call_is_unknown():
    assert tools.check(Reading(AnswerView(text="x"), AskView())).outcome is Outcome.UNKNOWN
