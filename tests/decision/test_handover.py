from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.handover import MOST, brief
from suffice.wire.neutral import Message, Request, Text, ToolCall, ToolResult

FAILED = "E   AssertionError: assert 3 == 4\n1 failed in 0.10s"
PATCH = "*** Begin Patch\n*** Add File: new.py\n+x\n*** End Patch"


def same(text: str) -> str:
    return text


def said(*texts: str) -> Message:
    return Message(role="user", parts=tuple(Text(text=text) for text in texts))


def did(name: str, arguments: str, result: str) -> tuple[Message, Message]:
    call = ToolCall(id="1", name=name, arguments=arguments)
    back = ToolResult(call_id="1", parts=(Text(text=result),))
    return Message(role="assistant", parts=(Text(text="I am sure."), call)), Message(role="tool", parts=(back,))


def run(*messages: Message) -> Request:
    return Request(dialect="chat", messages=messages)


def test_what_was_asked_done_and_failed_is_told_and_no_prose() -> None:
    told = brief(
        run(
            said("Fix add in calc.py."),
            *did("read_file", '{"path": "other.py"}', "x = 1"),
            *did("str_replace", '{"path": "calc.py", "old_str": "a"}', "edited"),
            *did("apply_patch", PATCH, "Success."),
            *did("bash", '{"command": "pytest"}', FAILED),
            *did("bash", '{"command": "pytest"}', FAILED.replace("0.10", "0.20")),
        ),
        ("same_error", "tests_failed_after_edit", "bash"),
        same,
    )
    assert "the same error came twice; tests fail after its edits" in told
    assert "Asked: Fix add in calc.py." in told
    assert "Files it wrote: calc.py, new.py\n" in told
    assert "bash (2), read_file (1)" in told
    assert "- pytest: AssertionError: assert 3 == 4 (2 times)" in told
    assert "other.py" not in told
    assert "I am sure." not in told


def test_the_last_ask_stands_beside_the_first() -> None:
    told = brief(run(said("First."), *did("f", "{}", ""), said("Second.")), (), same)
    assert "Asked: First. ... then: Second." in told


def test_every_text_of_the_conversation_is_masked() -> None:
    secret = "sk-canary"
    request = run(
        said(f"Use {secret}."),
        *did("write_file", f'{{"path": "{secret}.py"}}', f"ValueError: {secret}\n1 failed in 1s"),
    )
    assert secret in brief(request, (), same)
    assert secret not in brief(request, (), lambda text: text.replace(secret, "***"))


TEXTS = st.text(max_size=300) | st.sampled_from([FAILED, PATCH, "x" * 20_000, '{"path": "' + "a" * 300 + '"}'])
PARTS: Any = st.one_of(
    st.builds(Text, text=TEXTS),
    st.builds(ToolCall, id=st.just("1"), name=st.sampled_from(["edit", "bash", ""]), arguments=TEXTS),
    TEXTS.map(lambda text: ToolResult(call_id="1", parts=(Text(text=text),))),
)


@given(
    st.lists(st.builds(Message, role=st.sampled_from(["user", "assistant", "tool"]), parts=st.lists(PARTS).map(tuple)))
)
def test_any_run_has_a_brief_of_bounded_size(messages: list[Message]) -> None:
    told = brief(run(*messages), ("same_error",) * 3, same)
    assert 0 < len(told) <= MOST
    assert told.startswith("Another model")
    assert told.endswith("go on from there.")
