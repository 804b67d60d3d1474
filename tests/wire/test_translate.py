import json

import pytest

from suffice.errors import UpstreamError, WireError
from suffice.wire import anthropic_messages, openai_chat, translate
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
    ToolDelta,
    ToolEnd,
    ToolReady,
    ToolStart,
)
from suffice.wire.reasoning import ReasoningMemory
from suffice.wire.translate import INVALID_TOOL_CALL, Pump

CHAT, MESSAGES = openai_chat.CODEC, anthropic_messages.CODEC


def call(arguments, name="f", call_id="1", index=0, kind="function"):
    return [
        ToolStart(index=index, id=call_id, name=name, kind=kind),
        ToolDelta(index=index, text=arguments),
        ToolEnd(index=index),
    ]


def ready(events):
    return [e.call for e in events if isinstance(e, ToolReady)]


def test_nothing_of_a_call_leaves_before_the_answer_is_whole():
    pump = Pump(Emulation())
    out = pump.push(
        [Start(id="i"), TextDelta(text="a"), *call("{}"), TextDelta(text="b"), *call("{}", call_id="2", index=1)]
    )
    assert out == [Start(id="i"), TextDelta(text="a")]
    out = pump.push([Stop(reason="end"), Done(), TextDelta(text="late")])
    assert [type(e) for e in out] == [ToolReady, TextDelta, ToolReady, Stop, Done]
    assert out[-2].reason == "tool_calls" and pump.finish_reason == "tool_calls"
    assert pump.answer().text == "ab" and pump.answer().tool_calls == (("1", "f", "{}"), ("2", "f", "{}"))


@pytest.mark.parametrize("arguments", ["", "  ", "{}"])
def test_empty_arguments_are_an_object(arguments):
    assert json.loads(ready(Pump(Emulation()).push([*call(arguments), Done()]))[0].arguments) == {}


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", "x", '{"a":1}{'])
def test_a_finished_answer_with_an_invalid_call_fails(arguments):
    pump = Pump(Emulation())
    assert pump.push([*call("{}"), *call(arguments, index=1), Stop(reason="tool_calls"), Done()]) == []
    assert pump.failure and pump.failure.code == INVALID_TOOL_CALL and not pump.done
    assert [c.arguments for c in pump.invalid] == [arguments]


def test_the_output_limit_may_cut_a_call():
    pump = Pump(Emulation())
    out = pump.push([*call('{"a":'), Stop(reason="length", native="length"), Done()])
    assert out == [Stop(reason="length", native="length"), Done()] and pump.invalid and pump.done


def test_a_stop_for_tools_without_tools_is_an_end():
    out = Pump(Emulation()).push([Stop(reason="tool_calls"), Done()])
    assert out[0].reason == "end"


def test_ids_are_made_where_a_provider_gave_none():
    out = Pump(Emulation(), "r").push(
        [Start(id="resp-9"), *call("{}", call_id=""), *call("{}", call_id="", index=1), Done()]
    )
    ids = [c.id for c in ready(out)]
    assert len(set(ids)) == 2 and all(i.startswith("call_resp9_") for i in ids)


def test_disguises_are_taken_off():
    emulation = Emulation(
        custom=frozenset({"p", "ns__q"}), names={"ns__q": ("ns", "q")}, output_tool="structured_output"
    )
    out = Pump(emulation).push(
        [*call('{"input":"*** x"}', name="p"), *call("raw", name="ns__q", call_id="2", index=1), Done()]
    )
    assert ready(out) == [
        ToolCall(id="1", name="p", arguments="*** x", kind="custom"),
        ToolCall(id="2", name="q", namespace="ns", arguments="raw", kind="custom"),
    ]
    out = Pump(emulation).push([*call('{"a":1}', name="structured_output"), Stop(reason="tool_calls"), Done()])
    assert out == [TextDelta(text='{"a":1}'), Stop(reason="end"), Done()]


def test_reasoning_can_be_learned_for_the_next_turn():
    pump = Pump(Emulation())
    pump.push([ReasoningDelta(text="hm", issuer="p"), ReasoningEnd(signature="S", issuer="p"), *call("{}"), Done()])
    memory = ReasoningMemory()
    memory.learn(pump.reasoning_events())
    kept = memory.recall("1")
    assert kept and kept.reasoning[0].signature == "S"


def context(dialect):
    return ClientContext(request=Request(dialect=dialect, model="m", stream=True), response_id="r", created_s=1)


@pytest.mark.parametrize("client", [CHAT, MESSAGES])
def test_an_error_of_the_provider_is_told_by_the_caller(client):
    reader = translate.stream(CHAT, client, Target(model="m"), context(client.dialect), Emulation())
    assert reader.feed(b'data: {"error":{"message":"no","code":500}}\n\n') == b""
    assert reader.failure == {"message": "no", "code": 500} and not reader.done
    assert b"error" in reader.fail(UpstreamError("gone")) and reader.close() == b""
    assert reader.keep_alive() == b""


def test_a_whole_answer_in_another_dialect():
    message = {
        "role": "assistant",
        "content": "hi",
        "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": ""}}],
    }
    body = {"id": "i", "model": "up", "choices": [{"message": message, "finish_reason": "stop"}]}
    body |= {"usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    out, failure, pump = translate.whole(
        CHAT, MESSAGES, json.dumps(body).encode(), Target(model="m"), context("messages"), Emulation()
    )
    decoded = json.loads(out)
    call = {"type": "tool_use", "id": "1", "name": "f", "input": {}, "caller": {"type": "direct"}}
    assert decoded["content"][1] == call
    assert decoded["stop_reason"] == "tool_use" and failure is None and pump.usage().prompt_tokens == 3
    out, failure, _ = translate.whole(
        CHAT, MESSAGES, b'{"error":"x"}', Target(model="m"), context("messages"), Emulation()
    )
    assert out == b"" and failure == {"message": "x"}
    with pytest.raises(WireError):
        translate.whole(CHAT, MESSAGES, b"<html>", Target(model="m"), context("messages"), Emulation())


def test_a_failure_without_a_value_still_says_something():
    pump = Pump(Emulation())
    pump.push([Failure(message="x", code="y")])
    reader = translate.StreamTranslator(
        CHAT.stream_decoder(Target(model="m")), CHAT.stream_encoder(context("chat")), pump
    )
    assert reader.failure == {"message": "x", "code": "y"} and reader.answer().empty and reader.usage() is None


def test_a_call_that_was_said_twice_is_done_once():
    calls = ready(Pump(Emulation()).push([*call('{"a":1}'), *call('{"a":1}', index=1), Done()]))
    assert [(c.id, c.arguments) for c in calls] == [("1", '{"a":1}')]


def test_different_calls_under_one_id_get_ids_of_their_own():
    events = [*call('{"a":1}'), *call('{"a":2}', index=1), *call("{}", call_id="1_2", index=2), *call("{}", index=3)]
    calls = ready(Pump(Emulation()).push([*events, Done()]))
    assert [c.id for c in calls] == ["1", "1_1", "1_2", "1_3"]
    assert [json.loads(c.arguments) for c in calls] == [{"a": 1}, {"a": 2}, {}, {}]
