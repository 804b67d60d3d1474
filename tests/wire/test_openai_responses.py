import json
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.errors import UpstreamError, WireError
from suffice.values.usage import Usage
from suffice.wire.codec import ClientContext, Emulation, Target
from suffice.wire.neutral import (
    Done,
    Failure,
    ReasoningDelta,
    ReasoningEnd,
    Request,
    Start,
    Stop,
    TextDelta,
    ToolCall,
    ToolReady,
    UsageReport,
)
from suffice.wire.openai_responses import ResponsesClient, ResponsesProvider
from suffice.wire.sealed import HmacSealer
from suffice.wire.translate import Pump, stream

SEALER = HmacSealer(b"0123456789abcdef")
CLIENT = ResponsesClient(SEALER, now_s=lambda: 1700000009.5)
PROVIDER = ResponsesProvider()
TARGET = Target(model="m-1", issuer="openai", custom_tools=True)
FIELDS = [
    "id",
    "object",
    "created_at",
    "completed_at",
    "status",
    "incomplete_details",
    "model",
    "previous_response_id",
    "instructions",
    "output",
    "error",
    "tools",
    "tool_choice",
    "truncation",
    "parallel_tool_calls",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "store",
    "background",
    "service_tier",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
]


def context(**more: object) -> ClientContext:
    request = CLIENT.decode_request(json.dumps({"model": "m", "input": "hi", **more}).encode())
    return ClientContext(request=request, response_id="resp_1", created_s=1700000000)


def frames(data: bytes) -> list[dict[str, object]]:
    out = []
    for block in data.split(b"\n\n"):
        if block:
            name, _, rest = block.partition(b"\n")
            event = json.loads(rest.removeprefix(b"data: "))
            assert name == b"event: " + event["type"].encode()
            out.append(event)
    return out


def test_a_streamed_answer_comes_back_event_by_event_when_it_is_read_again() -> None:
    encoder = CLIENT.stream_encoder(context(include=["reasoning.encrypted_content"], reasoning={"summary": "auto"}))
    call = ToolCall(id="call_1", name="run", arguments='{"a":1}')
    patch = ToolCall(id="call_2", name="apply_patch", arguments='*** Begin\n"q"\n', kind="custom")
    events = [
        Start(id="x", model="m-up"),
        ReasoningDelta(text="thinking", issuer="openai", summary=True),
        ReasoningEnd(encrypted="ENC", issuer="openai", item_id="rs_up"),
        TextDelta(text="Hel"),
        TextDelta(text="lo"),
        ToolReady(index=0, call=call),
        ToolReady(index=1, call=patch),
        UsageReport(usage=Usage(input_tokens=5, cache_read_tokens=3, output_tokens=7, reasoning_tokens=2)),
        Stop(reason="tool_calls"),
        Done(),
    ]
    wire = b"".join(encoder.feed(event) for event in events)
    told = frames(wire)
    assert [e["sequence_number"] for e in told] == list(range(len(told)))
    assert [e["type"] for e in told] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
        "response.completed",
    ]
    final = told[-1]["response"]
    assert set(FIELDS) <= set(final)
    assert final["model"] == "m-up"
    assert final["completed_at"] == 1700000009
    assert final["usage"] == {
        "input_tokens": 8,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 17,
    }
    assert "phase" not in json.dumps(final)
    assert final["output"] == [e["item"] for e in told if e["type"] == "response.output_item.done"]
    _reads_back(wire, [call.arguments, patch.arguments])


def _reads_back(wire: bytes, arguments: list[str]) -> None:
    pump = Pump(Emulation())
    again = pump.push(PROVIDER.stream_decoder(TARGET).feed(wire))
    assert [c.arguments for c in pump.calls] == arguments
    assert pump.usage() == Usage(input_tokens=5, cache_read_tokens=3, output_tokens=7, reasoning_tokens=2)
    assert pump.answer().text == "Hello"
    assert again[-1] == Done()


def test_the_whole_answer_is_the_final_object_of_the_stream() -> None:
    events = [Start(model="up"), TextDelta(text="a"), Stop(reason="length"), Done()]
    whole = json.loads(CLIENT.encode_response(events, context()))
    encoder = CLIENT.stream_encoder(context())
    streamed = frames(b"".join(encoder.feed(e) for e in events))[-1]
    assert streamed["type"] == "response.incomplete"
    assert streamed["response"] == whole
    assert whole["incomplete_details"] == {"reason": "max_output_tokens"}
    assert whole["output"][0]["status"] == "incomplete"
    assert whole["completed_at"] is None


@pytest.mark.parametrize(
    "events", [[Start(), TextDelta(text="a")], [Start(), Stop(reason="end")], [Failure(message="x")]]
)
def test_an_answer_without_its_end_is_no_answer(events: list[object]) -> None:
    with pytest.raises(WireError):
        CLIENT.encode_response(events, context())


