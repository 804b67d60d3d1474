import json

from suffice.testing import responses
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, Error, ToolCall

WHO = Identity("fake-0-000001", 5, "m")
CALL = Call(method="POST", path="/v1/x", model="m", stream=True, body=b"x" * 40, parsed={})
SAID = Behaviour(
    text="Hello you", reasoning="hmm", tool_calls=(ToolCall(name="f", arguments='{"a": 1}'),), cached_tokens=4
)


def test_whole_and_streamed_say_the_same():
    whole = json.loads(responses.body(SAID, CALL, WHO))
    events = [json.loads(chunk.payload) for chunk in responses.stream(SAID, CALL, WHO)]
    assert [item["type"] for item in whole["output"]] == ["reasoning", "message", "function_call"]
    assert events[-1]["response"] == whole and events[-1]["type"] == "response.completed"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert text == "Hello you" and whole["usage"]["input_tokens_details"] == {
        "cached_tokens": 4,
        "cache_write_tokens": 0,
    }
    cut = json.loads(responses.body(Behaviour(text="a", finish_reason="length"), CALL, WHO))
    assert (cut["status"], cut["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})


def test_an_error_event_names_its_type():
    told = json.loads(responses.error_event(Error(message="no"), 500))
    assert (told["type"], told["message"]) == ("error", "no")


def test_a_tool_that_is_declared_as_custom_is_called_as_one():
    tools = [{"type": "custom", "name": "patch"}, {"type": "function", "name": "f"}]
    asked = Call(method="POST", path="/v1/x", model="m", stream=True, body=b"x", parsed={"tools": tools})
    calls = (ToolCall(name="patch", arguments='{"input": "*** a\\n"}'), ToolCall(name="f", arguments="{}"))
    said = Behaviour(text="", tool_calls=calls)
    whole = json.loads(responses.body(said, asked, WHO))["output"]
    assert [item["type"] for item in whole] == ["custom_tool_call", "function_call"]
    assert whole[0]["input"] == "*** a\n" and "arguments" not in whole[0]
    events = [json.loads(chunk.payload) for chunk in responses.stream(said, asked, WHO)]
    deltas = [event["delta"] for event in events if event["type"] == "response.custom_tool_call_input.delta"]
    assert "".join(deltas) == "*** a\n" and events[-1]["response"]["output"] == whole
