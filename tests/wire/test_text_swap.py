"""The one text of a whole answer is replaced, or nothing is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.text_swap import DIALECTS, swapped

BODIES: dict[str, Any] = {
    "chat": {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "old"}, "finish_reason": "stop"}],
        "odd": 1,
    },
    "messages": {"content": [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "text", "text": "old"}]},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "t", "thought": True}, {"text": "old"}]}}], "odd": None},
}


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_only_the_text_changes(dialect: str) -> None:
    body = json.dumps(BODIES[dialect])
    found = swapped(dialect, body.encode(), "old", 'n"e\nw')
    assert found is not None
    assert json.loads(found) == json.loads(body.replace('"old"', json.dumps('n"e\nw')))
    assert swapped(dialect, body.encode(), "another", "new") is None


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("chat", {"choices": BODIES["chat"]["choices"] * 2}),
        ("chat", {"choices": []}),
        ("chat", {"choices": [{"message": {"content": "old", "tool_calls": [{}]}}]}),
        ("chat", {"choices": [{"message": {"content": "old"}, "logprobs": {"content": [1]}}]}),
        ("messages", {"content": [{"type": "text", "text": "old"}, {"type": "text", "text": "old"}]}),
        ("messages", {"content": [{"type": "text", "text": "old"}, {"type": "tool_use"}]}),
        ("messages", {"content": [{"type": "text", "text": "old", "citations": [1]}]}),
        ("gemini", {"candidates": [{"content": {"parts": [{"text": "old"}, {"functionCall": {}}]}}]}),
        ("gemini", {"candidates": [{}]}),
        ("responses", {"output": []}),
    ],
)
def test_what_is_not_one_text_is_left(dialect: str, body: Any) -> None:
    assert swapped(dialect, json.dumps(body).encode(), "old", "new") is None


@given(
    st.sampled_from(sorted(DIALECTS)),
    st.binary(max_size=80) | st.sampled_from([b"[]", b"1", b'{"choices":1}', b'{"content":[1]}']),
)
def test_it_never_raises(dialect: str, body: bytes) -> None:
    assert swapped(dialect, body, "old", "new") is None
