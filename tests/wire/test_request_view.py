from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import RequestError
from suffice.wire.prescan import scan
from suffice.wire.request_view import WINDOW_CHARS, RequestView, chat_view, completions_view, window


def chat(**body: Any) -> RequestView:
    return chat_view(scan(json.dumps(body).encode()))


def test_it_reads_what_routing_needs() -> None:
    view = chat(
        model="auto",
        messages=[
            {"role": "system", "content": "You are an agent."},
            {"role": "user", "content": [{"type": "text", "text": "Fix the bug"}, {"type": "text", "text": "<env/>"}]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]},
            {"role": "tool", "tool_call_id": "c1", "content": "1 failed"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "ok"}]},
        ],
        tools=[
            {"type": "function", "function": {"name": "bash", "parameters": {"name": "no"}}},
            {"type": "custom", "custom": {"name": "apply_patch"}},
            {"type": "web_search"},
            {"type": "function", "name": "flat"},
        ],
        stream=True,
        max_tokens=500,
        max_completion_tokens=300,
        response_format={"type": "json_schema", "json_schema": {}},
    )
    assert view.model == "auto"
    assert view.system_text == "You are an agent."
    assert view.first_user_text == view.last_user_text == "Fix the bug\n<env/>"
    assert view.tool_names == ("bash", "apply_patch", "flat")
    assert (view.n_messages, view.n_user, view.n_assistant) == (5, 1, 1)
    assert view.last_roles[-2:] == ("tool", "tool")
    assert view.tool_result_texts == ("1 failed", "ok")
    assert (view.stream, view.structured, view.max_output_tokens) == (True, True, 300)
    assert not view.has_images


def test_a_limit_of_none_bounds_nothing() -> None:
    for fields, limit in (({"max_tokens": 0}, 0), ({"max_tokens": 0, "max_completion_tokens": 7}, 7), ({}, 0)):
        view = chat(model="m", messages=[{"role": "user", "content": "x"}], **fields)
        assert view.max_output_tokens == limit


def test_asks_are_the_newest_user_texts_first() -> None:
    rows = [{"role": "user", "content": f"ask {i}"} for i in range(5)]
    assert chat(messages=rows).asks == ("ask 4", "ask 3", "ask 2")


@pytest.mark.parametrize("at", [0, 1, 40])
def test_an_image_anywhere_counts(at: int) -> None:
    rows: list[dict[str, Any]] = [{"role": "user", "content": f"image {i}"} for i in range(60)]
    assert not chat(messages=rows).has_images
    rows[at]["content"] = [{"type": "image_url", "image_url": {"url": "data:"}}]
    assert chat(messages=rows).has_images


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": ["hi"]}, "messages"),
        ({"messages": [{"role": 1}]}, "messages.role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages.content"),
        ({"messages": [{"role": "user", "content": "x"}], "stream": "true"}, "stream"),
        ({"messages": [{"role": "user", "content": "x"}], "stream": 1}, "stream"),
        ({"messages": [{"role": "user", "content": "x"}], "max_tokens": -3}, "max_tokens"),
        ({"messages": [{"role": "user", "content": "x"}], "max_tokens": True}, "max_tokens"),
        ({"messages": [{"role": "user", "content": "x"}], "max_tokens": "9"}, "max_tokens"),
        ({"messages": [{"role": "user", "content": "x"}], "max_tokens": 2**64}, "max_tokens"),
        ({"messages": [{"role": "user", "content": "x"}], "max_tokens": 1.5}, "max_tokens"),
        ({"messages": [{"role": "user", "content": "x"}], "model": 5}, "model"),
        ({"messages": [{"role": "user", "content": "x"}], "response_format": "json"}, "response_format"),
    ],
)
def test_a_wrong_type_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestError) as caught:
        chat(**body)
    assert caught.value.status == 400
    assert caught.value.param == param


@pytest.mark.parametrize("text", [b'"\\ud800"', b"1e400", b'"\\udc00x"'])
def test_what_cannot_be_decoded_is_refused(text: bytes) -> None:
    with pytest.raises(RequestError):
        chat_view(scan(b'{"messages":[{"role":"user","content":' + text + b"}]}"))


def test_completions_and_fill_in_the_middle() -> None:
    view = completions_view(scan(b'{"model":"m","prompt":"def f(","suffix":"\\n  return x","max_tokens":9}'))
    assert (view.prompt, view.suffix, view.max_output_tokens) == ("def f(", "\n  return x", 9)
    assert completions_view(scan(b'{"prompt":["a","b"]}')).prompt == "b"
    assert completions_view(scan(b'{"prompt":[1,2]}')).prompt == ""
    for body in (b"{}", b'{"prompt":7}', b'{"prompt":"a","suffix":7}'):
        with pytest.raises(RequestError):
            completions_view(scan(body))


@given(st.text(min_size=0, max_size=200), st.integers(1, 400))
def test_windows_are_bounded_and_keep_both_ends(text: str, times: int) -> None:
    long = text * times
    cut = window(long)
    assert len(cut) <= WINDOW_CHARS + 8
    assert cut[:50] == long[:50]
    assert cut[-50:] == long[-50:]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "type", "text", "name"]), inner)
    ),
)
fields = st.sampled_from(["messages", "model", "tools", "stream", "max_tokens", "response_format", "prompt", "suffix"])
rows = st.lists(st.dictionaries(st.sampled_from(["role", "content", "name"]), json_values, max_size=3), max_size=3)


@given(st.dictionaries(fields, json_values, max_size=5), rows)
def test_any_json_in_any_field_gives_a_view_or_a_clear_refusal(body: dict[str, Any], messages: Any) -> None:
    body["messages"] = messages
    for read in (chat_view, completions_view):
        try:
            read(scan(json.dumps(body).encode()))
        except RequestError as error:
            assert error.status == 400
            assert error.message
