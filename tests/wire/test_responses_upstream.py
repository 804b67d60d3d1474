import json
from typing import Any

import pytest

from suffice.errors import RequestError
from suffice.wire.codec import Target
from suffice.wire.neutral import (
    CacheHints,
    Image,
    Message,
    Opaque,
    Reasoning,
    ReasoningRequest,
    Request,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from suffice.wire.responses_request import decode_request
from suffice.wire.responses_upstream import encode_request
from suffice.wire.sealed import HmacSealer

SEALER = HmacSealer(b"0123456789abcdef")
FULL = Target(model="up", issuer="openai", custom_tools=True)
PLAIN = Target(model="up", issuer="local")
PATCH = {"type": "custom", "name": "apply_patch", "description": "", "format": {"type": "text"}}
SPACE = {
    "type": "namespace",
    "name": "ns",
    "description": "",
    "tools": [{"type": "function", "name": "go", "parameters": {}}],
}
HISTORY = [
    {"role": "user", "content": "x"},
    {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": 'a"\n'},
    {"type": "function_call", "call_id": "c2", "name": "go", "namespace": "ns", "arguments": ""},
    {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
    {"type": "function_call_output", "call_id": "c2", "output": "done"},
]


def send(body: dict[str, Any], target: Target) -> tuple[dict[str, Any], set[str]]:
    encoded = encode_request(decode_request(json.dumps(body).encode(), SEALER), target)
    return json.loads(encoded.body), {f"{loss.kind} {loss.field}" for loss in encoded.losses}


def test_custom_tools_and_namespaces_go_as_they_are_where_they_are_known() -> None:
    sent, losses = send({"input": HISTORY, "tools": [PATCH, SPACE]}, FULL)
    assert not losses
    assert [i["type"] for i in sent["input"]] == [
        "message",
        "custom_tool_call",
        "function_call",
        "custom_tool_call_output",
        "function_call_output",
    ]
    assert sent["input"][2]["namespace"] == "ns"
    assert sent["input"][2]["arguments"] == "{}"


def test_elsewhere_they_are_functions_in_the_history_too() -> None:
    sent, losses = send(
        {"input": HISTORY, "tools": [PATCH, SPACE], "tool_choice": {"type": "custom", "name": "apply_patch"}}, PLAIN
    )
    assert [i["type"] for i in sent["input"]][1:] == [
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]
    assert json.loads(sent["input"][1]["arguments"]) == {"input": 'a"\n'}
    assert sent["input"][2]["name"] == sent["tools"][1]["name"] == "ns__go"
    assert sent["tool_choice"] == {"type": "function", "name": "apply_patch"}
    assert losses == {"emulated tools.custom", "emulated tools.namespace"}


def test_reasoning_goes_to_its_issuer_only() -> None:
    own = SEALER.seal(Reasoning(encrypted="E", issuer="openai", item_id="rs_1", text="s", summary=True))
    other = SEALER.seal(Reasoning(signature="S", issuer="anthropic", text="t"))
    rows = [{"type": "reasoning", "summary": [], "encrypted_content": state} for state in (own, other, "unknown")]
    sent, losses = send({"input": [{"role": "user", "content": "x"}, *rows]}, FULL)
    assert sent["input"][1:] == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "encrypted_content": "E",
            "summary": [{"type": "summary_text", "text": "s"}],
        }
    ]
    assert losses == {"dropped input.reasoning"}
    assert b"anthropic" not in json.dumps(sent).encode()


def test_the_gateway_keeps_the_state() -> None:
    sent, _ = send(
        {"input": "x", "store": True, "previous_response_id": "resp_1", "background": True, "truncation": "auto"}, FULL
    )
    assert sent["store"] is False
    assert "previous_response_id" not in sent
    assert "background" not in sent
    assert sent["truncation"] == "auto"
    assert sent["include"] == ["reasoning.encrypted_content"]


def test_a_request_of_another_dialect() -> None:
    request = Request(
        dialect="chat",
        model="m",
        system=(Message(role="system", parts=(Text(text="A"),)), Message(role="developer", parts=(Text(text="B"),))),
        messages=(
            Message(role="user", parts=(Image(data="AA", media_type="image/png"),)),
            Message(role="assistant", parts=(ToolCall(id="c", name="f", arguments=""),)),
            Message(role="tool", parts=(ToolResult(call_id="c", is_error=True, parts=(Text(text="no"),)),)),
            Message(role="user", parts=(Opaque(dialect="messages", value={"type": "document"}),)),
        ),
        tools=(Tool(name="f", schema={}),),
        sampling=Sampling(stop=("x",), top_k=3, temperature=0.0),
        reasoning=ReasoningRequest(budget_tokens=16384),
        cache=CacheHints(key="theirs"),
        metadata={"a": "b"},
        max_output_tokens=7,
        stream=True,
        extra={"logit_bias": {}},
    )
    encoded = encode_request(request, Target(model="up", issuer="openai", custom_tools=True, cache_key="ours"))
    sent = json.loads(encoded.body)
    assert sent["instructions"] == "A"
    assert sent["input"].pop(0) == {
        "type": "message",
        "role": "developer",
        "content": [{"type": "input_text", "text": "B"}],
    }
    assert sent["reasoning"] == {"effort": "high"}
    assert (sent["prompt_cache_key"], sent["max_output_tokens"], sent["stream"], sent["temperature"]) == (
        "ours",
        7,
        True,
        0.0,
    )
    assert [i["type"] for i in sent["input"]] == ["message", "function_call", "function_call_output"]
    assert {loss.field for loss in encoded.losses} == {
        "stop",
        "top_k",
        "metadata",
        "logit_bias",
        "input.document",
        "tool_result.is_error",
    }


def test_structured_output_is_told_in_words_where_it_is_not_known() -> None:
    form = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
    sent, losses = send({"input": "x", "text": {"format": form}}, Target(model="up", structured=False))
    assert "JSON Schema" in sent["input"][-1]["content"][0]["text"]
    assert losses == {"emulated text.format"}
    sent, losses = send({"input": "x", "text": {"format": form}}, FULL)
    assert sent["text"] == {"format": form}


def test_several_answers_are_refused_and_unsupported_fields_left_out() -> None:
    with pytest.raises(RequestError) as caught:
        encode_request(Request(dialect="chat", choices=2), FULL)
    assert caught.value.code == "untranslatable"
    sent, losses = send({"input": "x", "temperature": 1}, Target(model="up", unsupported=("temperature",)))
    assert "temperature" not in sent
    assert losses == {"dropped temperature"}
