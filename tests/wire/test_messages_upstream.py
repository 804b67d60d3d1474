import json

from suffice.wire.codec import Target
from suffice.wire.messages_request import decode_request
from suffice.wire.messages_upstream import encode_request
from suffice.wire.neutral import (
    Message,
    OutputFormat,
    Reasoning,
    ReasoningRequest,
    Request,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    loss_header,
)

USER = Message(role="user", parts=(Text(text="go"),))
CALL = Message(role="assistant", parts=(ToolCall(id="call.1", name="f", arguments='{"a":1}'),))
RESULT = Message(role="tool", parts=(ToolResult(call_id="call.1", parts=(Text(text="ok"),)),))


def encode(target=None, **request):
    request = {"dialect": "chat", "messages": (USER,)} | request
    encoded = encode_request(Request(**request), Target(model="m", **(target or {})))
    return json.loads(encoded.body), encoded


def test_a_loop_from_another_dialect():
    body, _ = encode(messages=(USER, CALL, RESULT, USER))
    call = body["messages"][1]["content"][0]
    assert [m["role"] for m in body["messages"]] == ["user", "assistant", "user"]
    assert call["input"] == {"a": 1} and call["id"].startswith("toolu_")
    result, text = body["messages"][2]["content"]
    assert (result["type"], result["tool_use_id"], result["content"]) == ("tool_result", call["id"], "ok")
    assert text["text"] == "go" and body["max_tokens"] == 8192


def test_what_the_dialect_refuses_is_bent():
    late = Message(role="system", parts=(Text(text="rule"),))
    empty = Message(role="user", parts=(Text(text=" "),))
    last = Message(role="assistant", parts=(Text(text="so "),))
    body, encoded = encode(messages=(CALL, RESULT, late, empty, last))
    assert body["messages"][0] == {"role": "user", "content": [{"type": "text", "text": "(start)"}]}
    assert "<system>\nrule" in body["messages"][2]["content"][1]["text"]
    assert body["messages"][-1]["content"][-1]["text"] == "so"
    assert loss_header(encoded.losses) == "emulated=messages.system, emulated=messages"


def test_thinking_and_sampling():
    asked = ReasoningRequest(effort="high")
    sampling = Sampling(temperature=1.5, top_p=0.5, stop=("\n", "x"), seed=1)
    body, encoded = encode(reasoning=asked, sampling=sampling, max_output_tokens=4000)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 3999} and body["stop_sequences"] == ["x"]
    assert body["temperature"] == 1 and "top_p" not in body
    assert loss_header(encoded.losses) == "dropped=temperature, dropped=top_p, dropped=stop, dropped=seed"
    adaptive, _ = encode({"adaptive_thinking": True}, reasoning=asked)
    assert adaptive["thinking"] == {"type": "adaptive"} and adaptive["output_config"] == {"effort": "high"}
    forced, encoded = encode(reasoning=asked, tools=(Tool(name="f"),), tool_choice=ToolChoice(mode="required"))
    assert "thinking" not in forced and forced["tool_choice"] == {"type": "any"}
    assert loss_header(encoded.losses) == "dropped=reasoning"


def test_a_loop_that_another_model_began_goes_on_without_thinking():
    asked = ReasoningRequest(effort="low")
    body, _ = encode(messages=(USER, CALL, RESULT), reasoning=asked)
    assert "thinking" not in body
    thought = Reasoning(text="hm", signature="S", issuer="anthropic")
    own = Message(role="assistant", parts=(thought, *CALL.parts))
    body, _ = encode({"issuer": "anthropic"}, messages=(USER, own, RESULT), reasoning=asked)
    assert body["thinking"]["budget_tokens"] == 2048
    assert body["messages"][1]["content"][0] == {"type": "thinking", "thinking": "hm", "signature": "S"}
    body, encoded = encode({"issuer": "bedrock"}, messages=(USER, own, RESULT), reasoning=asked)
    assert "S" not in json.dumps(body["messages"]) and "thinking" not in body
    assert "dropped=reasoning" in loss_header(encoded.losses)


def test_structured_output_three_ways():
    wanted = OutputFormat(kind="schema", schema={"type": "object"})
    assert encode(output=wanted)[0]["output_config"]["format"]["schema"] == {"type": "object"}
    body, encoded = encode({"structured": False}, output=wanted)
    assert body["tool_choice"] == {"type": "tool", "name": encoded.emulation.output_tool}
    body, encoded = encode({"structured": False}, output=wanted, tools=(Tool(name="f"),))
    assert "JSON Schema" in body["system"][0]["text"] and not encoded.emulation.output_tool


def test_tools():
    patch = Tool(name="p", kind="custom", description="d")
    typed = Tool(name="f", schema={"properties": {}}, strict=True)
    body, encoded = encode(tools=(patch, typed), parallel_tools=False, tool_choice=ToolChoice(mode="tool", name="p"))
    assert body["tools"][0]["input_schema"]["required"] == ["input"] and encoded.emulation.custom == {"p"}
    assert body["tools"][1]["input_schema"] == {"type": "object", "properties": {}}
    assert body["tool_choice"] == {"type": "tool", "name": "p", "disable_parallel_tool_use": True}
    assert encode(tools=(typed,), tool_choice=ToolChoice(mode="none"))[0]["tool_choice"] == {"type": "none"}


def test_breakpoints_are_kept_added_and_bounded():
    add = {"add_breakpoints": True, "cache_breakpoints": 4}
    system = (Message(role="system", parts=(Text(text="s"),)),)
    body, _ = encode(add, system=system, tools=(Tool(name="f"),), messages=(USER, CALL, RESULT, USER))
    text = json.dumps(body)
    assert text.count("cache_control") == 4
    marked = tuple(Message(role="user", parts=(Text(text=str(i), cache_ttl="1h"),)) for i in range(6))
    body, encoded = encode(add, messages=marked)
    blocks = [b for m in body["messages"] for b in m["content"]]
    assert [("cache_control" in b) for b in blocks] == [False, False, True, True, True, True]
    assert blocks[-1]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert loss_header(encoded.losses) == "dropped=cache_control"


def test_the_same_dialect_keeps_what_it_knows():
    body = {
        "model": "m",
        "max_tokens": 9000,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "q"}]},
            {
                "role": "assistant",
                "content": [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}],
            },
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "defer_loading": True, "strict": True}],
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "metadata": {"user_id": "u"},
        "context_management": {"edits": []},
        "output_config": {"new": 1},
        "service_tier": "auto",
    }
    encoded = encode_request(decode_request(json.dumps(body).encode()), Target(model="m", cache_breakpoints=4))
    assert json.loads(encoded.body) == body and not encoded.losses
