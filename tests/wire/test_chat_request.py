import json

import pytest

from suffice.errors import RequestError
from suffice.wire.chat_request import decode_request
from suffice.wire.neutral import (
    File,
    Image,
    OutputFormat,
    Reasoning,
    ReasoningRequest,
    ServerTool,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)


def decode(**body):
    body.setdefault("messages", [{"role": "user", "content": "hi"}])
    return decode_request(json.dumps(body).encode())


def test_turns_of_an_agent():
    request = decode(
        messages=[
            {"role": "developer", "content": "be brief"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            },
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "hm",
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "2", "type": "custom", "custom": {"name": "patch", "input": "*** x"}},
                ],
            },
            {"role": "tool", "tool_call_id": "1", "content": "r1"},
            {"role": "tool", "tool_call_id": "2", "content": [{"type": "text", "text": "r2"}]},
        ]
    )
    assert [m.role for m in request.system] == ["developer"]
    user, assistant, tool = request.messages
    assert user.parts == (Text(text="a", cache_ttl="1h"),)
    assert assistant.parts == (
        Reasoning(text="hm", issuer="chat"),
        ToolCall(id="1", name="f", arguments="{}"),
        ToolCall(id="2", name="patch", arguments="*** x", kind="custom"),
    )
    assert tool.parts == (
        ToolResult(call_id="1", name="f", parts=(Text(text="r1"),)),
        ToolResult(call_id="2", name="patch", kind="custom", parts=(Text(text="r2"),)),
    )


def test_images_and_files():
    request = decode(
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                    {"type": "file", "file": {"file_data": "data:application/pdf;base64,BB==", "filename": "a.pdf"}},
                    {"type": "input_audio", "input_audio": {"data": "x"}},
                ],
            }
        ]
    )
    image, link, file, audio = request.messages[0].parts
    assert image == Image(data="AA==", media_type="image/png", detail="low") and link == Image(url="https://x/y.png")
    assert file == File(name="a.pdf", data="BB==", media_type="application/pdf")
    assert audio.value["type"] == "input_audio"


def test_tools_choices_and_parameters():
    grammar = {"syntax": "lark", "definition": "start: x"}
    request = decode(
        tools=[
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}},
            {"type": "custom", "custom": {"name": "p", "format": {"type": "grammar", "grammar": grammar}}},
            {"type": "web_search"},
        ],
        tool_choice={"type": "function", "function": {"name": "f"}},
        parallel_tool_calls=False,
        max_tokens=9,
        max_completion_tokens=7,
        stop="x",
        reasoning_effort="high",
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}},
        logprobs=True,
        top_logprobs=3,
        stream=True,
        store=False,
    )
    assert request.tools[0] == Tool(name="f", schema={"type": "object"}, strict=True)
    assert request.tools[1] == Tool(name="p", kind="custom", grammar=grammar)
    assert isinstance(request.tools[2], ServerTool)
    assert request.tool_choice == ToolChoice(mode="tool", name="f") and request.parallel_tools is False
    assert (request.max_output_tokens, request.sampling.stop, request.logprobs) == (7, ("x",), 3)
    assert request.reasoning == ReasoningRequest(effort="high")
    assert request.output == OutputFormat(kind="schema", schema={}, name="n", strict=True)
    assert not request.include_usage and request.extra == {"store": False}
    assert decode(reasoning_effort="none").reasoning == ReasoningRequest(mode="off")
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}
    choice = decode(tool_choice={"type": "allowed_tools", "allowed_tools": allowed}).tool_choice
    assert choice == ToolChoice(mode="allowed", names=("f",), required=True)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "robot"}]}, "messages.role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages.content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages.content.type"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.function.name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": -1}, "max_tokens"),
    ],
)
def test_what_is_wrong_is_named(body, param):
    with pytest.raises(RequestError) as caught:
        decode(**body)
    assert caught.value.param == param
