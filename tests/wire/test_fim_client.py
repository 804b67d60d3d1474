from __future__ import annotations

import json
from typing import Any

import pytest

from suffice.errors import UpstreamError, WireError
from suffice.values.usage import Usage
from suffice.wire.codec import Emulation, Target
from suffice.wire.fim import FimRequest, Shape
from suffice.wire.fim_answer import FimDecoder
from suffice.wire.fim_client import FimContext, FimEncoder, encode_response, warm_answer
from suffice.wire.neutral import Done, Event, Start, Stop, TextDelta, UsageReport
from suffice.wire.translate import Pump, StreamTranslator

EVENTS: list[Event] = [
    Start(id="c1", model="m", created_s=5),
    TextDelta(text="é"),
    TextDelta(text='"b'),
    UsageReport(usage=Usage(input_tokens=3, cache_read_tokens=2, output_tokens=4)),
    Stop(reason="length"),
    Done(),
]
SHAPES: list[Shape] = ["completions", "fim", "infill"]


def context(shape: Shape, **more: Any) -> FimContext:
    return FimContext(request=FimRequest(shape=shape, model="m", stream=True, **more), response_id="r")


def rows(data: bytes) -> list[Any]:
    parts = [row.removeprefix(b"data: ") for row in data.split(b"\n\n") if row]
    return [part if part == b"[DONE]" else json.loads(part) for part in parts]


def write(shape: Shape, **more: Any) -> list[Any]:
    encoder = FimEncoder(context(shape, **more))
    return rows(b"".join(encoder.feed(event) for event in EVENTS))


def test_a_stream_of_text_completions() -> None:
    out = write("completions")
    assert [row["choices"][0]["text"] for row in out[:3]] == ["é", '"b', ""]
    assert [row["choices"][0]["finish_reason"] for row in out[:3]] == [None, None, "length"]
    assert out[0]["object"] == "text_completion"
    assert out[3]["usage"]["total_tokens"] == 9
    assert out[4] == b"[DONE]"
    assert len(write("completions", include_usage=False)) == 4


def test_a_stream_in_mistrals_form() -> None:
    out = write("fim")
    assert [row["choices"][0]["delta"] for row in out[:2]] == [{"role": "assistant", "content": "é"}, {"content": '"b'}]
    assert out[2]["choices"][0]["finish_reason"] == "length"
    assert out[2]["usage"]["prompt_tokens"] == 5
    assert out[3] == b"[DONE]"


def test_a_stream_in_llamas_form() -> None:
    out = write("infill")
    assert [(row["content"], row["stop"]) for row in out] == [("é", False), ('"b', False), ("", True)]
    assert (out[2]["stop_type"], out[2]["tokens_evaluated"], out[2]["timings"]["prompt_n"]) == ("limit", 5, 3)
    wanted = ("content", "timings/prompt_n", "truncated", "nothing")
    body = json.loads(encode_response(EVENTS, context("infill", fields=wanted)))
    assert body == {"content": 'é"b', "timings/prompt_n": 3, "truncated": False}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_we_write_we_read(shape: Shape) -> None:
    translator = StreamTranslator(FimDecoder(Target(model="m")), FimEncoder(context(shape)), Pump(Emulation()))
    encoder = FimEncoder(context(shape))
    data = b"".join(encoder.feed(event) for event in EVENTS)
    again = translator.feed(data) + translator.close()
    assert translator.done
    assert translator.answer().text == 'é"b'
    assert rows(again)[:2] == rows(data)[:2]
    events = FimDecoder(Target(model="m")).whole(encode_response(EVENTS, context(shape)))
    assert [e.text for e in events if isinstance(e, TextDelta)] == ['é"b']
    assert [e.reason for e in events if isinstance(e, Stop)] == ["length"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("length", range(len(EVENTS)))
def test_no_success_without_done_and_errors_are_told(shape: Shape, length: int) -> None:
    encoder = FimEncoder(context(shape))
    data = b"".join(encoder.feed(event) for event in EVENTS[:length])
    assert b"[DONE]" not in data and b'"length"' not in data and b'"stop":true' not in data
    assert b'"error"' in encoder.fail(UpstreamError("gone"))
    assert encoder.feed(Done()) == encoder.fail(UpstreamError("x")) == encoder.keep_alive() == b""
    with pytest.raises(WireError):
        encode_response(EVENTS[:length], context(shape))


def test_a_warm_up_is_answered_with_nothing() -> None:
    asked = context("infill", max_tokens=0)
    assert asked.request.warm_up
    assert json.loads(encode_response(warm_answer(asked), asked))["content"] == ""


def test_keep_alive_by_shape() -> None:
    assert FimEncoder(context("infill")).keep_alive() == b""
    assert FimEncoder(context("fim")).keep_alive().startswith(b":")
