from __future__ import annotations

import base64
import json

import pytest

from suffice.errors import RequestError, WireError
from suffice.wire.cloud_messages import BEDROCK, VERTEX, Unwrap, wrap
from suffice.wire.codec import Target
from suffice.wire.eventstream import encode
from suffice.wire.messages_answer import MessagesDecoder
from suffice.wire.neutral import Done, Failure, Message, Request, Text

EVENTS = [
    {"type": "message_start", "message": {"id": "m", "model": "c", "usage": {"input_tokens": 3}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "é"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
TARGET = Target(model="anthropic.claude-x", issuer="bedrock")


def chunks() -> bytes:
    rows = [
        json.dumps({"bytes": base64.b64encode(json.dumps(e).encode()).decode(), "p": "abcd"}).encode() for e in EVENTS
    ]
    return b"".join(encode({":event-type": "chunk", ":message-type": "event"}, row) for row in rows)


def test_the_wrapping_comes_off_into_the_dialects_own_stream() -> None:
    data, plain = chunks(), b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in EVENTS)
    for size in (1, 7, len(data)):
        unwrap = Unwrap()
        assert b"".join(unwrap.feed(data[at : at + size]) for at in range(0, len(data), size)) == plain
    decoder, expected = BEDROCK.stream_decoder(TARGET), MessagesDecoder(TARGET)
    assert decoder.feed(data) + decoder.close() == expected.feed(plain) + expected.close()
    assert BEDROCK.stream_decoder(TARGET).feed(data)[-1] == Done()


def test_an_exception_becomes_the_dialects_error() -> None:
    frame = encode({":message-type": "exception", ":exception-type": "throttlingException"}, b'{"message":"slow"}')
    out = Unwrap().feed(frame)
    assert out.startswith(b"event: error\ndata: ")
    assert json.loads(out.split(b"data: ")[1]) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "slow"},
    }
    assert isinstance(BEDROCK.stream_decoder(TARGET).feed(frame)[-1], Failure)


@pytest.mark.parametrize(
    "payload", [b"x", b"{}", b'{"bytes":1}', b'{"bytes":"%%"}', b'{"bytes":"e30="}', b'{"bytes":"eyJ0"}']
)
def test_a_chunk_without_an_event_raises(payload: bytes) -> None:
    with pytest.raises(WireError):
        Unwrap().feed(encode({":message-type": "event"}, payload))
    injected = base64.b64encode(b'{"type":"a\\nevent: b"}').decode()
    with pytest.raises(WireError):
        Unwrap().feed(encode({}, json.dumps({"bytes": injected}).encode()))


def test_wrapping_keeps_every_other_byte() -> None:
    body = b'{"model":"m","stream":true,"messages":[ {"role":"user","content":"a\\u0041"} ],"x":1.0}'
    assert wrap(body, "bedrock", ("b1",)) == (
        b'{"messages":[ {"role":"user","content":"a\\u0041"} ],"x":1.0,"anthropic_beta":["b1"],'
        b'"anthropic_version":"bedrock-2023-05-31"}'
    )
    vertex = json.loads(wrap(body, "vertex", ("b1",)))
    assert (vertex["stream"], vertex["anthropic_version"]) == (True, "vertex-2023-10-16")
    assert "anthropic_beta" not in vertex and "model" not in vertex
    for bad in (b"[]", b"x"):
        with pytest.raises(RequestError):
            wrap(bad, "bedrock")


def test_a_neutral_request_goes_out_wrapped() -> None:
    request = Request(dialect="chat", stream=True, messages=(Message(role="user", parts=(Text(text="hi"),)),))
    assert "stream" not in json.loads(BEDROCK.encode_request(request, TARGET).body)
    assert json.loads(VERTEX.encode_request(request, TARGET).body)["stream"] is True
    assert isinstance(VERTEX.stream_decoder(TARGET), MessagesDecoder)
    body = {"id": "m", "model": "c", "content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn"}
    assert BEDROCK.decode_response(json.dumps(body).encode(), TARGET)[-1] == Done()
