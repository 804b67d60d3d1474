import json

from hypothesis import given
from hypothesis import strategies as st

from suffice.verify.ask import answer_from_chat, ask_from_chat, text_of
from suffice.verify.view import Tool


def call(name, arguments, at="c1"):
    return {
        "role": "assistant",
        "tool_calls": [{"id": at, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}],
    }


def test_the_last_ask_and_the_context():
    body = {
        "messages": [
            {"role": "system", "content": "Be good."},
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": "1"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "Two in Go"}, {"type": "image_url", "image_url": {}}],
            },
        ]
    }
    ask = ask_from_chat(body)
    assert ask.text == "Two in Go" and "Be good." in ask.context and ask.language == "go" and ask.prefill == ""


def test_tools_formats_and_stops():
    body = {
        "messages": [{"role": "user", "content": "x"}],
        "tools": [
            {"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}},
            {"type": "custom", "custom": {"name": "b"}},
            5,
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
        "stop": "```",
    }
    ask = ask_from_chat(body)
    assert ask.tools == (Tool(name="a", schema={"type": "object"}), Tool(name="b"))
    assert ask.response_format.kind == "json_schema" and ask.stop == ("```",)


def test_previous_calls_count_since_the_last_word_of_the_user():
    messages = [
        {"role": "user", "content": "a"},
        call("read_file", {"path": "a"}),
        {"role": "tool", "tool_call_id": "c1", "content": "x"},
        {"role": "user", "content": "again"},
        call("ls", {}, "c2"),
    ]
    assert [c.name for c in ask_from_chat({"messages": messages}).previous_calls] == ["ls"]


def test_files_read_and_edited_in_the_session():
    messages = [
        {"role": "user", "content": "fix"},
        call("read_file", {"path": "a.py"}),
        {"role": "tool", "tool_call_id": "c1", "content": "     1\tx = 1\n     2\ty = 2\n"},
        call("edit", {"path": "a.py", "old_string": "x = 1", "new_string": "x = 5"}, "c2"),
        {"role": "tool", "tool_call_id": "c2", "content": "ok"},
    ]
    ask = ask_from_chat({"messages": messages})
    assert ask.files == {"a.py": "x = 5\ny = 2\n"} and ask.partial == frozenset()


def test_prefill():
    body = {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "```python\n"}]}
    assert ask_from_chat(body).prefill == "```python\n"


def test_answers():
    choice = {
        "finish_reason": "tool_calls",
        "message": {"content": None, **{k: v for k, v in call("a", {"b": 1}).items() if k == "tool_calls"}},
        "logprobs": {"content": [{"token": "x", "logprob": -0.5}]},
    }
    answer = answer_from_chat(choice)
    assert answer.text == "" and answer.tool_calls[0].name == "a" and answer.logprobs[0].logprob == -0.5


def test_text_of_odd_content():
    assert text_of(None) == "" and text_of(5) == "" and text_of([{"text": 1}, "x"]) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8) | st.integers(),
    lambda c: (
        st.lists(c, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "messages",
                    "role",
                    "content",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "tools",
                    "text",
                    "stop",
                    "type",
                    "id",
                    "tool_call_id",
                ]
            ),
            c,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["messages", "tools", "response_format", "stop"]), JSON))
def test_never_raises(body):
    ask_from_chat(body)
    answer_from_chat(body)
