from __future__ import annotations

import json
from typing import Any

import pytest

from suffice.errors import RequestError
from suffice.wire import anthropic_messages
from suffice.wire.bedrock_request import encode_request
from suffice.wire.codec import Target
from suffice.wire.neutral import (
    File,
    Image,
    Message,
    OutputFormat,
    Reasoning,
    ReasoningRequest,
    Request,
    Sampling,
    ServerTool,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    loss_header,
)

CLAUDE = Target(model="us.anthropic.claude-sonnet-4-5-v1:0", issuer="bedrock", cache_breakpoints=4)
NOVA = Target(model="amazon.nova-pro-v1:0", issuer="bedrock")


def write(target: Target = CLAUDE, **request: Any) -> tuple[dict[str, Any], str]:
    given = {"dialect": "chat", "messages": (_turn(Text(text="hi"), role="user"),)} | request
    encoded = encode_request(Request(**given), target)
    return json.loads(encoded.body), loss_header(encoded.losses)


def _turn(*parts: Any, role: Any = "assistant") -> Message:
    return Message(role=role, parts=parts)


def test_a_conversation_with_tools() -> None:
    body, lost = write(
        system=(_turn(Text(text="sys", cache_ttl=""), role="system"),),
        messages=(
            _turn(Text(text="go"), role="user"),
            _turn(
                Reasoning(text="hm", signature="S", issuer="bedrock"),
                ToolCall(id="a b", name="read", arguments='{"p":1}'),
            ),
            _turn(ToolResult(call_id="a b", parts=(Text(text="no"),), is_error=True), role="tool"),
        ),
        tools=(Tool(name="read", description="r", schema={"type": "object"}, cache_ttl="1h"),),
        tool_choice=ToolChoice(mode="required"),
        max_output_tokens=99,
        sampling=Sampling(temperature=0.5, stop=("x",), top_k=3),
    )
    identity = body["messages"][1]["content"][1]["toolUse"]["toolUseId"]
    assert body == {
        "system": [{"text": "sys"}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [{"text": "go"}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "S"}}},
                    {"toolUse": {"toolUseId": identity, "name": "read", "input": {"p": 1}}},
                ],
            },
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": identity, "content": [{"text": "no"}], "status": "error"}}],
            },
        ],
        "inferenceConfig": {"maxTokens": 99, "temperature": 0.5, "stopSequences": ["x"]},
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "read", "description": "r", "inputSchema": {"json": {"type": "object"}}}},
                {"cachePoint": {"type": "default", "ttl": "1h"}},
            ],
            "toolChoice": {"any": {}},
        },
        "additionalModelRequestFields": {"top_k": 3},
    }
    assert identity != "a b"
    assert lost == ""


def test_thinking_goes_to_claude_only() -> None:
    body, lost = write(reasoning=ReasoningRequest(budget_tokens=2000), max_output_tokens=9000)
    assert body["additionalModelRequestFields"]["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    state = _turn(Reasoning(text="t", signature="S", issuer="bedrock"), Text(text="x"))
    first = _turn(Text(text="hi"), role="user")
    body, lost = write(NOVA, reasoning=ReasoningRequest(), messages=(first, state), sampling=Sampling(top_k=1))
    assert "additionalModelRequestFields" not in body
    assert body["messages"][1]["content"] == [{"text": "x"}]
    assert lost == "dropped=reasoning, dropped=top_k"


def test_media() -> None:
    parts = (
        Image(data="AA==", media_type="image/png"),
        Image(url="https://x/y.png"),
        File(data="BB==", media_type="application/pdf", name="a/b_c.pdf"),
        File(text="t"),
    )
    body, lost = write(messages=(_turn(*parts, role="user"),))
    assert body["messages"][0]["content"] == [
        {"image": {"format": "png", "source": {"bytes": "AA=="}}},
        {"text": "[image omitted]"},
        {"document": {"format": "pdf", "name": "a b c pdf", "source": {"bytes": "BB=="}}},
        {"document": {"format": "txt", "name": "document", "source": {"text": "t"}}},
    ]
    assert lost == "dropped=messages.image"


def test_a_history_with_calls_declares_their_tools_again() -> None:
    call, result = ToolCall(id="a", name="old"), ToolResult(call_id="a", parts=(Text(text="r"),))
    body, lost = write(messages=(_turn(Text(text="x"), role="user"), _turn(call), _turn(result, role="tool")))
    assert [t["toolSpec"]["name"] for t in body["toolConfig"]["tools"]] == ["old"]
    assert lost == "emulated=tools"


def test_what_converse_cannot_say_is_declared() -> None:
    tools = (Tool(name="a"), ServerTool(dialect="messages", value={"type": "web_search_1", "name": "web_search"}))
    more = {"dialect": "messages", "extra": {"container": "c", "anthropic_beta": ["b"]}}
    body, lost = write(tools=tools, tool_choice=ToolChoice(mode="none"), parallel_tools=False, **more)
    assert body["additionalModelRequestFields"] == {"anthropic_beta": ["b"]}
    assert sorted(lost.split(", ")) == ["dropped=container", "dropped=tool_choice", "dropped=tools.web_search"]
    body, lost = write(output=OutputFormat(kind="schema", schema={"type": "object"}))
    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "structured_output"}}
    assert lost == "emulated=response_format"


ODD: list[dict[str, Any]] = [
    {"type": "image"}, {"type": "image", "source": True}, {"type": "image", "source": "data:image/png;base64,x"},
    {"type": "document"}, {"type": "document", "source": []},
    {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": 7}]},
]  # fmt: skip


@pytest.mark.parametrize("block", ODD, ids=[json.dumps(block) for block in ODD])
def test_a_block_without_the_fields_of_its_type_is_the_callers_mistake(block: dict[str, Any]) -> None:
    """Its own dialect's providers judge it themselves; here it cannot be said."""
    body = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, block]}],
    }
    with pytest.raises(RequestError):
        encode_request(anthropic_messages.CODEC.decode_request(json.dumps(body).encode()), CLAUDE)
