import json

from suffice.testing import cohere
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, Error, ToolCall
from suffice.wire import cohere as codec
from suffice.wire.codec import Emulation, Target
from suffice.wire.translate import Pump

WHO = Identity("fake-0-000001", 5, "m")
CALL = Call(method="POST", path="/v2/chat", model="m", stream=True, body=b"x" * 40, parsed={})
SAID = Behaviour(
    text="Hello you", reasoning="hmm", tool_calls=(ToolCall(name="f", arguments='{"a": 1}'),), cached_tokens=4
)
TARGET = Target(model="m", issuer="cohere")


def told(events):
    pump = Pump(Emulation())
    pump.push(events)
    assert pump.done
    answer = pump.answer()
    return answer.text, answer.reasoning, [(n, a) for _, n, a in answer.tool_calls], pump.usage()


def test_whole_and_streamed_say_the_same():
    decoder = codec.CohereDecoder(TARGET)
    lines = [b"data: " + chunk.payload + b"\n\n" for chunk in cohere.stream(SAID, CALL, WHO)]
    streamed = [event for line in lines for event in decoder.feed(line)]
    whole = codec.CODEC.decode_response(cohere.body(SAID, CALL, WHO), TARGET)
    assert told(streamed) == told(whole)
    text, reasoning, calls, usage = told(whole)
    assert (text, reasoning, calls) == ("Hello you", "hmm", [("f", '{"a": 1}')])
    assert (usage.input_tokens, usage.cache_read_tokens) == (6, 4), "billed units, not tokens"


def test_errors_are_a_message_alone():
    assert json.loads(cohere.error_body(Error(message="no"), 429))["message"] == "no"
