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
from suffice.wire.codec import Emulation
from suffice.wire.gemini_answer import GeminiDecoder
from suffice.wire.neutral import (
    Done,
    Event,
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
from suffice.wire.translate import Pump

from .gemini_samples import CALL, CHUNKS, TARGET, USAGE, array, chunk, sse

SHARED = Path(os.environ.get("SUFFICE_SHARED", Path(__file__).parents[2].parent / "shared"))


def read(data: bytes, size: int = 0) -> list[Event]:
    decoder = GeminiDecoder(TARGET)
    step = size or len(data) or 1
    return [e for at in range(0, len(data), step) for e in decoder.feed(data[at : at + step])] + decoder.close()


def test_a_stream_becomes_events() -> None:
    events = read(sse(CHUNKS))
    assert events[:-2] == [
        Start(id="r-1", model="gemini-3-flash-preview"),
        ReasoningDelta(text="I think", issuer="google-gemini", summary=True),
        ReasoningEnd(issuer="google-gemini"),
        TextDelta(text="Let me "),
        TextDelta(text="look: é"),
        ToolStart(index=0, id="", name="read", signature="c2ln", issuer="google-gemini"),
        ToolDelta(index=0, text=json.dumps(CALL["functionCall"]["args"], ensure_ascii=False)),
        ToolEnd(index=0),
        ToolStart(index=1, id="x1", name="list"),
        ToolDelta(index=1, text="{}"),
        ToolEnd(index=1),
        events[-3],
    ]
    report = events[-3]
    assert isinstance(report, UsageReport)
    assert (report.usage.input_tokens, report.usage.cache_read_tokens) == (60, 40)
    assert (report.usage.output_tokens, report.usage.reasoning_tokens) == (7, 5)
    assert events[-2:] == [Stop(reason="end", native="STOP"), Done()]


@pytest.mark.parametrize("framing", [sse, array])
def test_an_event_that_is_no_answer_is_skipped_behind_the_first(framing: Any) -> None:
    foreign = {"type": "provider.telemetry"}
    assert read(framing([CHUNKS[0], foreign, *CHUNKS[1:]])) == read(framing(CHUNKS))
    with pytest.raises(WireError, match="no candidates"):
        read(framing([foreign, *CHUNKS]))


@pytest.mark.parametrize("framing", [sse, array])
def test_every_split_reads_alike(framing: Any) -> None:
    data = framing(CHUNKS)
    expected = read(data)
    for at in range(len(data)):
        decoder = GeminiDecoder(TARGET)
        assert decoder.feed(data[:at]) + decoder.feed(data[at:]) + decoder.close() == expected


@pytest.mark.parametrize("framing", [sse, array])
def test_a_cut_stream_is_never_done_before_its_reason_came(framing: Any) -> None:
    data = framing(CHUNKS)
    reason = data.index(b"finishReason")
    for at in range(reason):
        try:
            events = read(data[:at])
        except WireError:
            continue
        assert not any(isinstance(e, Done | Stop) for e in events)


def test_an_array_without_its_bracket_is_not_done() -> None:
    assert not any(isinstance(e, Done) for e in read(array(CHUNKS).rstrip()[:-1]))


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda b: sse(CHUNKS)[:300] + b))
def test_noise_raises_wire_error_or_yields_no_success(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert not any(isinstance(e, Done) for e in read(data, 7))


@pytest.mark.parametrize(
    ("native", "reason"),
    [("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter"), ("LANGUAGE", "other")],
)
def test_finish_reasons(native: str, reason: str) -> None:
    stop = read(sse([chunk([{"text": "a"}], finishReason=native)]))[-2]
    assert isinstance(stop, Stop)
    assert (stop.reason, stop.native) == (reason, native)


def test_a_malformed_call_is_a_failure_although_the_status_is_200() -> None:
    events = read(sse([chunk([], finishReason="MALFORMED_FUNCTION_CALL", usageMetadata=USAGE)]))
    assert isinstance(events[-1], Failure)
    assert events[-1].code == "malformed_function_call"
    assert not any(isinstance(e, Done) for e in events)


def test_a_blocked_prompt_stops_with_its_reason() -> None:
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 3}}
    events = read(sse([blocked]))
    assert [type(e) for e in events] == [Start, UsageReport, Stop, Done]
    assert events[-2].reason == "content_filter"  # type: ignore[union-attr]
    assert GeminiDecoder(TARGET).whole(json.dumps(blocked).encode())[-1] == Done()


