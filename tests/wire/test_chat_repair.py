import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.testing import chat
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, Frames, ToolCall, Usage
from suffice.wire import sse
from suffice.wire.chat_relay import ChatRelay
from suffice.wire.chat_repair import ChatRepair, mended

ASKED = Call(method="POST", path="/v1/chat/completions", model="m", stream=True, body=b"{}", parsed={})
CALLS = (ToolCall(name="f", arguments='{"a": "bcd"}'), ToolCall(name="g", arguments="{}"))


def streamed(behaviour: Behaviour) -> list[bytes]:
    payloads = [chunk.payload for chunk in chat.stream(behaviour, ASKED, Identity("fake-0-000001", 5, "m"))]
    return [b"data: " + payload + b"\n\n" for payload in [*payloads, b"[DONE]"]]


def after(events: list[bytes]) -> list[dict[str, Any]]:
    repair = ChatRepair()
    out = b"".join(repair.events(event, 1) for event in events)
    return [json.loads(line[6:]) for line in out.split(b"\n\n") if line and line != b"data: [DONE]"]


def calls_of(chunks: list[dict[str, Any]]) -> dict[int, str]:
    """What a strict client makes of the calls: arguments by index."""
    found: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            for call in choice["delta"].get("tool_calls") or []:
                found[call["index"]] = found.get(call["index"], "") + (call["function"].get("arguments") or "")
    return found


@pytest.mark.parametrize("tools", ["deltas", "whole", "one_chunk"])
@pytest.mark.parametrize("repeats", [False, True])
def test_calls_without_index_are_numbered(tools: Any, repeats: bool):
    frames = Frames(no_index=True, tools=tools, repeat_ids=repeats)
    chunks = after(streamed(Behaviour(text="", tool_calls=CALLS, frames=frames)))
    assert calls_of(chunks) == {0: '{"a": "bcd"}', 1: "{}"}


def test_calls_without_index_and_without_id_begin_with_their_name():
    def delta(**function: str) -> bytes:
        row = {"choices": [{"index": 0, "delta": {"tool_calls": [{"function": function}]}, "finish_reason": None}]}
        return b"data: " + json.dumps(row).encode() + b"\n\n"

    events = [delta(name="f", arguments="{"), delta(arguments="}"), delta(name="g", arguments="[]")]
    assert calls_of(after(events)) == {0: "{}", 1: "[]"}


@pytest.mark.parametrize(
    ("said", "called", "told"),
    [
        ("banana", False, "stop"),
        ("banana", True, "tool_calls"),
        ("tool_use", True, "tool_calls"),
        ("model_length", False, "length"),
        ("sensitive", False, "content_filter"),
        ("end_turn", False, "stop"),
        ("function_call", False, "function_call"),
        # A provider's own failure stays one.
        ("error", False, "error"),
        ("network_error", True, "network_error"),
    ],
)
def test_finish_reasons_are_the_dialects_own(said: str, called: bool, told: str):
    behaviour = Behaviour(text="a", tool_calls=CALLS if called else (), finish_reason=said)
    finishes = [c["choices"][0]["finish_reason"] for c in after(streamed(behaviour)) if c["choices"]]
    assert [found for found in finishes if found] == [told]


def test_usage_comes_only_at_the_end():
    events = streamed(Behaviour(text="Hello you", usage=Usage(where="every")))
    chunks = after(events)
    assert len(chunks) == len(events) - 1
    finished = [bool(c["choices"]) and c["choices"][0]["finish_reason"] is not None for c in chunks]
    told = [bool(c.get("usage")) for c in chunks]
    assert told == finished and any(told)
    # The books still read what the provider said last.
    relay = ChatRelay()
    for event in events:
        relay.feed(event)
    found = relay.usage()
    assert found is not None and found.output_tokens == 3


def test_foreign_events_are_dropped_and_errors_are_not():
    repair = ChatRepair()
    foreign = b'event: telemetry\ndata: {"type":"provider.telemetry"}\n\n'
    failed = b'data: {"error":{"message":"no"}}\n\n'
    good = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
    assert repair.events(foreign, 1) == b""
    assert repair.events(failed, 1) == failed
    assert repair.events(good + foreign + b"data: [DONE]\n\n", 3) == good + b"data: [DONE]\n\n"


