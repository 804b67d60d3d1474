import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import WireError
from suffice.values.usage import Usage
from suffice.wire.responses_relay import ResponsesRelay, whole

CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
REPORT = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 2, "total_tokens": 11}
FINAL = {"id": "resp_1", "model": "m", "status": "completed", "output": [CALL], "usage": REPORT}
EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "model": "m"}},
    {
        "type": "response.output_item.done",
        "sequence_number": 1,
        "item": {"type": "reasoning", "encrypted_content": "E", "summary": []},
    },
    {"type": "response.output_text.delta", "sequence_number": 2, "delta": "grüß"},
    {"type": "response.custom_thing", "sequence_number": 3},
    {"type": "response.output_item.done", "sequence_number": 4, "item": CALL},
    {"type": "response.completed", "sequence_number": 5, "response": FINAL},
]


def sse(events: list[dict[str, Any]], end: str = "\n") -> bytes:
    parts = [f"event: {e['type']}{end}data: {json.dumps(e, ensure_ascii=False)}{end}{end}" for e in events]
    return f": hello{end}{end}".join(parts).encode()


def test_a_strict_client_is_shown_no_foreign_event() -> None:
    foreign = [
        {"type": "provider.telemetry", "note": "response.completed"},
        {"type": "keepalive", "sequence_number": 9},
    ]
    late = {"sequence_number": 6, "type": "response.later"}
    for end in ("\n", "\r\n"):
        told = sse([*EVENTS[:2], *foreign, late, *EVENTS[2:]], end)
        for at in range(0, len(told), 7):
            relay = ResponsesRelay(strict=True)
            said = relay.feed(told[:at]) + relay.feed(told[at:]) + relay.close()
            kinds = [line[6:].strip().decode() for line in said.splitlines() if line.startswith(b"event:")]
            assert kinds == [e["type"] for e in [*EVENTS[:2], late, *EVENTS[2:]]] and b"telemetry" not in said
            assert relay.finished and relay.data_events == len(EVENTS) + 3
        assert ResponsesRelay().feed(told) == told
        assert ResponsesRelay(strict=True).feed(sse(EVENTS, end) + end.encode()) == sse(EVENTS, end) + end.encode()


@given(st.integers(1, 60), st.sampled_from(["\n", "\r\n"]))
def test_every_byte_goes_on_wherever_it_is_split(n: int, end: str) -> None:
    data = sse(EVENTS, end)
    relay = ResponsesRelay()
    out = b"".join(relay.feed(data[i : i + n]) for i in range(0, len(data), n)) + relay.close()
    assert out == data
    assert relay.finished
    answer = relay.answer()
    assert (answer.text, answer.tool_calls, answer.model, answer.response_id) == (
        "grüß",
        (("c", "f", "{}"),),
        "m",
        "resp_1",
    )
    assert answer.finish_reason == "tool_calls"
    assert relay.usage() == Usage(input_tokens=5, cache_read_tokens=4, output_tokens=2)
    assert relay.encrypted == ["E"]
    assert relay.next_sequence == 6
    assert relay.response == FINAL


@given(st.integers(0, len(sse(EVENTS[:-1])) + 40))
def test_a_cut_stream_is_not_finished_and_only_whole_events_went_on(cut: int) -> None:
    relay = ResponsesRelay()
    out = relay.feed(sse(EVENTS)[:cut])
    assert not relay.finished
    assert out == b"" or out.endswith(b"\n\n")
    try:
        relay.close()
    except WireError:
        pass
    assert not relay.finished


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "x", "message": "m"},
        {"type": "error", "error": {"code": "x", "message": "m"}},
        {"type": "response.failed", "response": {"status": "failed", "error": {"code": "x", "message": "m"}}},
    ],
)
def test_failures_are_seen(event: dict[str, Any]) -> None:
    relay = ResponsesRelay()
    relay.feed(sse([EVENTS[0], event]))
    assert not relay.finished
    assert relay.failure["code"] == "x"
    assert relay.failure["message"] == "m"


def test_an_incomplete_answer_is_finished_by_length() -> None:
    end = {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}}
    relay = ResponsesRelay()
    relay.feed(sse([end]))
    assert (relay.finished, relay.finish_reason) == (True, "length")


def test_what_is_not_json_is_told() -> None:
    with pytest.raises(WireError):
        ResponsesRelay().feed(b"data: {nope\n\n")
    relay = ResponsesRelay()
    assert relay.feed(b": ping\n\n") == b": ping\n\n"
    assert not relay.started


def test_whole_bodies() -> None:
    failure, answer, used = whole(json.dumps(FINAL | {"error": None}).encode())
    assert failure is None
    assert answer.tool_calls == (("c", "f", "{}"),)
    assert used is not None
    failure, _, _ = whole(b'{"error":{"message":"m"}}')
    assert failure == {"message": "m"}
    for bad in (b"[]", b"{}", b"x"):
        with pytest.raises(WireError):
            whole(bad)


@pytest.mark.parametrize("output", [7, True, None, "text", {"a": 1}, [None, 7, []]])
def test_an_output_of_a_wrong_type_is_passed_over(output: object) -> None:
    relay = ResponsesRelay()
    relay.feed(sse([{"type": "response.completed", "response": {"id": "r", "output": output}}]))
    assert relay.done
    assert relay.answer().empty


@pytest.mark.parametrize("odd", [b"7", b"null", b"[]", b'"text"'])
def test_an_event_that_is_no_object_is_shown_to_nobody(odd: bytes) -> None:
    created, foreign = sse([{"type": "response.created", "response": {}}]), sse([{"type": "provider.note"}])
    relay = ResponsesRelay()
    told = relay.feed(created + b"data: " + odd + b"\n\n" + foreign)
    assert odd not in told.replace(created, b"").replace(foreign, b"")
    assert b"response.created" in told and b"provider.note" in told
