from __future__ import annotations

import json

import pytest

from suffice.errors import WireError
from suffice.wire.gemini_relay import GeminiRelay, whole

from .gemini_samples import CHUNKS, USAGE, array, chunk, sse


def run(relay: GeminiRelay, data: bytes, size: int) -> bytes:
    return b"".join(relay.feed(data[at : at + size]) for at in range(0, len(data), size)) + relay.close()


@pytest.mark.parametrize("size", [1, 2, 7, 100_000])
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
def test_events_go_on_byte_for_byte(size: int, end: bytes) -> None:
    relay, data = GeminiRelay(), sse(CHUNKS, end)
    assert run(relay, data, size) == data
    assert relay.started and relay.done and relay.finished
    assert (relay.data_events, relay.finish_reason, relay.failure) == (4, "tool_calls", None)
    usage = relay.usage()
    assert usage is not None
    assert (usage.prompt_tokens, usage.output_tokens, usage.reasoning_tokens) == (100, 7, 5)
    answer = relay.answer()
    assert (answer.text, answer.reasoning) == ("Let me look: é", "I think")
    assert [(name, json.loads(args)) for _, name, args in answer.tool_calls] == [
        ("read", {"path": 'ä " ] } [ {'}),
        ("list", {}),
    ]


@pytest.mark.parametrize("size", [1, 3, 100_000])
def test_an_array_goes_on_element_by_element(size: int) -> None:
    relay = GeminiRelay(array=True)
    out = run(relay, array(CHUNKS), size)
    assert json.loads(out) == CHUNKS
    assert relay.done
    assert relay.answer().text == "Let me look: é"
    assert GeminiRelay(array=True).feed(b"[]") == b"[]"
    with pytest.raises(WireError):
        relay.feed(b"{}")


def test_a_cut_stream_forwards_whole_events_and_is_not_finished() -> None:
    data = sse(CHUNKS)
    reason = data.index(b"finishReason")
    for at in range(reason):
        relay = GeminiRelay()
        out = relay.feed(data[:at])
        assert data.startswith(out)
        assert out == b"" or out.endswith(b"\r\n\r\n")
        assert not relay.finished
    relay = GeminiRelay(array=True)
    relay.feed(array(CHUNKS).rstrip()[:-1])
    assert not relay.finished


def test_comments_never_reach_the_client() -> None:
    one = sse(CHUNKS[:1], b"\n\n")
    relay = GeminiRelay()
    assert relay.feed(b": keep-alive\n\n") == b""
    assert not relay.started
    assert relay.feed(b": processing\n" + one) == one
    assert relay.feed(b": data: x\n\n") == b""


def test_errors_and_noise() -> None:
    relay = GeminiRelay()
    relay.feed(sse([{"error": {"code": 429, "message": "quota"}}]))
    assert relay.failure == {"code": 429, "message": "quota"}
    for bad in (b"data: {oops\n\n", b"data: [DONE\n\n"):
        with pytest.raises(WireError):
            GeminiRelay().feed(bad)
    blocked = GeminiRelay()
    blocked.feed(sse([{"promptFeedback": {"blockReason": "SAFETY"}}]))
    assert (blocked.finish_reason, blocked.done) == ("content_filter", True)
    # An argument that is called error is no error.
    fine = GeminiRelay()
    fine.feed(sse([chunk([{"functionCall": {"name": "f", "args": {"error": {"a": 1}}}}])]))
    assert fine.failure is None


def test_whole_bodies() -> None:
    body = json.dumps(chunk([{"text": "hi"}], finishReason="STOP", usageMetadata=USAGE), indent=2).encode()
    error, answer, usage = whole(body)
    assert (error, answer.text, answer.finish_reason) == (None, "hi", "stop")
    assert usage is not None and usage.prompt_tokens == 100
    assert whole(b'{"error": {"code": 400}}')[0] == {"code": 400}
    for bad in (b"x", b"[]", b"{}"):
        with pytest.raises(WireError):
            whole(bad)


def test_events_of_a_foreign_type_never_reach_the_client() -> None:
    foreign = b'event: telemetry\ndata: {"type":"provider.telemetry"}\n\n'
    data = sse(CHUNKS, b"\n\n")
    for size in (3, 100_000):
        relay = GeminiRelay()
        assert run(relay, foreign + data + foreign, size) == data
        assert relay.done and relay.data_events == 4
    broken = GeminiRelay()
    with pytest.raises(WireError):
        broken.feed(b"data: {no\n\n")
