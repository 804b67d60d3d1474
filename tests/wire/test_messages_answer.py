import json

import pytest

from suffice.errors import WireError
from suffice.values.usage import Usage
from suffice.wire.codec import Target
from suffice.wire.messages_answer import MessagesDecoder
from suffice.wire.neutral import (
    Done,
    Failure,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningEnd,
    Start,
    Stop,
    TextDelta,
    ToolDelta,
    ToolEnd,
    ToolStart,
    UsageReport,
)

START = {
    "type": "message_start",
    "message": {
        "id": "i",
        "model": "up",
        "usage": {"input_tokens": 4, "cache_read_input_tokens": 2, "output_tokens": 1},
    },
}
END = [
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
]


def block(index, start, *deltas):
    rows = [{"type": "content_block_start", "index": index, "content_block": start}]
    rows += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
    return [*rows, {"type": "content_block_stop", "index": index}]


def read(*events):
    decoder = MessagesDecoder(Target(model="m", issuer="p"))
    stream = b"".join(f"event: {e['type']}\ndata: ".encode() + json.dumps(e).encode() + b"\n\n" for e in events)
    return decoder.feed(stream) + decoder.close()


def test_every_block():
    events = read(
        START,
        {"type": "ping"},
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "hm"},
            {"type": "signature_delta", "signature": "SIG"},
        ),
        *block(1, {"type": "redacted_thinking", "data": "RED"}),
        *block(
            2,
            {"type": "text", "text": ""},
            {"type": "text_delta", "text": "a"},
            {"type": "citations_delta", "citation": {}},
        ),
        *block(
            3,
            {"type": "server_tool_use", "id": "s", "name": "web", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"q":1}'},
        ),
        *block(
            4,
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            {"type": "input_json_delta", "partial_json": "{}"},
        ),
        {"type": "unheard_of"},
        *END,
    )
    assert events == [
        UsageReport(usage=Usage(input_tokens=4, cache_read_tokens=2, output_tokens=1), partial=True),
        Start(id="i", model="up"),
        ReasoningDelta(text="hm", issuer="p"),
        ReasoningEnd(signature="SIG", issuer="p"),
        ReasoningEnd(encrypted="RED", issuer="p"),
        TextDelta(text="a"),
        OpaqueBlock(dialect="messages", value={"type": "server_tool_use", "id": "s", "name": "web", "input": {"q": 1}}),
        ToolStart(index=0, id="t", name="f"),
        ToolDelta(index=0, text="{}"),
        ToolEnd(index=0),
        UsageReport(usage=Usage(input_tokens=4, cache_read_tokens=2, output_tokens=9)),
        Stop(reason="tool_calls", native="tool_use", dialect="messages"),
        Done(),
    ]


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("end_turn", "end"),
        ("max_tokens", "length"),
        ("pause_turn", "pause"),
        ("refusal", "refusal"),
        ("model_context_window_exceeded", "context_length"),
        ("stop_sequence", "stop_sequence"),
        ("new", "other"),
    ],
)
def test_stop_reasons(native, reason):
    events = read(
        START,
        {"type": "message_delta", "delta": {"stop_reason": native, "stop_sequence": "x", "stop_details": {"a": 1}}},
        END[1],
    )
    assert events[-2] == Stop(reason=reason, native=native, sequence="x", details={"a": 1}, dialect="messages")


def test_an_answer_begun_anew_drops_the_open_call_and_refuses_after_a_whole_one():
    tool = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    again = read(START, *block(0, tool)[:1], START, *block(0, tool), *END)
    assert [e.index for e in again if isinstance(e, ToolStart | ToolEnd)] == [0, 0, 0]
    assert sum(isinstance(e, Start) for e in again) == 1
    with pytest.raises(WireError):
        read(START, *block(0, tool), START)


def test_no_done_without_message_stop():
    assert not any(isinstance(e, Done | Stop) for e in read(START, END[0]))


def test_errors_inside_a_success():
    failed = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    assert read(START, failed, *END)[-1] == Failure(
        message="busy", type="overloaded_error", status=529, value=failed["error"]
    )
    decoder = MessagesDecoder(Target(model="m"))
    assert isinstance(decoder.whole(json.dumps(failed).encode())[0], Failure)


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "message_start"}],
        [{"type": "content_block_start", "index": 0}],
        [{"type": "content_block_delta", "index": 7, "delta": {"type": "thinking_delta", "thinking": "x"}}],
        [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 3}}],
    ],
)
def test_what_is_not_the_dialect_is_refused(events):
    with pytest.raises(WireError):
        read(*events)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"content":[3]}'])
def test_a_whole_answer_that_is_not_the_dialect_is_refused(body):
    with pytest.raises(WireError):
        MessagesDecoder(Target(model="m")).whole(body)


def test_calls_that_are_whole_at_the_begin_are_read():
    given = {"type": "tool_use", "id": "t", "name": "roll", "input": {"a": 1}, "caller": {"type": "code_execution"}}
    start = {**START, "message": {**START["message"], "content": [given]}}
    events = read(start, *END)
    assert [e for e in events if isinstance(e, ToolStart | ToolDelta | ToolEnd)] == [
        ToolStart(index=0, id="t", name="roll"),
        ToolDelta(index=0, text='{"a":1}'),
        ToolEnd(index=0),
    ]
    assert events[-1] == Done()
