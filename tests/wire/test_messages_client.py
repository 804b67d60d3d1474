import json

import pytest

from suffice.errors import UpstreamError, WireError
from suffice.values.usage import Usage
from suffice.wire import sse
from suffice.wire.codec import ClientContext
from suffice.wire.messages_client import MessagesEncoder, count_tokens_body, encode_response
from suffice.wire.neutral import (
    Done,
    Failure,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningEnd,
    RefusalDelta,
    Request,
    Start,
    Stop,
    TextDelta,
    ToolCall,
    ToolReady,
    UsageReport,
)
from suffice.wire.reasoning import seal

CONTEXT = ClientContext(request=Request(dialect="messages", model="m", stream=True), response_id="msg_1")
USAGE = UsageReport(
    usage=Usage(input_tokens=5, cache_read_tokens=3, cache_write_1h_tokens=2, output_tokens=2, reasoning_tokens=1)
)
GOOD = [
    Start(id="i", model="up"),
    ReasoningDelta(text="hm", issuer="p"),
    ReasoningEnd(signature="S", issuer="p"),
    ReasoningEnd(encrypted="E", issuer="p"),
    TextDelta(text="a"),
    TextDelta(text="b"),
    OpaqueBlock(dialect="messages", value={"type": "web_search_tool_result", "content": []}),
    OpaqueBlock(dialect="gemini", value={}),
    ToolReady(index=0, call=ToolCall(id="t", name="f", arguments='{"a":1}')),
    ToolReady(index=1, call=ToolCall(id="u", name="p", arguments="x", kind="custom")),
    USAGE,
    Stop(reason="tool_calls"),
    Done(),
]


def run(events):
    encoder = MessagesEncoder(CONTEXT)
    return sse.Decoder().feed(b"".join(encoder.feed(e) for e in events))


def test_a_stream():
    frames = run(GOOD)
    rows = [json.loads(f.data) for f in frames]
    assert [f.name for f in frames] == [r["type"] for r in rows]
    assert rows[0]["message"]["model"] == "up" and rows[-1] == {"type": "message_stop"}
    blocks = [(r["index"], r["content_block"]["type"]) for r in rows if r["type"] == "content_block_start"]
    kinds = ["thinking", "redacted_thinking", "text", "web_search_tool_result", "tool_use", "tool_use"]
    assert blocks == list(enumerate(kinds))
    opened = None
    for row in rows:
        if row["type"] == "content_block_start":
            assert opened is None
            opened = row["index"]
        elif row["type"] == "content_block_delta":
            assert row["index"] == opened
        elif row["type"] == "content_block_stop":
            assert row["index"] == opened
            opened = None
    deltas = [r["delta"] for r in rows if r["type"] == "content_block_delta"]
    assert deltas[1] == {"type": "signature_delta", "signature": seal("p", "S")}
    assert deltas[2:4] == [{"type": "text_delta", "text": t} for t in "ab"]
    assert [json.loads(d["partial_json"]) for d in deltas[4:]] == [{"a": 1}, {"input": "x"}]
    usage = rows[-2]["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (5, 3, 2)
    assert usage["output_tokens"] == 3 and rows[-2]["delta"]["stop_reason"] == "tool_use"


def test_no_success_before_done_and_none_after_a_failure():
    encoder = MessagesEncoder(CONTEXT)
    out = b"".join(encoder.feed(e) for e in GOOD[:-1])
    assert b"message_stop" not in out and b"message_delta" not in out
    assert encoder.keep_alive().startswith(b"event: ping")
    assert encoder.fail(UpstreamError("gone")).startswith(b"event: error")
    assert encoder.feed(Done()) == encoder.feed(TextDelta(text="x")) == encoder.keep_alive() == b""


def test_a_whole_message():
    body = json.loads(encode_response([*GOOD[:6], RefusalDelta(text="c"), *GOOD[6:]], CONTEXT))
    kinds = [b["type"] for b in body["content"]]
    assert kinds == ["thinking", "redacted_thinking", "text", "web_search_tool_result", "tool_use", "tool_use"]
    assert body["content"][2]["text"] == "abc" and body["content"][0]["signature"] == seal("p", "S")
    assert body["stop_reason"] == "tool_use" and body["usage"]["input_tokens"] == 5
    for bad in (GOOD[:-1], [Failure(message="x")]):
        with pytest.raises(WireError):
            encode_response(bad, CONTEXT)


def test_the_shape_of_a_count():
    assert json.loads(count_tokens_body(7)) == {"input_tokens": 7}
