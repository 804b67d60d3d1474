from __future__ import annotations

import contextlib
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import WireError
from suffice.wire.bedrock_converse import CODEC, ConverseDecoder
from suffice.wire.codec import Emulation, Target
from suffice.wire.eventstream import encode
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
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
from suffice.wire.translate import Pump

SHARED = Path(os.environ.get("SUFFICE_SHARED", Path(__file__).parents[2].parent / "shared"))
TARGET = Target(model="anthropic.claude-x", issuer="bedrock")
USAGE = {"inputTokens": 10, "outputTokens": 5, "cacheReadInputTokens": 3, "totalTokens": 18}
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "SIG"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "é"}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "read"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"a"'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": ":1}"}}}),
    ("contentBlockStop", {"contentBlockIndex": 2}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 3}}),
]


def stream(rows: list[tuple[str, dict[str, Any]]]) -> bytes:
    return b"".join(
        encode({":message-type": "event", ":event-type": name}, json.dumps({**row, "p": "abc"}).encode())
        for name, row in rows
    )


def read(data: bytes, size: int = 0) -> list[Event]:
    decoder = ConverseDecoder(TARGET)
    step = size or len(data) or 1
    return [e for at in range(0, len(data), step) for e in decoder.feed(data[at : at + step])] + decoder.close()


def test_a_stream_becomes_events() -> None:
    events = read(stream(ROWS))
    report = events.pop(-3)
    assert isinstance(report, UsageReport)
    assert (report.usage.input_tokens, report.usage.cache_read_tokens, report.usage.output_tokens) == (10, 3, 5)
    assert events == [
        Start(model="anthropic.claude-x"),
        ReasoningDelta(text="hm", issuer="bedrock"),
        ReasoningEnd(signature="SIG", issuer="bedrock"),
        TextDelta(text="é"),
        ToolStart(index=0, id="t1", name="read"),
        ToolDelta(index=0, text='{"a"'),
        ToolDelta(index=0, text=":1}"),
        ToolEnd(index=0),
        Stop(reason="tool_calls", native="tool_use"),
        Done(),
    ]


def test_every_split_reads_alike_and_no_cut_is_a_success() -> None:
    data = stream(ROWS)
    expected = read(data)
    end = len(stream(ROWS[:-1]))
    for at in range(len(data)):
        decoder = ConverseDecoder(TARGET)
        assert decoder.feed(data[:at]) + decoder.feed(data[at:]) + decoder.close() == expected
        # Between the stop and the usage the answer is whole; inside a message or before the stop it is not.
        assert any(isinstance(e, Done) for e in read(data[:at])) is (at == end)


def test_usage_before_the_stop_and_an_open_call_are_taken() -> None:
    rows = [*ROWS[:9], ROWS[11], ROWS[10]]
    pump = Pump(Emulation())
    pump.push(read(stream(rows)))
    assert pump.done
    assert [call.arguments for call in pump.calls] == ['{"a":1}']
    cut = [*ROWS[:8], ("messageStop", {"stopReason": "max_tokens"})]
    assert not any(isinstance(e, ToolEnd) for e in read(stream(cut)))


@pytest.mark.parametrize(
    ("name", "status"), [("throttlingException", 429), ("ValidationException", 400), ("newException", 0)]
)
def test_an_exception_is_a_failure_with_its_status(name: str, status: int) -> None:
    frame = encode({":message-type": "exception", ":exception-type": name}, b'{"message":"slow down"}')
    events = read(stream(ROWS[:5]) + frame + stream(ROWS[5:]))
    assert isinstance(events[-1], Failure)
    assert (events[-1].status, events[-1].message, events[-1].code) == (status, "slow down", name)
    bare = encode({":message-type": "error", ":error-code": "x", ":error-message": "why"}, b"")
    assert read(bare)[-1].message == "why"  # type: ignore[union-attr]


def test_a_broken_call_is_a_failure() -> None:
    assert isinstance(read(stream([("messageStop", {"stopReason": "malformed_tool_use"})]))[-1], Failure)


def test_a_whole_answer() -> None:
    content = [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "S"}}},
        {"reasoningContent": {"redactedContent": "UkVE"}},
        {"text": "hi"},
        {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
        {"citationsContent": {"content": [{"text": "cited"}]}},
    ]
    body = {"output": {"message": {"content": content}}, "stopReason": "tool_use", "usage": USAGE}
    events = CODEC.decode_response(json.dumps(body).encode(), TARGET)
    assert ReasoningEnd(signature="S", issuer="bedrock") in events
    assert ReasoningEnd(encrypted="UkVE", issuer="bedrock") in events
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "hicited"
    assert ToolDelta(index=0, text='{"a":1}') in events
    assert events[-1] == Done()


@pytest.mark.parametrize("body", [b"x", b"[]", b"{}", b'{"output":{"message":{"content":[]}}}', b'{"message":"no"}'])
def test_what_is_no_answer_raises(body: bytes) -> None:
    with pytest.raises(WireError):
        CODEC.decode_response(body, TARGET)


@given(
    st.sampled_from([name for name, _ in ROWS]), st.binary(max_size=30) | st.just(b'{"delta":{"toolUse":{"input":1}}}')
)
def test_noise_in_whole_messages_is_no_success(name: str, payload: bytes) -> None:
    with contextlib.suppress(WireError):
        events = read(encode({":event-type": name}, payload))
        assert not any(isinstance(e, Done) for e in events)


@pytest.mark.skipif(not (SHARED / "fixtures").is_dir(), reason="recordings are not here")
def test_recorded_streams_end_well() -> None:
    seen = 0
    with tarfile.open(SHARED / "fixtures" / "recorded_provider_streams.tar.gz") as tar:
        for member in tar:
            if "/amazon-bedrock/src/__fixtures__/" not in member.name or not member.isfile():
                continue
            data = tar.extractfile(member).read()  # type: ignore[union-attr]
            pump = Pump(Emulation())
            if member.name.endswith(".chunks.txt"):
                rows = [next(iter(json.loads(line).items())) for line in data.splitlines() if line.strip()]
                pump.push(read(stream(rows), 97))
            else:
                pump.push(CODEC.decode_response(data, TARGET))
            assert pump.done, member.name
            assert pump.answer().text or pump.calls
            seen += 1
    assert seen >= 15


def test_what_comes_behind_the_end_is_not_looked_at():
    """An answer that was told whole stays one, whatever bytes a proxy leaves behind it."""
    reader = CODEC.stream_decoder(Target(model="m"))
    kinds = ({":message-type": "event", ":event-type": name} for name in ("messageStop", "metadata"))
    bodies = (b'{"stopReason":"end_turn"}', b"{}")
    told = [encode(kind, body) for kind, body in zip(kinds, bodies, strict=True)]
    events = [found for piece in told for found in reader.feed(piece)]
    assert isinstance(events[-1], Done)
    assert reader.feed(b"\0" * 40) == reader.close() == []
