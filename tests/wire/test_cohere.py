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
from suffice.wire.codec import Emulation, Target
from suffice.wire.cohere import CODEC, CohereDecoder, encode_request
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    Message,
    OutputFormat,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningRequest,
    Request,
    Sampling,
    Start,
    Stop,
    Text,
    TextDelta,
    Tool,
    ToolChoice,
    ToolDelta,
    ToolEnd,
    ToolStart,
    UsageReport,
    loss_header,
)
from suffice.wire.translate import Pump

SHARED = Path(os.environ.get("SUFFICE_SHARED", Path(__file__).parents[2].parent / "shared"))
TARGET = Target(model="command-a", issuer="cohere")
USAGE = {"billed_units": {"input_tokens": 8, "output_tokens": 5}, "tokens": {"input_tokens": 99, "output_tokens": 6}}


def _message(**message: Any) -> dict[str, Any]:
    return {"message": message}


def _begin(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return _message(tool_calls={"id": call_id, "function": {"name": name, "arguments": arguments}})


def _call(**function: Any) -> dict[str, Any]:
    return _message(tool_calls={"function": function})


ROWS: list[dict[str, Any]] = [
    {"type": "message-start", "id": "m1", "delta": _message(role="assistant", content=[])},
    {"type": "tool-plan-delta", "delta": _message(tool_plan="I will look")},
    {"type": "content-start", "index": 0, "delta": _message(content={"type": "text", "text": ""})},
    {"type": "content-delta", "index": 0, "delta": _message(content={"text": "é"})},
    {"type": "content-end", "index": 0},
    {
        "type": "tool-call-start",
        "index": 0,
        "delta": _message(tool_calls={"id": "c1", "function": {"name": "a", "arguments": ""}}),
    },
    {"type": "tool-call-delta", "index": 0, "delta": _call(arguments='{"x"')},
    {"type": "tool-call-delta", "index": 0, "delta": _call(arguments=":1}")},
    {"type": "tool-call-end", "index": 0},
    {
        "type": "tool-call-start",
        "index": 1,
        "delta": _message(tool_calls={"id": "c2", "function": {"name": "b", "arguments": "null"}}),
    },
    {"type": "tool-call-end", "index": 1},
    {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": USAGE}},
]


def stream(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(f"event: {row['type']}\ndata: {json.dumps(row)}\n\n".encode() for row in rows)


def read(data: bytes) -> list[Event]:
    decoder = CohereDecoder(TARGET)
    return decoder.feed(data) + decoder.close()


def test_a_stream_becomes_events() -> None:
    events = read(stream(ROWS))
    report = events.pop(-3)
    assert isinstance(report, UsageReport)
    assert (report.usage.prompt_tokens, report.usage.output_tokens) == (8, 5)
    assert events == [
        Start(id="m1", model="command-a"),
        ReasoningDelta(text="I will look", issuer="cohere"),
        ReasoningEnd(issuer="cohere"),
        TextDelta(text="é"),
        ToolStart(index=0, id="c1", name="a"),
        ToolDelta(index=0, text='{"x":1}'),
        ToolEnd(index=0),
        ToolStart(index=1, id="c2", name="b"),
        ToolEnd(index=1),
        Stop(reason="tool_calls", native="TOOL_CALL"),
        Done(),
    ]


def test_every_split_reads_alike_and_no_cut_is_a_success() -> None:
    data = stream(ROWS)
    expected = read(data)
    for at in range(len(data) - 2):
        decoder = CohereDecoder(TARGET)
        assert decoder.feed(data[:at]) + decoder.feed(data[at:]) + decoder.close() == expected
        with contextlib.suppress(WireError):
            assert not any(isinstance(e, Done) for e in read(data[:at]))


def test_failures_and_limits() -> None:
    assert isinstance(read(stream([{"type": "message-end", "delta": {"finish_reason": "ERROR"}}]))[-1], Failure)
    cut = [*ROWS[:7], {"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS"}}]
    events = read(stream(cut))
    assert not any(isinstance(e, ToolEnd) for e in events)
    with pytest.raises(WireError):
        read(stream([ROWS[6]]))
    for bad in (b"x", b"[]", b"{}", b'{"message":{}}'):
        with pytest.raises(WireError):
            CODEC.decode_response(bad, TARGET)


@given(st.binary(max_size=60))
def test_noise_is_no_success(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert not any(isinstance(e, Done) for e in read(b"data: " + data + b"\n\n"))


def test_a_request_in_coheres_words() -> None:
    request = Request(
        dialect="messages",
        messages=(Message(role="user", parts=(Text(text="hi"),)),),
        tools=(Tool(name="a", schema={"type": "object"}), Tool(name="b")),
        tool_choice=ToolChoice(mode="tool", name="a"),
        sampling=Sampling(temperature=0.5, top_p=0.9, top_k=7, stop=("x",), seed=1),
        reasoning=ReasoningRequest(budget_tokens=500),
        output=OutputFormat(kind="schema", schema={"type": "object"}),
        parallel_tools=False,
        max_output_tokens=9,
        stream=True,
        user="u",
    )
    encoded = encode_request(request, TARGET)
    assert json.loads(encoded.body) == {
        "model": "command-a",
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}}],
        "tool_choice": "REQUIRED",
        "max_tokens": 9,
        "temperature": 0.5,
        "p": 0.9,
        "k": 7,
        "stop_sequences": ["x"],
        "seed": 1,
        "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
        "thinking": {"type": "enabled", "token_budget": 500},
        "stream": True,
    }
    assert loss_header(encoded.losses) == "emulated=tool_choice, dropped=user, dropped=parallel_tool_calls"


@pytest.mark.skipif(not (SHARED / "fixtures").is_dir(), reason="recordings are not here")
def test_recorded_answers_end_well() -> None:
    seen = 0
    with tarfile.open(SHARED / "fixtures" / "recorded_provider_streams.tar.gz") as tar:
        for member in tar:
            if "/cohere/src/__fixtures__/" not in member.name or not member.isfile():
                continue
            data = tar.extractfile(member).read()  # type: ignore[union-attr]
            pump = Pump(Emulation())
            if member.name.endswith(".chunks.txt"):
                pump.push(read(stream([json.loads(line) for line in data.splitlines() if line.strip()])))
            else:
                pump.push(CODEC.decode_response(data, TARGET))
            assert pump.done, member.name
            assert pump.usage() is not None
            seen += 1
    assert seen >= 10