@pytest.mark.parametrize("framing", [sse, array])
def test_an_error_in_the_stream_is_a_failure_with_its_status(framing: Any) -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    events = read(framing([CHUNKS[0], error, CHUNKS[-1]]))
    assert isinstance(events[-1], Failure)
    assert (events[-1].status, events[-1].code, events[-1].value) == (503, "UNAVAILABLE", error["error"])


def test_a_plain_error_object_in_place_of_a_stream() -> None:
    events = read(b'{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED"}}')
    assert [type(e) for e in events] == [Failure]


def test_arguments_in_pieces_are_put_together_and_a_missing_end_is_forgiven() -> None:
    def piece(path: str, more: bool = True, **value: Any) -> dict[str, Any]:
        row = {"functionCall": {"partialArgs": [{"jsonPath": path, **value}], "willContinue": more}}
        return chunk([row])

    begin = chunk([{"functionCall": {"name": "edit", "willContinue": True}}])
    middle = [
        piece("$.a[0].t", stringValue="x"),
        piece("$.a[0].t", stringValue="y"),
        piece("$.n", numberValue=2),
        piece("$['b c']", boolValue=True),
    ]
    end = chunk([], finishReason="STOP")
    for chunks in ([begin, *middle, chunk([{"functionCall": {}}]), end], [begin, *middle, end]):
        events = read(sse(chunks))
        assert [e.text for e in events if isinstance(e, ToolDelta)] == ['{"a":[{"t":"xy"}],"n":2,"b c":true}']
        assert sum(isinstance(e, ToolEnd) for e in events) == 1
    cut = read(sse([begin, *middle, chunk([], finishReason="MAX_TOKENS")]))
    assert not any(isinstance(e, ToolEnd) for e in cut)


def test_state_on_text_and_foreign_parts() -> None:
    parts = [{"text": "a", "thoughtSignature": "s"}, {"executableCode": {"code": "1"}}]
    events = read(sse([chunk(parts, finishReason="STOP")]))
    assert ReasoningEnd(signature="s", issuer="google-gemini") in events
    assert OpaqueBlock(dialect="gemini", value={"executableCode": {"code": "1"}}) in events


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b"x", b'{"candidates":[{"content":{"parts":[{"text":1}]}}]}'])
def test_a_whole_body_that_is_no_answer_raises(body: bytes) -> None:
    with pytest.raises(WireError):
        GeminiDecoder(TARGET).whole(body)


def test_a_whole_body_without_a_reason_is_not_complete() -> None:
    with pytest.raises(WireError, match="finish reason"):
        GeminiDecoder(TARGET).whole(json.dumps(CHUNKS[1]).encode())


@pytest.mark.skipif(not (SHARED / "fixtures").is_dir(), reason="recordings are not here")
def test_recorded_streams_end_well_in_both_framings() -> None:
    seen = 0
    with tarfile.open(SHARED / "fixtures" / "recorded_provider_streams.tar.gz") as tar:
        for member in tar:
            if "/google/src/__fixtures__/" not in member.name or not member.name.endswith(".chunks.txt"):
                continue
            lines = [json.loads(line) for line in tar.extractfile(member).read().splitlines() if line.strip()]  # type: ignore[union-attr]
            pumps = [Pump(Emulation()), Pump(Emulation())]
            for pump, data in zip(pumps, (sse(lines), array(lines)), strict=True):
                pump.push(read(data, 61))
            assert pumps[0].done, member.name
            one, two = (pump.answer() for pump in pumps)
            assert one.text == two.text
            # An indented array has spaces inside the arguments.
            assert [json.loads(c[2]) for c in one.tool_calls] == [json.loads(c[2]) for c in two.tool_calls]
            assert pumps[0].usage() is not None
            seen += 1
    assert seen >= 8
