import json

import pytest

from suffice.testing import converse, messages
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, Error, ToolCall
from suffice.wire import bedrock_converse, cloud_messages, eventstream
from suffice.wire.codec import Emulation, Target
from suffice.wire.translate import Pump

WHO = Identity("fake-0-000001", 5, "m")
CALL = Call(method="POST", path="/model/m/converse-stream", model="m", stream=True, body=b"x" * 40, parsed={})
SAID = Behaviour(
    text="Hello you", reasoning="hmm", tool_calls=(ToolCall(name="f", arguments='{"a": 1}'),), cached_tokens=4
)
TARGET = Target(model="m", issuer="bedrock")


def told(events):
    pump = Pump(Emulation())
    pump.push(events)
    assert pump.done
    answer = pump.answer()
    return answer.text, answer.reasoning, [(n, json.loads(a)) for _, n, a in answer.tool_calls], pump.usage()


def test_whole_and_streamed_say_the_same():
    decoder = bedrock_converse.ConverseDecoder(TARGET)
    streamed = [e for chunk in converse.stream(SAID, CALL, WHO) for e in decoder.feed(chunk.payload)]
    whole = bedrock_converse.CODEC.decode_response(converse.body(SAID, CALL, WHO), TARGET)
    assert told(streamed) == told(whole)
    text, reasoning, calls, usage = told(whole)
    assert (text, reasoning, calls) == ("Hello you", "hmm", [("f", {"a": 1})])
    assert (usage.input_tokens, usage.cache_read_tokens, usage.suspect) == (6, 4, False)


def test_wrapped_messages_are_messages():
    unwrap = cloud_messages.Unwrap()
    plain = b"".join(unwrap.feed(chunk.payload) for chunk in converse.wrapped(SAID, CALL, WHO))
    events = [line[6:] for line in plain.split(b"\n") if line.startswith(b"data: ")]
    assert [json.loads(e) for e in events] == [json.loads(c.payload) for c in messages.stream(SAID, CALL, WHO)]


@pytest.mark.parametrize("status", [429, 500])
def test_errors_name_their_kind_where_aws_does(status):
    (frame,) = eventstream.Decoder().feed(converse.exception(Error(message="no"), status))
    assert frame.headers[":message-type"] == "exception"
    assert bedrock_converse.exception(frame).status == status
    assert json.loads(converse.error_body(Error(message="no"), status)) == {"message": "no"}
    assert converse.error_headers(429)[0][1].startswith("ThrottlingException:")