def test_usage_in_an_event_that_is_dropped_is_still_read():
    relay = ChatRelay()
    relay.feed(b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n')
    assert relay.feed(b'data: {"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}\n\n') == b""
    found = relay.usage()
    assert found is not None and (found.input_tokens, found.output_tokens) == (7, 3)


@given(
    text=st.text(max_size=60),
    calls=st.lists(
        st.builds(ToolCall, name=st.sampled_from("fgh"), arguments=st.text(min_size=1, max_size=30)), max_size=3
    ),
    tools=st.sampled_from(["deltas", "whole", "one_chunk"]),
    finish=st.sampled_from(["", "length", "content_filter"]),
)
def test_what_the_dialects_own_provider_sends_is_the_same_object(
    text: str, calls: list[ToolCall], tools: Any, finish: str
):
    repair = ChatRepair()
    said = Behaviour(text=text, tool_calls=tuple(calls), finish_reason=finish, frames=Frames(tools=tools))
    for event in streamed(said):
        assert repair.events(event, 1) is event


@pytest.mark.parametrize(("said", "told"), [("banana", "stop"), ("error", "error"), ("", "stop")])
def test_a_whole_answer_has_the_dialects_finish_reason(said: str, told: str):
    body = chat.body(Behaviour(text='a "finish_reason": "odd" b', finish_reason=said), ASKED, Identity("f", 5, "m"))
    out = mended(body)
    assert json.loads(out)["choices"][0]["finish_reason"] == told
    assert (out is body) == (said != "banana")
    assert mended(b'{"choices":[{"finish_reason":"odd"') == b'{"choices":[{"finish_reason":"odd"'


@pytest.mark.parametrize("tools", ["deltas", "whole", "one_chunk"])
@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("stop", [False, True])
def test_a_call_without_arguments_is_given_an_empty_object_and_its_finish(tools: Any, bare: bool, stop: bool):
    """Clients decode the arguments, and agents end their loop at `stop`."""
    calls = (
        ToolCall(name="now", arguments=""),
        ToolCall(name="f", arguments='{"a":1}'),
        ToolCall(name="end", arguments=""),
    )
    frames = Frames(tools=tools, no_index=bare, finish_stop=stop)
    chunks = after(streamed(Behaviour(text="", tool_calls=calls, frames=frames)))
    assert calls_of(chunks) == {0: "{}", 1: '{"a":1}', 2: "{}"}
    finishes = [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]]
    assert [found for found in finishes if found] == ["tool_calls"]


@pytest.mark.parametrize("calls", ["null", "[]"])
def test_no_calls_are_no_calls_however_they_are_written(calls: str):
    """Some servers write the field in every delta."""
    events = [
        b'data: {"choices":[{"index":0,"delta":{"content":"a","tool_calls":%b},"finish_reason":null}]}\n\n'
        % calls.encode()
    ]
    events += [
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":%b},"finish_reason":"%b"}]}\n\n' % (calls.encode(), word)
        for word in (b"stop", b"eos")
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in after(events)] == [None, "stop", "stop"]


def test_a_cut_call_and_one_in_free_form_stay_as_they_are():
    cut = streamed(Behaviour(text="", tool_calls=(ToolCall(name="f", arguments=""),), finish_reason="length"))
    free = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": ""}}
    rows = [{"delta": {"tool_calls": [free]}, "finish_reason": None}, {"delta": {}, "finish_reason": "tool_calls"}]
    made = [b"data: " + json.dumps({"choices": [{"index": 0, **row}]}).encode() + b"\n\n" for row in rows]
    for events in (cut, made):
        repair = ChatRepair()
        assert all(repair.events(event, 1) == event for event in events)


def test_whole_answers_are_mended_in_the_same_way():
    call = {"id": "c", "type": "function", "function": {"name": "now", "arguments": ""}}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None, "tool_calls": [call]},
        "finish_reason": "stop",
    }
    (told,) = json.loads(mended(json.dumps({"choices": [choice]}).encode()))["choices"]
    assert told["finish_reason"] == "tool_calls" and told["message"]["tool_calls"][0]["function"]["arguments"] == "{}"
    cut = json.dumps({"choices": [choice | {"finish_reason": "length"}]}).encode()
    assert mended(cut) == cut
    said = json.dumps(
        {"choices": [{"index": 0, "message": {"content": "a", "tool_calls": []}, "finish_reason": "stop"}]}
    ).encode()
    assert mended(said) is said


def test_arguments_that_stand_behind_another_object_are_seen_or_nothing_is_added() -> None:
    state = {"google": {"thought_signature": "s"}}
    call = {"index": 0, "id": "a", "extra_content": state, "function": {"name": "f", "arguments": '{"x":1}'}}
    begun = {"index": 1, "id": "b", "function": {"name": "g"}}
    stream = b"".join(
        b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode() + b"\n\n"
        for delta, finish in (({"tool_calls": [call]}, None), ({"tool_calls": [begun]}, None), ({}, "tool_calls"))
    )
    repair = ChatRepair()
    assert b"".join(repair.events(piece, 1) for piece in sse.pieces(stream)) == stream
