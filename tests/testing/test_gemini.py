import json

from suffice.testing import gemini
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, Error, ToolCall

WHO = Identity("fake-0-000001", 5, "m")
CALL = Call(method="POST", path="/v1/x", model="m", stream=True, body=b"x" * 40, parsed={})
SAID = Behaviour(
    text="Hello you", reasoning="hmm", tool_calls=(ToolCall(name="f", arguments='{"a": 1}'),), cached_tokens=4
)


def test_whole_and_streamed_say_the_same():
    whole = json.loads(gemini.body(SAID, CALL, WHO))
    events = [json.loads(chunk.payload) for chunk in gemini.stream(SAID, CALL, WHO)]
    parts = [part for event in events for part in event["candidates"][0]["content"]["parts"]]
    said = whole["candidates"][0]["content"]["parts"]
    assert [sorted(part) for part in said] == [["text", "thought"], ["text"], ["functionCall", "thoughtSignature"]]
    assert "".join(part.get("text", "") for part in parts if not part.get("thought")) == "Hello you"
    assert events[-1]["usageMetadata"] == whole["usageMetadata"]
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"


def test_errors_have_the_dialects_status():
    assert json.loads(gemini.error_body(Error(message="no"), 429))["error"]["status"] == "RESOURCE_EXHAUSTED"
