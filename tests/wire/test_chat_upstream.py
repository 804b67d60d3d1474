import json

from suffice.wire.chat_request import decode_request
from suffice.wire.chat_upstream import encode_request
from suffice.wire.codec import Target
from suffice.wire.neutral import (
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
    ToolResult,
    loss_header,
)

PATCH = Tool(name="apply_patch", kind="custom", grammar={"syntax": "lark", "definition": "start: x"})
LOOP = (
    Message(role="user", parts=(Text(text="go"),)),
    Message(
        role="assistant",
        parts=(
            Reasoning(text="hm", signature="S", issuer="anthropic"),
            ToolCall(id="call_with_long_id", name="apply_patch", arguments="*** x", kind="custom"),
        ),
    ),
    Message(
        role="tool", parts=(ToolResult(call_id="call_with_long_id", name="apply_patch", parts=(Text(text="ok"),)),)
    ),
)


def encode(request, **target):
    encoded = encode_request(request, Target(model="m", **target))
    return json.loads(encoded.body), encoded


def test_custom_tools_and_their_history_become_functions():
    body, encoded = encode(Request(dialect="responses", messages=LOOP, tools=(PATCH,)), tool_id="alnum9")
    call = body["messages"][1]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"input": "*** x"}
    assert len(call["id"]) == 9 and body["messages"][2]["tool_call_id"] == call["id"]
    assert body["messages"][2]["name"] == "apply_patch"
    assert "start: x" in body["tools"][0]["function"]["description"]
    assert encoded.emulation.custom == {"apply_patch"}
    assert loss_header(encoded.losses) == "dropped=reasoning, emulated=tools.custom"


def test_custom_tools_go_as_they_are_where_they_are_known():
    body, encoded = encode(Request(dialect="responses", messages=LOOP, tools=(PATCH,)), custom_tools=True)
    assert body["tools"][0]["type"] == "custom" and body["messages"][1]["tool_calls"][0]["custom"]["input"] == "*** x"
    assert not encoded.emulation.custom


def test_thinking_goes_back_only_to_its_issuer():
    loop = (
        *LOOP[:1],
        Message(role="assistant", parts=(Reasoning(text="hm", issuer="deepseek"), *LOOP[1].parts[1:])),
        LOOP[2],
    )
    echo = {"reasoning_field": "reasoning_content", "reasoning_echo": "tool-loop"}
    assert (
        encode(Request(dialect="messages", messages=loop), issuer="deepseek", **echo)[0]["messages"][1][
            "reasoning_content"
        ]
        == "hm"
    )
    other = encode(Request(dialect="messages", messages=LOOP), issuer="deepseek", **echo)[0]["messages"][1]
    assert "hm" not in json.dumps(other) and other["reasoning_content"]
    assert "reasoning_content" not in encode(Request(dialect="messages", messages=loop), issuer="x")[0]["messages"][1]


def test_parameters_follow_the_quirks():
    request = Request(
        dialect="messages",
        messages=LOOP[:1],
        max_output_tokens=5,
        sampling=Sampling(seed=1, stop=("a", "b"), top_k=3),
        reasoning=ReasoningRequest(budget_tokens=2000),
        output=OutputFormat(kind="schema", schema={"type": "object"}),
        extra={"context_management": {}},
        stream=True,
        logprobs=0,
    )
    body, encoded = encode(
        request,
        max_tokens_field="max_completion_tokens",
        seed_field="random_seed",
        max_stop=1,
        unsupported=("logprobs",),
    )
    assert body["max_completion_tokens"] == 5 and body["random_seed"] == 1 and body["stop"] == ["a"]
    assert body["reasoning_effort"] == "low" and body["stream_options"] == {"include_usage": True}
    assert body["response_format"]["json_schema"]["name"] == "answer" and "logprobs" not in body
    assert loss_header(encoded.losses) == "dropped=top_k, dropped=stop, dropped=context_management, dropped=logprobs"
    switched, _ = encode(request, thinking_switch="enable_thinking", structured=False, stream_options=False)
    assert switched["enable_thinking"] is True and switched["thinking_budget"] == 2000
    assert "JSON Schema" in switched["messages"][-1]["content"] and "stream_options" not in switched
    off = Request(dialect="chat", messages=LOOP[:1], reasoning=ReasoningRequest(mode="off"))
    assert encode(off, thinking_switch="thinking.type")[0]["thinking"] == {"type": "disabled"}
    assert encode(off)[0]["reasoning_effort"] == "none"


def test_what_has_no_place_is_said():
    shot = ToolResult(call_id="1", parts=(Text(text="see"), Image(data="AA", media_type="image/png")), is_error=True)
    request = Request(
        dialect="messages",
        messages=(Message(role="tool", parts=(shot,)),),
        tools=(ServerTool(dialect="messages", value={"type": "web_search_20250305"}, name="web_search"),),
    )
    body, encoded = encode(request)
    assert [m["role"] for m in body["messages"]] == ["tool", "user"] and "tools" not in body
    assert "tools.web_search" in loss_header(encoded.losses) and "tool_result.image" in loss_header(encoded.losses)
    blind, encoded = encode(request, images=False)
    assert "image_url" not in json.dumps(blind) and "dropped=messages.image" in loss_header(encoded.losses)


def test_the_same_dialect_keeps_unknown_fields_and_marks():
    body = {
        "model": "m",
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]},
            {"role": "user", "content": "u", "name": "ann"},
        ],
        "top_k": 4,
        "metadata": {"a": "b"},
    }
    encoded = encode_request(decode_request(json.dumps(body).encode()), Target(model="m", cache_breakpoints=4))
    assert json.loads(encoded.body) == body and not encoded.losses
