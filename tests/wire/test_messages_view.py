import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import RequestError
from suffice.wire.messages_view import messages_view, session_user
from suffice.wire.prescan import scan

LOOP = {
    "model": "claude",
    "max_tokens": 900,
    "stream": True,
    "system": [{"type": "text", "text": "You are"}, {"type": "text", "text": "an agent"}],
    "tools": [{"name": "read", "input_schema": {}}, {"type": "web_search_20250305", "name": "web_search"}],
    "messages": [
        {"role": "user", "content": "Fix it"},
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "ok"}, {"type": "tool_use", "id": "t", "name": "read", "input": {}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "x=1"}]}],
        },
    ],
}


def view(body):
    return messages_view(scan(json.dumps(body).encode()))


def test_an_agents_turn():
    seen = view(LOOP)
    assert (seen.model, seen.max_output_tokens, seen.stream) == ("claude", 900, True)
    assert seen.system_text == "You are\nan agent"
    assert (seen.first_user_text, seen.asks) == ("Fix it", ("Fix it",))
    assert seen.tool_names == ("read", "web_search")
    assert seen.last_roles == ("user", "assistant", "tool")
    assert (seen.n_messages, seen.n_user, seen.n_assistant) == (3, 1, 1)
    assert seen.tool_result_texts == ("x=1",)
    assert not seen.has_images and not seen.structured


def test_images_and_structured_output_are_seen():
    source = {"type": "base64", "media_type": "image/png", "data": "AA=="}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "what?"}]
    body = LOOP | {"messages": [{"role": "user", "content": content}]}
    body |= {"output_config": {"format": {"type": "json_schema", "schema": {}}}}
    seen = view(body)
    assert seen.has_images and seen.structured and seen.asks == ("what?",)


@pytest.mark.parametrize(
    "change",
    [{"messages": []}, {"messages": "x"}, {"messages": [{"role": 1}]}, {"messages": [{"role": "user", "content": 7}]},
     {"max_tokens": "many"}, {"max_tokens": None}, {"system": 5}],
)  # fmt: skip
def test_wrong_types_are_refused(change):
    with pytest.raises(RequestError) as caught:
        view({k: v for k, v in (LOOP | change).items() if v is not None})
    assert caught.value.status == 400 and caught.value.param


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "text", "content"]), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["messages", "system", "tools", "metadata", "output_config"]), JSON))
def test_anything_is_read_or_refused(body):
    rows = [{"role": "user", "content": body.get("messages")}]
    top = scan(json.dumps(body | {"messages": rows, "max_tokens": 5}).encode())
    session_user(top)
    try:
        messages_view(top)
    except RequestError as error:
        assert error.status == 400


def test_a_user_id_counts_where_it_names_a_session():
    def user(value):
        return session_user(scan(json.dumps({"metadata": {"user_id": value}}).encode()))

    assert user("user_1_account_2_session_3") == "user_1_account_2_session_3"
    assert user("someone") == "" and user(5) == ""
    assert session_user(scan(b'{"metadata": 3}')) == ""
