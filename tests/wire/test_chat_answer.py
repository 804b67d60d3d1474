import json

import pytest

from suffice.errors import WireError
from suffice.values.usage import Usage
from suffice.wire.chat_answer import ChatDecoder
from suffice.wire.codec import Target
from suffice.wire.neutral import (
    Done,
    Failure,
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

TARGET = Target(model="m", issuer="p")


def sse(*choices, done=True, **more):
    frames = [{"id": "i", "model": "up", "created": 3, "choices": [c]} for c in choices]
    if more:
        frames[-1] |= more
    out = b"".join(b"data: " + json.dumps(f).encode() + b"\n\n" for f in frames)
    return out + (b"data: [DONE]\n\n" if done else b"")


def delta(finish=None, **fields):
    return {"index": 0, "delta": fields, "finish_reason": finish}


def read(stream):
    decoder = ChatDecoder(TARGET)
    return decoder.feed(stream) + decoder.close()


def call(args="", **more):
    name = more.pop("name", None)
    return {"function": {"arguments": args} | ({"name": name} if name is not None else {}), **more}


def calls_of(events):
    """Return (id, name, arguments) of each call."""
    starts = [e for e in events if isinstance(e, ToolStart)]
    texts = [
        (s.id, s.name, "".join(e.text for e in events if isinstance(e, ToolDelta) and e.index == s.index))
        for s in starts
    ]
    assert {e.index for e in events if isinstance(e, ToolEnd)} == {s.index for s in starts}
    return texts


def test_an_event_that_is_no_chunk_is_skipped_behind_the_first():
    plain, foreign = sse(delta(content="a"), delta("stop")), b'data: {"type": "provider.telemetry"}\n\n'
    at = plain.index(b"\n\n") + 2
    assert read(plain[:at] + foreign + plain[at:]) == read(plain)
    with pytest.raises(WireError, match="no choices"):
        read(foreign + plain)


def test_text_and_stop():
    events = read(
        sse(
            delta(role="assistant", content=""),
            delta(content="a"),
            delta("stop"),
            usage={"prompt_tokens": 4, "completion_tokens": 1},
        )
    )
    usage = UsageReport(usage=Usage(input_tokens=4, output_tokens=1))
    start = Start(id="i", model="up", created_s=3)
    assert events == [start, TextDelta(text="a"), usage, Stop(reason="end", native="stop"), Done()]


@pytest.mark.parametrize(
    "pieces",
    [
        [call("", index=0, id="1", name="f"), call('{"a"', index=0), call(":1}", index=0)],
        [call('{"a":1}', id="1", name="f")],
        [call("", id="1", name="f"), call('{"a":1}')],
        [
            call("", index=0, id="1", name="f"),
            call('{"a"', index=0, id="1", name=""),
            call(":1}", index=0, id="", name=""),
        ],
        [{"index": 0, "id": "1", "function": {"name": "f", "arguments": {"a": 1}}}],
    ],
    ids=["usual", "one chunk, no index", "no index", "id repeated", "arguments as an object"],
)
def test_every_way_to_send_a_call(pieces):
    events = read(sse(*(delta(tool_calls=[p]) for p in pieces), delta("tool_calls")))
    assert calls_of(events) == [("1", "f", '{"a":1}')]


@pytest.mark.parametrize(
    "pieces",
    [
        [
            call("", index=0, id="1", name="f"),
            call("", index=1, id="2", name="g"),
            call("{}", index=0),
            call("{ }", index=1),
        ],
        [call("{}", index=0, id="1", name="f"), call("{ }", index=0, id="2", name="g")],
        [call("{}", id="1", name="f"), call("{ }", id="2", name="g")],
    ],
    ids=["interleaved", "all numbered 0", "no index"],
)
def test_parallel_calls_stay_apart(pieces):
    events = read(sse(*(delta(tool_calls=[p]) for p in pieces), delta("tool_calls")))
    assert calls_of(events) == [("1", "f", "{}"), ("2", "g", "{ }")]


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
        {"content": "<think>hm</think>"},
    ],
)
def test_thinking_in_four_places(fields):
    events = read(sse(delta(**fields), delta(content="yes"), delta("stop")))
    thought = [ReasoningDelta(text="hm", issuer="p"), ReasoningEnd(issuer="p"), TextDelta(text="yes")]
    assert events[1:4] == thought


def test_details_of_thinking_are_kept_for_their_issuer():
    details = [{"type": "reasoning.encrypted", "data": "xyz"}]
    events = read(sse(delta(reasoning="hm", reasoning_details=details), delta(content="yes"), delta("stop")))
    end = next(e for e in events if isinstance(e, ReasoningEnd))
    assert json.loads(end.encrypted) == details and end.issuer == "p"


def test_googles_signature_travels_with_the_call():
    piece = {**call("{}", id="1", name="f"), "extra_content": {"google": {"thought_signature": "SIG"}}}
    start = read(sse(delta(tool_calls=[piece]), delta("stop")))[1]
    assert (start.signature, start.issuer) == ("SIG", "p")


def test_no_done_without_a_stop():
    assert not any(isinstance(e, Done | Stop) for e in read(sse(delta(content="a"), done=False)))
    assert isinstance(read(sse(delta("stop", content="a"), done=False))[-1], Done)
    assert read(b"data: [DONE]\n\n") == []


@pytest.mark.parametrize(
    ("frame", "message", "status"),
    [
        ({"error": {"message": "no", "code": 502}}, "no", 502),
        ({"error": {"message": "no", "code": 502}, "choices": []}, "no", 502),
        ({"error": "no"}, "no", 0),
        ({"base_resp": {"status_code": 1004, "status_msg": "no"}, "choices": None}, "no", 0),
    ],
)
def test_an_error_in_a_success_is_an_error(frame, message, status):
    stream = sse(delta(content="a"), done=False) + b"data: " + json.dumps(frame).encode() + b"\n\ndata: [DONE]\n\n"
    last = read(stream)[-1]
    assert isinstance(last, Failure) and (last.message, last.status) == (message, status)
    assert isinstance(ChatDecoder(TARGET).whole(json.dumps(frame).encode())[-1], Failure)


def test_a_stop_that_is_an_error():
    assert isinstance(read(sse(delta("error")))[-1], Failure)


def test_a_whole_answer():
    message = {
        "role": "assistant",
        "content": None,
        "refusal": "no",
        "tool_calls": [call("{}", id="1", name="f", type="function")],
    }
    body = {"id": "i", "model": "up", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    events = ChatDecoder(TARGET).whole(json.dumps(body).encode())
    assert events[1] == RefusalDelta(text="no") and calls_of(events) == [("1", "f", "{}")] and events[-1] == Done()
    priced = body | {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.25}}
    report = next(e for e in ChatDecoder(TARGET).whole(json.dumps(priced).encode()) if isinstance(e, UsageReport))
    assert report.usage.stated_nano == 250_000_000


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"choices":3}', b'{"choices":[{"delta":{"tool_calls":"x"}}]}'])
def test_what_is_not_the_dialect_is_refused(body):
    with pytest.raises(WireError):
        ChatDecoder(TARGET).whole(body)
