"""Damaged streams through every pair of dialects: none crashes, none succeeds falsely, none shows a part of a tool call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.e2e.clients import Chat, Messages, Told
from tests.e2e.clients_more import Gemini, Responses
from tests.gateway.running import Answer
from tests.wire import mangling

from suffice.errors import UpstreamError, WireError
from suffice.testing import dialects
from suffice.testing.script import Call
from suffice.wire import (
    anthropic_messages,
    bedrock_converse,
    cloud_messages,
    cohere,
    gemini,
    openai_chat,
    translate,
)
from suffice.wire.chat_relay import ChatRelay
from suffice.wire.codec import ClientContext, Emulation, Target
from suffice.wire.gemini_relay import GeminiRelay
from suffice.wire.messages_relay import MessagesRelay
from suffice.wire.neutral import Done, Failure, ReasoningRequest, Request
from suffice.wire.openai_responses import OpenAIResponses
from suffice.wire.responses_relay import ResponsesRelay
from suffice.wire.sealed import HmacSealer

SEALER = HmacSealer(b"0123456789abcdef")
CODECS: dict[str, Any] = {
    "chat": openai_chat.CODEC,
    "messages": anthropic_messages.CODEC,
    "responses": OpenAIResponses(SEALER),
    "gemini": gemini.CODEC,
}
RELAYS: dict[str, Any] = {
    "chat": ChatRelay,
    "messages": MessagesRelay,
    "responses": ResponsesRelay,
    "gemini": GeminiRelay,
}
CLIENTS: dict[str, Any] = {client.name: client for client in (Chat(), Messages(), Responses(), Gemini())}
# Dialects that only providers speak.
MORE: dict[str, Any] = {
    "converse": bedrock_converse.CODEC,
    "bedrock-messages": cloud_messages.BEDROCK,
    "cohere": cohere.CODEC,
}
PAIRS = [(a, b) for a in (*CODECS, *MORE) for b in CODECS]
CALM = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
# What a stream says only when it ended well, by the client's dialect.
SUCCESS = {
    "chat": (b"[DONE]", b'"finish_reason":"'),
    "messages": (b"message_stop", b'"stop_reason":"'),
    "responses": (b"event: response.completed", b"event: response.incomplete"),
    "gemini": (b"finishReason",),
}


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; a damaged stream may hold anything in its place."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


# The same as an event of a provider.
ENDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "chat": lambda row: any(choice.get("finish_reason") for choice in _objects(row.get("choices"))),
    "messages": lambda row: row.get("type") == "message_stop",
    "responses": lambda row: row.get("type") in ("response.completed", "response.incomplete"),
    "gemini": lambda row: any(one.get("finishReason") for one in _objects(row.get("candidates"))),
}
CALL = {"chat": b'"tool_calls":[', "messages": b'"tool_use"', "responses": b'_call"', "gemini": b"functionCall"}


def reader(a: str, b: str) -> translate.StreamTranslator:
    """A translator from the provider dialect `a` to the client dialect `b`."""
    thinking = ReasoningRequest(effort="low", summary="auto")
    request = Request(dialect=b, model="m", stream=True, include_usage=True, reasoning=thinking)
    context = ClientContext(request=request, response_id="r", created_s=7)
    return translate.stream((CODECS | MORE)[a], CODECS[b], Target(model="m", issuer="p"), context, Emulation())


def run(one: Any, pieces: list[bytes]) -> tuple[bytes, bool]:
    """Feed a reader; returns what it gave to the client and whether it refused the stream."""
    out = b""
    try:
        for piece in pieces:
            out += one.feed(piece)
        return out + one.close(), False
    except WireError:
        return out, True


def understood(b: str, out: bytes) -> Told:
    """What a client of dialect `b`, which is not our code's, makes of a stream."""
    headers = httpx.Headers({"content-type": "text/event-stream"})
    told: Told = CLIENTS[b].told(Answer(200, headers, out))
    return told


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(data=st.data(), step=st.integers(1, 90))
@CALM
def test_a_damaged_stream_ends_well_only_when_the_provider_said_so(a: str, b: str, data: st.DataObject, step: int):
    stream = data.draw(mangling.damaged(a))
    one = reader(a, b)
    out, refused = run(one, mangling.split(stream.data, step))
    mangling.decoded(out)
    usage = one.usage()
    if usage is not None:
        assert min(usage.prompt_tokens, usage.completion_tokens, usage.cache_read_tokens) >= 0
        assert usage.reasoning_tokens <= usage.completion_tokens
    if not one.done or refused:
        assert not any(mark in out for mark in (*SUCCESS[b], CALL[b]))
        ended = out + one.fail(UpstreamError("the stream broke"))
        mangling.decoded(ended)
        assert not any(mark in ended for mark in SUCCESS[b])
        return
    told = understood(b, out)
    assert told.ended and told.stop and not told.error
    assert all(name and isinstance(given, dict) for name, given in told.calls)
    assert len(set(told.ids)) == len(told.ids)


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(behaviour=mangling.behaviours, step=st.integers(1, 90))
@CALM
def test_odd_but_whole_streams_lose_nothing(a: str, b: str, behaviour: Any, step: int):
    stream = b"".join(mangling.framed(a, mangling.payloads(a, behaviour), b"\r\n"))
    one = reader(a, b)
    out, refused = run(one, mangling.split(stream, step))
    assert one.done and not refused
    told = understood(b, out)
    assert told.text == behaviour.text
    cut = behaviour.finish_reason == "length"
    assert [name for name, _ in told.calls] == [call.name for call in behaviour.tool_calls]
    assert told.stop == CLIENTS[b].stops["length" if cut else "tools" if behaviour.tool_calls else "end"]


