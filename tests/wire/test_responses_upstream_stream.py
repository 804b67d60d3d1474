import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.errors import WireError
from suffice.wire.codec import Target
from suffice.wire.neutral import (
    Done,
    Failure,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningEnd,
    RefusalDelta,
    Start,
    Stop,
    TextDelta,
    ToolDelta,
    ToolEnd,
    ToolStart,
    UsageReport,
)
from suffice.wire.responses_upstream_stream import StreamDecoder, decode_response

TARGET = Target(model="m", issuer="openai")
CREATED = {"type": "response.created", "response": {"id": "resp_9", "model": "m-9", "created_at": 7}}
COMPLETED = {
    "type": "response.completed",
    "response": {
        "status": "completed",
        "output": [],
        "usage": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
    },
}


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events)


def read(*events: dict[str, Any]) -> list[Any]:
    decoder = StreamDecoder(TARGET)
    return decoder.feed(sse(*events)) + decoder.close()


def added(at: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": at, "item": item}


def done(at: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": at, "item": item}


CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f"}


def test_a_thinking_answer_with_a_call() -> None:
    events = read(
        CREATED,
        added(0, {"type": "reasoning", "id": "rs_1", "summary": []}),
        {"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 0},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "one"},
        {"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 1},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "two"},
        done(0, {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "E"}),
        added(1, CALL | {"arguments": ""}),
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{}"},
        done(1, CALL | {"arguments": "{}"}),
        COMPLETED,
    )
    assert events[:8] == [
        Start(id="resp_9", model="m-9", created_s=7),
        ReasoningDelta(text="one", issuer="openai", summary=True),
        ReasoningDelta(text="\n\n", issuer="openai", summary=True),
        ReasoningDelta(text="two", issuer="openai", summary=True),
        ReasoningEnd(encrypted="E", issuer="openai", item_id="rs_1"),
        ToolStart(index=0, id="c1", name="f"),
        ToolDelta(index=0, text="{}"),
        ToolEnd(index=0),
    ]
    assert isinstance(events[8], UsageReport)
    assert events[9:] == [Stop(reason="tool_calls", native="completed"), Done()]


def test_what_was_not_streamed_is_taken_from_the_items() -> None:
    patch = {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "abc"}
    text = {"type": "message", "content": [{"type": "output_text", "text": "hi"}, {"type": "refusal", "refusal": "no"}]}
    events = read(
        CREATED,
        added(0, patch | {"input": ""}),
        {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "a"},
        done(0, patch),
        done(0, patch),
        done(1, text),
        done(2, {"type": "web_search_call", "id": "ws"}),
        COMPLETED,
    )
    assert ToolDelta(index=0, text="bc") in events
    assert events.count(ToolEnd(index=0)) == 1
    assert TextDelta(text="hi") in events
    assert RefusalDelta(text="no") in events
    assert OpaqueBlock(dialect="responses", value={"type": "web_search_call", "id": "ws"}) in events


def test_items_of_the_end_count_only_when_nothing_was_streamed() -> None:
    output = [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]
    end = {"type": "response.completed", "response": {"status": "completed", "output": output}}
    assert TextDelta(text="hi") in read(CREATED, end)
    streamed = read(
        CREATED, {"type": "response.output_text.delta", "output_index": 5, "item_id": "m", "delta": "hi"}, end
    )
    assert streamed.count(TextDelta(text="hi")) == 1


def test_ids_may_change_on_the_way() -> None:
    events = read(
        CREATED,
        added(0, CALL | {"id": "a"}),
        {"type": "response.function_call_arguments.delta", "output_index": 0, "item_id": "b", "delta": '{"x":1}'},
        done(0, CALL | {"id": "c", "arguments": '{"x":1}'}),
        COMPLETED,
    )
    assert [type(e) for e in events[1:4]] == [ToolStart, ToolDelta, ToolEnd]


@pytest.mark.parametrize(
    ("event", "code", "message"),
    [
        ({"type": "error", "code": "x", "message": "flat"}, "x", "flat"),
        ({"type": "error", "error": {"type": "t", "code": "y", "message": "nested"}}, "y", "nested"),
        (
            {"type": "response.failed", "response": {"status": "failed", "error": {"code": "z", "message": "late"}}},
            "z",
            "late",
        ),
    ],
)
def test_errors_end_the_answer(event: dict[str, Any], code: str, message: str) -> None:
    events = read(CREATED, event, COMPLETED)
    assert isinstance(events[-1], Failure)
    assert (events[-1].code, events[-1].message) == (code, message)
    assert Done() not in events


def test_incomplete_answers_say_why() -> None:
    def end(why: str) -> dict[str, Any]:
        return {"type": "response.incomplete", "response": {"incomplete_details": {"reason": why}, "output": []}}

    assert read(CREATED, end("max_output_tokens"))[-2:] == [Stop(reason="length", native="max_output_tokens"), Done()]
    assert read(CREATED, end("content_filter"))[-2].reason == "content_filter"


@pytest.mark.parametrize(
    "wire",
    [
        b"data: {oops\n\n",
        b"data: [1]\n\n",
        sse({"type": "response.completed", "response": None}),
        sse(CREATED, added(0, CALL), COMPLETED),
        sse(done(0, {"type": "function_call", "name": "f", "arguments": "{}"})),
        sse(
            added(0, {"type": "custom_tool_call", "call_id": "c", "name": "p"}),
            {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "x"},
            done(0, {"type": "custom_tool_call", "call_id": "c", "name": "p", "input": "y"}),
        ),
    ],
)
def test_broken_streams_are_wire_errors(wire: bytes) -> None:
    with pytest.raises(WireError):
        StreamDecoder(TARGET).feed(wire)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_event_crashes(data: st.DataObject) -> None:
    value = st.none() | st.integers(-2, 3) | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
    kinds = st.sampled_from(
        [
            "response.created",
            "response.output_item.added",
            "response.output_item.done",
            "response.output_text.delta",
            "error",
            "response.function_call_arguments.delta",
            "response.completed",
            "response.reasoning_summary_part.added",
        ]
    )
    item = value | st.fixed_dictionaries(
        {
            "type": st.sampled_from(
                [
                    "function_call",
                    "custom_tool_call",
                    "reasoning",
                    "message",
                    "tool_search_call",
                ]
            )
        },
        optional=dict.fromkeys(
            ("call_id", "id", "name", "arguments", "input", "content", "summary", "encrypted_content"), value
        ),
    )
    event = st.fixed_dictionaries(
        {"type": kinds},
        optional={"output_index": value, "item_id": value, "delta": value, "item": item, "response": value},
    )
    decoder = StreamDecoder(TARGET)
    for one in data.draw(st.lists(event, max_size=6)):
        try:
            decoder.feed(sse(one))
        except WireError:
            return


def test_whole_answers() -> None:
    body = {"id": "r", "model": "m", "status": "completed", "output": [CALL | {"arguments": "{}"}], "error": None}
    events = decode_response(json.dumps(body).encode(), TARGET)
    assert [type(e) for e in events] == [Start, ToolStart, ToolDelta, ToolEnd, Stop, Done]
    assert isinstance(decode_response(b'{"error":{"message":"m","code":"c"}}', TARGET)[0], Failure)
    for bad in (b"[]", b"x", b"{}", b'{"status":"in_progress","output":[]}'):
        with pytest.raises(WireError):
            decode_response(bad, TARGET)


@pytest.mark.parametrize("odd", [True, 1, "x", {}, {"a": 1}])
def test_logprobs_that_are_no_list_are_none(odd: Any) -> None:
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "hi", "logprobs": odd}
    assert [e.logprobs for e in read(delta) if isinstance(e, TextDelta)] == [None]