def test_a_broken_stream_ends_as_failed_and_nothing_follows() -> None:
    encoder = CLIENT.stream_encoder(context())
    wire = encoder.feed(Start()) + encoder.feed(TextDelta(text="ab"))
    wire += encoder.fail(UpstreamError("the provider went away", code="upstream_truncated"))
    wire += encoder.feed(Done()) + encoder.keep_alive() + encoder.fail(UpstreamError("again"))
    told = frames(wire)
    assert [e["type"] for e in told[-2:]] == ["error", "response.failed"]
    assert told[-1]["response"]["error"] == {"code": "upstream_truncated", "message": "the provider went away"}
    assert told[-2]["error"]["code"] == told[-2]["code"] == "upstream_truncated"
    assert [e["sequence_number"] for e in told] == list(range(len(told)))


def test_settings_are_told_back() -> None:
    tools = [
        {"type": "function", "name": "f", "description": None, "parameters": {"type": "object"}, "strict": True},
        {"type": "web_search", "external_web_access": True},
    ]
    asked = {
        "instructions": "Be brief.",
        "tools": tools,
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "store": False,
        "metadata": {"a": "b"},
        "reasoning": {"effort": "high", "summary": "auto"},
        "max_tool_calls": 3,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "truncation": "auto",
    }
    told = json.loads(CLIENT.encode_response([Start(), Stop(reason="end"), Done()], context(**asked)))
    assert {key: told[key] for key in asked} == asked
    assert told["previous_response_id"] is None


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from("tTrf"), max_size=6),
    st.lists(TEXTS, min_size=8, max_size=8),
    st.integers(1, 40),
)
def test_a_stream_translated_to_itself_keeps_its_meaning_at_every_split(
    kinds: list[str], texts: list[str], n: int
) -> None:
    encoder = CLIENT.stream_encoder(context())
    events: list[object] = [Start(model="up")]
    calls = []
    for at, kind in enumerate(kinds):
        text = texts[at] or "x"
        if kind == "t":
            events.append(TextDelta(text=text))
        elif kind == "r":
            events += [
                ReasoningDelta(text=text, issuer="openai", summary=True),
                ReasoningEnd(encrypted=text, issuer="openai"),
            ]
        else:
            arguments = text if kind == "T" else json.dumps({"a": text})
            calls.append(
                ToolCall(id=f"c{at}", name="n", arguments=arguments, kind="custom" if kind == "T" else "function")
            )
            events.append(ToolReady(index=len(calls) - 1, call=calls[-1]))
    events += [Stop(reason="tool_calls" if calls else "end"), Done()]
    wire = b"".join(encoder.feed(e) for e in events)
    translator = stream(PROVIDER, CLIENT, TARGET, context(), Emulation())
    out = b"".join(translator.feed(wire[i : i + n]) for i in range(0, len(wire), n)) + translator.close()
    assert translator.finished
    assert translator.pump.calls == calls
    first, second = frames(wire)[-1]["response"], frames(out)[-1]["response"]
    assert [i["type"] for i in first["output"] if "call" in i["type"]] == [
        i["type"] for i in second["output"] if "call" in i["type"]
    ]
    assert _said(first) == _said(second) == "".join(e.text for e in events if isinstance(e, TextDelta))


def _said(response: dict[str, object]) -> str:
    return "".join(p["text"] for i in response["output"] if i["type"] == "message" for p in i["content"])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_truncated_stream_never_succeeds_and_shows_no_call(data: st.DataObject) -> None:
    encoder = CLIENT.stream_encoder(context())
    call = ToolCall(id="c", name="n", arguments='{"a":1}')
    events = [Start(), TextDelta(text="abc"), ToolReady(index=0, call=call), Stop(reason="tool_calls"), Done()]
    wire = b"".join(encoder.feed(e) for e in events)
    last = wire.rindex(b"event: response.completed")
    cut = data.draw(st.integers(0, last + 60))
    translator = stream(PROVIDER, CLIENT, TARGET, context(), Emulation())
    out = b""
    try:
        out += translator.feed(wire[:cut])
        out += translator.close()
    except WireError:
        pass
    assert not translator.finished
    assert b"response.completed" not in out
    assert b"function_call" not in out


def captures() -> list[Path]:
    folder = Path(os.environ.get("SUFFICE_SHARED") or Path(__file__).parents[2].parent / "shared") / "captures"
    return sorted(folder.glob("*.json"))


@pytest.mark.skipif(not captures(), reason="captures of real clients are not here")
def test_captured_requests_of_real_clients_are_read_and_keep_their_meaning() -> None:
    seen = 0
    for path in captures():
        for sent in json.loads(path.read_text()).get("requests", ()):
            if not str(sent.get("path", "")).endswith("/responses") or not isinstance(sent.get("body"), dict):
                continue
            body = sent["body"] | {"tools": [t for t in sent["body"].get("tools", ()) if "…" not in t]}
            first = CLIENT.decode_request(msgspec.json.encode(body))
            upstream = PROVIDER.encode_request(first, TARGET)
            again = CLIENT.decode_request(upstream.body)
            assert _core(again) == _core(first), path.name
            assert not upstream.losses, path.name
            seen += 1
    assert seen > 5


def _core(request: Request) -> tuple[object, ...]:
    return (request.system, request.messages, request.tools, request.tool_choice, request.output, request.reasoning)