@pytest.mark.parametrize("dialect", list(RELAYS))
@given(data=st.data(), step=st.integers(1, 90))
@CALM
def test_a_damaged_stream_that_is_passed_on_is_not_called_finished(dialect: str, data: st.DataObject, step: int):
    stream = data.draw(mangling.damaged(dialect))
    one = RELAYS[dialect]()
    out, refused = run(one, mangling.split(stream.data, step))
    if refused or not one.finished:
        return
    rows = [row for row in mangling.decoded(out) if isinstance(row, dict)]
    assert b"[DONE]" in out or any(ENDS[dialect](row) for row in rows)


@pytest.mark.parametrize("dialect", mangling.BINARY)
@given(data=st.data())
@CALM
def test_a_byte_that_fell_over_is_never_believed(dialect: str, data: st.DataObject):
    """One wrong byte of a checksummed stream: whatever stood behind it, no success and no call of it is shown."""
    rows = mangling.payloads(dialect, data.draw(mangling.behaviours))
    stream = bytearray(b"".join(rows))
    at = data.draw(st.integers(0, len(stream) - 1))
    stream[at] ^= data.draw(st.integers(1, 255))
    one = reader(dialect, "chat")
    out, refused = run(one, mangling.split(bytes(stream), data.draw(st.integers(1, 90))))
    ended = at >= len(stream) - len(rows[-1]) and dialect == "converse"  # behind the stop only the usage comes
    assert refused or not one.done or ended
    if refused and not one.done:
        assert not any(mark in out for mark in (*SUCCESS["chat"], CALL["chat"]))


@pytest.mark.parametrize("dialect", [*CODECS, *MORE])
@given(data=st.data())
@CALM
def test_a_damaged_whole_answer_is_whole_or_refused(dialect: str, data: st.DataObject):
    call = Call(method="POST", path=mangling.PATHS[dialect], model="m", stream=False, body=b"x", parsed={})
    body = dialects.dialect_of(call.path).body(data.draw(mangling.behaviours), call, mangling.WHO)
    for _ in range(data.draw(st.integers(0, 3))):
        pick, value = data.draw(st.integers(0, 10_000)), data.draw(mangling.odd)
        body = mangling.replaced(body, pick, value, data.draw(st.booleans()))
    if data.draw(st.booleans()):
        body = body[: data.draw(st.integers(0, len(body)))]
    try:
        events = (CODECS | MORE)[dialect].decode_response(body, Target(model="m"))
    except WireError:
        return
    assert sum(isinstance(event, Done | Failure) for event in events) == 1
