from __future__ import annotations

import json
from typing import Any

import pytest

from suffice.errors import UpstreamError, WireError
from suffice.values.usage import Usage
from suffice.wire import gemini_seal
from suffice.wire.codec import Target
from suffice.wire.gemini_answer import GeminiDecoder
from suffice.wire.gemini_client import GeminiEncoder, encode_response
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    ReasoningDelta,
    ReasoningEnd,
    Start,
    Stop,
    TextDelta,
    ToolCall,
    ToolReady,
    UsageReport,
)

from .gemini_samples import context

CALL = ToolCall(id="toolu_1", name="read", arguments='{"p":"é"}', signature="S", issuer="anthropic")
EVENTS: list[Event] = [
    Start(id="msg_1", model="claude"),
    ReasoningDelta(text="hm", issuer="anthropic"),
    ReasoningEnd(signature="T", issuer="anthropic"),
    TextDelta(text='He said "hi"\n'),
    TextDelta(text="é"),
    ToolReady(index=0, call=CALL),
    UsageReport(usage=Usage(input_tokens=6, cache_read_tokens=4, output_tokens=3, reasoning_tokens=2)),
    Stop(reason="tool_calls", native="tool_use"),
    Done(),
]


def stream(events: list[Event], *, array: bool = False) -> bytes:
    encoder = GeminiEncoder(context(stream=True), array=array)
    assert encoder.keep_alive() == b""
    return b"".join(encoder.feed(event) for event in events)


def chunks(data: bytes, *, array: bool) -> list[dict[str, Any]]:
    if array:
        return json.loads(data)  # type: ignore[no-any-return]
    return [json.loads(row.removeprefix(b"data: ")) for row in data.split(b"\r\n\r\n") if row]


@pytest.mark.parametrize("array", [False, True])
def test_a_stream_in_both_framings(array: bool) -> None:
    data = stream(EVENTS, array=array)
    rows = chunks(data, array=array)
    parts = [p for row in rows for p in row["candidates"][0]["content"]["parts"]]
    assert [p.get("text") for p in parts] == ["hm", "", 'He said "hi"\n', "é", None, ""]
    assert gemini_seal.unpack(parts[1]["thoughtSignature"], "") == ("anthropic", "T", "")
    assert parts[4]["functionCall"] == {"id": "toolu_1", "name": "read", "args": {"p": "é"}}
    assert gemini_seal.unpack(parts[4]["thoughtSignature"], "") == ("anthropic", "S", "toolu_1")
    assert all(row["modelVersion"] == "claude" and row["responseId"] == "msg_1" for row in rows)
    assert [row["candidates"][0].get("finishReason") for row in rows] == [None] * 5 + ["STOP"]
    assert rows[-1]["usageMetadata"] == {
        "promptTokenCount": 10,
        "candidatesTokenCount": 3,
        "totalTokenCount": 15,
        "cachedContentTokenCount": 4,
        "thoughtsTokenCount": 2,
    }
    assert not any(line.startswith(b":") for line in data.split(b"\n"))


def test_a_whole_answer_joins_what_belongs_together() -> None:
    body = json.loads(encode_response(EVENTS, context()))
    parts = body["candidates"][0]["content"]["parts"]
    assert [sorted(p) for p in parts] == [
        ["text", "thought", "thoughtSignature"],
        ["text"],
        ["functionCall", "thoughtSignature"],
    ]
    assert parts[1]["text"] == 'He said "hi"\né'
    assert body["usageMetadata"]["totalTokenCount"] == 15


@pytest.mark.parametrize("array", [False, True])
def test_what_we_write_we_read(array: bool) -> None:
    decoder = GeminiDecoder(Target(model="m"))
    data = stream(EVENTS, array=array)
    events = [e for at in range(0, len(data), 3) for e in decoder.feed(data[at : at + 3])] + decoder.close()
    assert events[-1] == Done()
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == 'He said "hi"\né'
    assert next(e for e in events if isinstance(e, UsageReport)) == EVENTS[6]


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("length", range(len(EVENTS)))
def test_a_cut_stream_says_no_success_and_an_error_ends_it(array: bool, length: int) -> None:
    encoder = GeminiEncoder(context(stream=True), array=array)
    data = b"".join(encoder.feed(event) for event in EVENTS[:length])
    assert b"finishReason" not in data
    data += encoder.fail(UpstreamError("gone", status=503))
    assert chunks(data, array=array)[-1]["error"]["status"] == "UNAVAILABLE"
    assert encoder.feed(Done()) == encoder.feed(TextDelta(text="x")) == encoder.fail(UpstreamError("x")) == b""


def test_an_empty_answer_is_still_an_answer() -> None:
    for array in (False, True):
        rows = chunks(stream([Stop(reason="length"), Done()], array=array), array=array)
        assert rows[0]["candidates"][0]["finishReason"] == "MAX_TOKENS"
    body = json.loads(encode_response([Stop(reason="refusal"), Done()], context()))
    assert body["candidates"][0]["finishReason"] == "SAFETY"
    assert body["responseId"] == "resp-9"


def test_the_providers_own_word_is_kept() -> None:
    stop = Stop(reason="content_filter", native="RECITATION", details={"finishMessage": "m"}, dialect="gemini")
    candidate = json.loads(encode_response([Start(), stop, Done()], context()))["candidates"][0]
    assert (candidate["finishReason"], candidate["finishMessage"]) == ("RECITATION", "m")


def test_a_reason_of_another_dialect_that_nobody_knows_ends_the_turn() -> None:
    for dialect, native, told in (("chat", "banana", "STOP"), ("gemini", "OTHER", "OTHER")):
        stop = Stop(reason="other", native=native, dialect=dialect)
        rows = chunks(stream([TextDelta(text="x"), stop, Done()]), array=False)
        assert rows[-1]["candidates"][0]["finishReason"] == told


@pytest.mark.parametrize(
    "events", [[], [Start(), TextDelta(text="x"), Stop(reason="end")], [Failure(message="no"), Done()]]
)
def test_no_body_without_done(events: list[Event]) -> None:
    with pytest.raises(WireError):
        encode_response(events, context())
