from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import WireError
from suffice.wire.codec import Target
from suffice.wire.fim_answer import ChatMiddle, FenceFilter, FimDecoder
from suffice.wire.neutral import Done, Event, Failure, ReasoningDelta, Stop, TextDelta, UsageReport
from suffice.wire.openai_chat import CODEC as CHAT

TARGET = Target(model="m")
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
TEXT = [
    {
        "id": "1",
        "object": "text_completion",
        "choices": [{"index": 0, "text": "é", "finish_reason": None}],
        "usage": None,
    },
    {"id": "1", "choices": [{"index": 0, "text": "b", "finish_reason": "length"}]},
    {"id": "1", "choices": [], "usage": USAGE},
]
CHAT_FORM = [
    {"id": "1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "é"}}]},
    {"id": "1", "choices": [{"index": 0, "delta": {"content": "b"}, "finish_reason": "length"}], "usage": USAGE},
]
LLAMA = [
    {"index": 0, "content": "é", "stop": False},
    {"index": 0, "content": "b", "stop": False},
    {
        "content": "",
        "stop": True,
        "stop_type": "limit",
        "tokens_predicted": 2,
        "tokens_evaluated": 5,
        "timings": {"prompt_n": 3},
    },
]


def stream(rows: list[dict[str, Any]], end: bytes = b"data: [DONE]\n\n") -> bytes:
    return b"".join(b"data: " + json.dumps(row).encode() + b"\n\n" for row in rows) + end


def read(data: bytes, size: int = 0) -> list[Event]:
    decoder = FimDecoder(TARGET)
    step = size or len(data) or 1
    return [e for at in range(0, len(data), step) for e in decoder.feed(data[at : at + step])] + decoder.close()


@pytest.mark.parametrize("data", [stream(TEXT), stream(CHAT_FORM), stream(LLAMA, b""), stream(TEXT, b"")])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_every_form_reads_alike(data: bytes, size: int) -> None:
    events = read(data, size)
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "éb"
    assert [e.reason for e in events if isinstance(e, Stop)] == ["length"]
    assert events[-1] == Done()
    report = next(e for e in events if isinstance(e, UsageReport))
    assert (report.usage.prompt_tokens, report.usage.completion_tokens) == (5, 2)


def test_llamas_cache_is_counted() -> None:
    report = next(e for e in read(stream(LLAMA, b"")) if isinstance(e, UsageReport))
    assert (report.usage.input_tokens, report.usage.cache_read_tokens) == (3, 2)


@pytest.mark.parametrize("rows", [TEXT, CHAT_FORM, LLAMA])
def test_a_cut_stream_is_no_success(rows: list[dict[str, Any]]) -> None:
    data = stream(rows)
    reason = data.index(b'"length"' if rows is not LLAMA else b'"stop": true')
    for at in range(reason):
        with contextlib.suppress(WireError):
            assert not any(isinstance(e, Done) for e in read(data[:at]))


def test_errors() -> None:
    assert isinstance(read(stream([{"error": {"message": "busy", "code": 503}}]))[-1], Failure)
    for bad in (b"data: {}\n\n", b"data: x\n\n", b'data: {"choices":[1]}\n\n', b'data: {"choices":[{"text":1}]}\n\n'):
        with pytest.raises(WireError):
            read(bad)


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"text": "x", "finish_reason": "stop"}], "usage": USAGE},
        {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]},
        {"content": "x", "stop": True, "stop_type": "eos"},
    ],
)
def test_whole_answers(body: dict[str, Any]) -> None:
    events = FimDecoder(TARGET).whole(json.dumps(body).encode())
    assert TextDelta(text="x") in events
    assert events[-2:] == [Stop(reason="end", native=events[-2].native), Done()]  # type: ignore[union-attr]
    with pytest.raises(WireError):
        FimDecoder(TARGET).whole(b'{"choices":[{"text":"x"}]}')


@given(st.binary(max_size=60))
def test_noise_is_no_success(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert not any(isinstance(e, Done) for e in read(b"data: " + data + b"\n\n"))


@pytest.mark.parametrize(
    ("said", "middle"),
    [
        ("return a + b", "return a + b"),
        ("```python\nreturn a\n  + b\n```", "return a\n  + b"),
        ("```\nx\n```\n", "x"),
        ("\n\n  x", "\n\n  x"),
        ("a ``` b", "a ``` b"),
        ("```py\nx = '''\n```` \n y", "x = '''\n```` \n y"),
        ("``", "``"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_fence_comes_off_however_it_is_cut(said: str, middle: str, size: int) -> None:
    fence = FenceFilter()
    events: list[Event] = [TextDelta(text=said[at : at + size]) for at in range(0, len(said), size)]
    out = [o for event in [*events, Stop(reason="end")] for o in fence.feed(event)]
    assert "".join(o.text for o in out if isinstance(o, TextDelta)) == middle


def test_a_chat_model_fills_in() -> None:
    rows = [
        {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]},
        {"choices": [{"index": 0, "delta": {"content": "```py\nx"}}]},
        {"choices": [{"index": 0, "delta": {"content": "\n```"}, "finish_reason": "stop"}]},
    ]
    decoder = ChatMiddle(CHAT.stream_decoder(TARGET))
    events = decoder.feed(stream(rows)) + decoder.close()
    assert not any(isinstance(e, ReasoningDelta) for e in events)
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "x"
    assert events[-1] == Done()
