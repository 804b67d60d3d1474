import json

from suffice.testing import messages
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, Error, ToolCall

WHO = Identity("fake-0-000001", 5, "m")
CALL = Call(method="POST", path="/v1/messages", model="m", stream=True, body=b"x" * 40, parsed={})
SAID = Behaviour(
    text="Hello you", reasoning="hmm", tool_calls=(ToolCall(name="f", arguments='{"a": 1}'),), cached_tokens=4
)


def test_whole_and_streamed_say_the_same():
    whole = json.loads(messages.body(SAID, CALL, WHO))
    events = [json.loads(chunk.payload) for chunk in messages.stream(SAID, CALL, WHO)]
    assert [b["type"] for b in whole["content"]] == ["thinking", "text", "tool_use"]
    starts = [e["content_block"]["type"] for e in events if e["type"] == "content_block_start"]
    assert starts == ["thinking", "text", "tool_use"]
    text = "".join(e["delta"].get("text", "") for e in events if e["type"] == "content_block_delta")
    arguments = "".join(e["delta"].get("partial_json", "") for e in events if e["type"] == "content_block_delta")
    assert (text, json.loads(arguments)) == ("Hello you", whole["content"][2]["input"])
    assert whole["stop_reason"] == events[-2]["delta"]["stop_reason"] == "tool_use"
    assert events[-1] == {"type": "message_stop"}
    assert whole["usage"]["input_tokens"] + whole["usage"]["cache_read_input_tokens"] == 10
    assert (
        whole["usage"]["output_tokens"]
        == events[-2]["usage"]["output_tokens"]
        == sum(chunk.tokens for chunk in messages.stream(SAID, CALL, WHO)) + 1
    )


def test_errors_have_the_dialects_types():
    assert json.loads(messages.error_body(None, 529))["error"]["type"] == "overloaded_error"
    assert json.loads(messages.error_body(Error(type="billing_error"), 402))["error"]["type"] == "billing_error"
