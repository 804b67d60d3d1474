import json

import pytest

from suffice.errors import RequestError
from suffice.wire.messages_request import decode_request
from suffice.wire.neutral import (
    File,
    Image,
    Opaque,
    Reasoning,
    ReasoningRequest,
    ServerTool,
    Text,
    ToolCall,
    ToolChoice,
)
from suffice.wire.reasoning import seal


def decode(**body):
    body = {"max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]} | body
    return decode_request(json.dumps(body).encode())


def test_a_tool_loop_with_thinking():
    request = decode(
        system=[{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        messages=[
            {"role": "user", "content": "go"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "SIG"},
                    {
                        "type": "thinking",
                        "thinking": "hm",
                        "signature": seal("openai", "ENC", item_id="rs_1", encrypted=True),
                    },
                    {"type": "redacted_thinking", "data": "RED"},
                    {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
                    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "no", "is_error": True},
                    {"type": "text", "text": "and"},
                ],
            },
        ],
    )
    assert request.system[0].parts == (Text(text="s", cache_ttl="1h"),)
    _, assistant, tool, user = request.messages
    assert assistant.parts[:4] == (
        Reasoning(text="hm", signature="SIG", issuer="messages"),
        Reasoning(text="hm", encrypted="ENC", issuer="openai", item_id="rs_1"),
        Reasoning(encrypted="RED", issuer="messages"),
        ToolCall(id="t1", name="f", arguments='{"a":1}'),
    )
    assert isinstance(assistant.parts[4], Opaque)
    result = tool.parts[0]
    assert (result.call_id, result.name, result.is_error, result.parts) == ("t1", "f", True, (Text(text="no"),))
    assert user.role == "user" and user.parts == (Text(text="and"),)


def test_sources():
    sources = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
        {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "document", "citations": {"enabled": True}, "source": {"type": "text", "data": "x"}},
    ]
    parts = decode(messages=[{"role": "user", "content": sources}]).messages[0].parts
    assert parts[:2] == (
        Image(data="AA", media_type="image/png"),
        File(name="t", text="words", media_type="text/plain"),
    )
    assert isinstance(parts[2], Opaque)


def test_parameters():
    request = decode(
        thinking={"type": "enabled", "budget_tokens": 2048, "display": "summarized"},
        output_config={"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}, "new": 1},
        tools=[
            {"name": "f", "input_schema": {}, "defer_loading": True},
            {"type": "web_search_20250305", "name": "web_search"},
        ],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        metadata={"user_id": "u"},
        context_management={"edits": []},
        stop_sequences=["x"],
    )
    assert request.reasoning == ReasoningRequest(effort="high", budget_tokens=2048, summary="summarized")
    assert request.output and request.output.schema == {"type": "object"}
    assert request.tools[0].extra == {"defer_loading": True} and isinstance(request.tools[1], ServerTool)
    assert request.tool_choice == ToolChoice(mode="required") and request.parallel_tools is False
    assert request.user == "u" and request.extra == {"context_management": {"edits": []}, "output_config": {"new": 1}}
    assert decode(thinking={"type": "adaptive"}).reasoning == ReasoningRequest(mode="adaptive")
    assert decode(thinking={"type": "disabled"}).reasoning == ReasoningRequest(mode="off")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.role"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages.content.type"),
        ({"tools": [{"input_schema": {}}]}, "tools.name"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"max_tokens": "many"}, "max_tokens"),
    ],
)
def test_what_is_wrong_is_named(body, param):
    with pytest.raises(RequestError) as caught:
        decode(**body)
    assert caught.value.param == param
