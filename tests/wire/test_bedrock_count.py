from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from suffice.errors import RequestError, WireError
from suffice.wire import bedrock_count

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "system": "s", "stream": True}


def inside(body: bytes) -> Any:
    return json.loads(base64.b64decode(json.loads(body)["input"]["invokeModel"]["body"]))


def test_what_is_counted_is_what_would_be_invoked():
    asked = inside(bedrock_count.encode_request(json.dumps(ASK).encode(), ("a", "b")))
    assert asked == {
        "messages": ASK["messages"],
        "system": "s",
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["a", "b"],
        "max_tokens": 1024,
    }


@pytest.mark.parametrize(
    ("more", "limit"),
    [
        ({"max_tokens": 7}, 7),
        ({"thinking": {"type": "enabled", "budget_tokens": 9000}}, 10_024),
        ({"thinking": 7}, 1024),
    ],
)
def test_the_limit_is_above_what_may_be_thought(more: dict[str, Any], limit: int):
    assert inside(bedrock_count.encode_request(json.dumps(ASK | more).encode()))["max_tokens"] == limit


def test_what_is_no_object_is_refused():
    with pytest.raises(RequestError):
        bedrock_count.encode_request(b"[]")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"inputTokens":"7"}', b'{"inputTokens":-1}', b'{"inputTokens":true}', b"\xff"]
)
def test_an_answer_without_a_number_is_none(body: bytes):
    with pytest.raises(WireError):
        bedrock_count.decode_response(body)
    assert bedrock_count.decode_response(b'{"inputTokens":41}') == 41


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("anthropic.claude-x-v1:0", ["anthropic.claude-x-v1:0"]),
        ("us.anthropic.claude-x-v1:0", ["anthropic.claude-x-v1:0", "us.anthropic.claude-x-v1:0"]),
        ("us-gov.anthropic.claude-x", ["anthropic.claude-x", "us-gov.anthropic.claude-x"]),
        (
            "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-x",
            ["anthropic.claude-x", "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-x"],
        ),
        (
            "arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab1",
            ["arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab1"],
        ),
        ("claude-3.5", ["claude-3.5"]),
    ],
)
def test_a_profile_is_counted_for_under_its_models_own_name_first(model: str, names: list[str]):
    assert list(bedrock_count.names(model)) == names
