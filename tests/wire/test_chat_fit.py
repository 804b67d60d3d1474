from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.chat_fit import AS_IT_IS, Rules, fit
from suffice.wire.disguise import shaped_id
from suffice.wire.neutral import loss_header
from suffice.wire.prescan import scan

PLAIN = Rules(developer_role=True)


def sent(body: dict[str, Any], rules: Rules) -> tuple[dict[str, Any], str]:
    top = scan(json.dumps(body).encode())
    found = fit(top, rules)
    return json.loads(b"".join(top.splice(found.changes))), loss_header(found.losses)


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "more": 1}
LOOP: list[dict[str, Any]] = [
    {"role": "user", "content": 'say "developer" and "tool_call_id"'},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "x"},
]


def test_a_request_that_fits_stays_as_it_is():
    body = {"model": "m", "messages": LOOP, "seed": 1, "max_completion_tokens": 5, "stop": ["a"] * 9}
    assert fit(scan(json.dumps(body).encode()), PLAIN) is AS_IT_IS
    assert fit(scan(b'{"model":"m","messages":[{"role":"system","content":"x"}]}'), Rules(alnum9_ids=True)) is AS_IT_IS


@pytest.mark.parametrize(
    ("given_fields", "rules", "wanted", "lost"),
    [
        ({"max_completion_tokens": 5}, {"limit_field": "max_tokens"}, {"max_tokens": 5}, ""),
        ({"max_tokens": 5}, {"limit_field": "max_completion_tokens"}, {"max_completion_tokens": 5}, ""),
        ({"max_tokens": 4, "max_completion_tokens": 5}, {"limit_field": "max_tokens"}, {"max_tokens": 4}, ""),
        ({"max_completion_tokens": None}, {"limit_field": "max_tokens"}, {}, ""),
        ({"seed": 3}, {"seed_field": "random_seed"}, {"random_seed": 3}, ""),
        ({"parallel_tool_calls": False}, {"parallel_tool_calls": False}, {}, "dropped=parallel_tool_calls"),
        ({"stop": ["a", "b"]}, {"max_stop": 1}, {"stop": ["a"]}, "dropped=stop"),
        ({"stop": "a"}, {"max_stop": 1}, {"stop": "a"}, ""),
        ({"user": "u", "logprobs": None}, {"unsupported": ("user", "logprobs")}, {}, "dropped=user"),
        ({"stream_options": {"include_usage": True}}, {"unsupported": ("stream_options",)}, {}, ""),
        (
            {"max_completion_tokens": 5},
            {"limit_field": "max_tokens", "unsupported": ("max_completion_tokens",)},
            {"max_tokens": 5},
            "",
        ),
    ],
)
def test_fields_are_renamed_or_left_out_and_losses_declared(
    given_fields: dict[str, Any], rules: dict[str, Any], wanted: dict[str, Any], lost: str
):
    got, losses = sent({"model": "m", **given_fields}, Rules(developer_role=True, **rules))
    assert (got, losses) == ({"model": "m", **wanted}, lost)


def test_only_the_developers_message_is_written_anew():
    raw = b'{"messages": [ {"role" : "developer", "content": "a"}, {"role":"user",  "content":"\\"role\\":\\"developer\\""} ]}'
    found = fit(scan(raw), Rules())
    assert found.changes["messages"] == (
        b'[{"role":"system","content":"a"},{"role":"user",  "content":"\\"role\\":\\"developer\\""}]'
    )


def test_the_word_in_a_text_changes_nothing():
    assert fit(scan(b'{"messages":[{"role":"user","content":"x","name":"developer"}]}'), Rules()) is AS_IT_IS


def test_ids_take_the_shape_on_both_sides_and_results_their_tools_name():
    got, _ = sent({"messages": LOOP}, Rules(developer_role=True, alnum9_ids=True))
    call, result = got["messages"][1]["tool_calls"][0], got["messages"][2]
    assert call == CALL | {"id": shaped_id("call_1", "alnum9")}
    assert result == {"role": "tool", "tool_call_id": call["id"], "content": "x", "name": "f"}
    again, _ = sent(got, Rules(developer_role=True, alnum9_ids=True))
    assert again == got


TEXT = st.text(max_size=5)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["developer", "user", "assistant", "tool", ""]) | st.none() | st.integers(),
        "content": TEXT | st.lists(TEXT) | st.none(),
        "tool_call_id": TEXT | st.none() | st.integers(),
        "tool_calls": st.none()
        | TEXT
        | st.lists(st.dictionaries(st.sampled_from(["id", "function", "type"]), TEXT | st.dictionaries(TEXT, TEXT))),
    },
)


@given(st.lists(MESSAGE | TEXT), st.booleans(), st.booleans())
def test_whatever_messages_are_the_rest_of_them_stays(messages: list[Any], developer: bool, ids: bool):
    got, _ = sent({"messages": messages}, Rules(developer_role=developer, alnum9_ids=ids))
    assert len(got["messages"]) == len(messages)
    for before, after in zip(messages, got["messages"], strict=True):
        assert type(before) is type(after)
        if isinstance(before, dict):
            assert after.get("content") == before.get("content")
            assert after.keys() - before.keys() <= {"name"}
