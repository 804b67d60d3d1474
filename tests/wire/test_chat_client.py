import json

import pytest

from suffice.errors import UpstreamError, WireError
from suffice.values.usage import Usage
from suffice.wire import sse
from suffice.wire.chat_client import ChatEncoder, encode_response
from suffice.wire.codec import ClientContext
from suffice.wire.neutral import (
    Done,
    Failure,
    OpaqueBlock,
    ReasoningDelta,
    Request,
    Start,
    Stop,
    TextDelta,
    ToolCall,
    ToolReady,
    UsageReport,
)

CALL = ToolReady(index=0, call=ToolCall(id="1", name="f", arguments='{"a":1}', signature="S", issuer="g"))
USAGE = UsageReport(usage=Usage(input_tokens=5, cache_read_tokens=3, output_tokens=2, reasoning_tokens=1))
GOOD = [
    Start(id="i", model="up", created_s=9),
    ReasoningDelta(text="hm"),
    TextDelta(text="a"),
    TextDelta(text="b"),
    CALL,
    USAGE,
    Stop(reason="tool_calls"),
    Done(),
]


def context(**request):
    return ClientContext(request=Request(dialect="chat", model="m", **request), response_id="r", created_s=1)


def run(events, **request):
    encoder = ChatEncoder(context(stream=True, **request))
    out = b"".join(encoder.feed(e) for e in events)
    return [e.data for e in sse.Decoder().feed(out)]


def test_a_stream_with_usage_in_its_last_chunk_only():
    frames = run(GOOD, include_usage=True)
    assert frames[-1] == b"[DONE]"
    chunks = [json.loads(f) for f in frames[:-1]]
    assert all(c["usage"] is None and c["model"] == "up" and c["id"] == "i" for c in chunks[:-1])
    assert chunks[-1]["choices"] == []
    usage = chunks[-1]["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (8, 3, 11)
    assert usage["prompt_tokens_details"]["cached_tokens"] == 3
    deltas = [c["choices"][0]["delta"] for c in chunks[:-1]]
    assert deltas[0]["role"] == "assistant" and deltas[1]["reasoning_content"] == "hm"
    assert [d["content"] for d in deltas[2:4]] == ["a", "b"]
    first, second = deltas[4]["tool_calls"][0], deltas[5]["tool_calls"][0]
    assert (first["index"], first["id"], first["type"], first["function"]) == (
        0,
        "1",
        "function",
        {"name": "f", "arguments": ""},
    )
    assert second == {"index": 0, "function": {"arguments": '{"a":1}'}}
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_client_that_did_not_ask_sees_no_usage():
    assert not any(b'"usage"' in f for f in run(GOOD, include_usage=False))


def test_a_custom_call():
    call = ToolCall(id="1", name="p", arguments="*** x", kind="custom")
    frames = run([Start(), ToolReady(index=0, call=call), Stop(reason="tool_calls"), Done()])
    rows = [json.loads(f)["choices"][0]["delta"]["tool_calls"][0] for f in frames[1:3]]
    assert rows[0]["custom"] == {"name": "p", "input": ""} and rows[1]["custom"] == {"input": "*** x"}


def test_no_success_before_done_and_none_after_a_failure():
    encoder = ChatEncoder(context(stream=True))
    out = b"".join(encoder.feed(e) for e in GOOD[:-1])
    assert b"[DONE]" not in out and b'"finish_reason":"' not in out
    last = encoder.fail(UpstreamError("gone"))
    assert b'"error"' in last and encoder.feed(Done()) == b"" and encoder.keep_alive() == b""
    assert encoder.feed(TextDelta(text="late")) == b""
    assert ChatEncoder(context()).keep_alive().startswith(b":")


def test_a_whole_answer():
    body = json.loads(encode_response([*GOOD, OpaqueBlock(dialect="messages", value={})], context()))
    message = body["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("ab", "hm")
    assert message["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert "sfx1.g" in message["tool_calls"][0]["extra_content"]["google"]["thought_signature"]
    assert body["usage"]["total_tokens"] == 11 and body["created"] == 9
    for bad in (GOOD[:-1], [Failure(message="x")]):
        with pytest.raises(WireError):
            encode_response(bad, context())
