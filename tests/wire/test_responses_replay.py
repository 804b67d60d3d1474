"""A stored response as a stream: nothing is lost, the end is the one of its status."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import json

from suffice.testing import responses
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, ToolCall
from suffice.wire.responses_replay import replay
from suffice.wire.sse import Decoder

CALL = Call(method="POST", path="/v1/responses", model="m", stream=False, body=b"x" * 40, parsed={})
SAID = Behaviour(
    text="Hello you", reasoning="hmm", tool_calls=(ToolCall(name="f", arguments='{"a": 1}'), ToolCall(name="g"))
)


def stored(behaviour: Behaviour = SAID) -> dict[str, Any]:
    return dict(json.decode(responses.body(behaviour, CALL, Identity("fake-1", 5, "m"))))


def events(data: bytes) -> list[dict[str, Any]]:
    found = Decoder().feed(data)
    told = [json.decode(event.data) for event in found]
    assert [event.name for event in found] == [event["type"] for event in told]
    return told


def test_everything_that_was_said_is_said_again() -> None:
    response = stored()
    told = events(replay(response))
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert (told[0]["type"], told[0]["response"]["status"]) == ("response.created", "in_progress")
    assert (told[-1]["type"], told[-1]["response"]) == ("response.completed", response)
    done = [event["item"] for event in told if event["type"] == "response.output_item.done"]
    assert done == response["output"]
    deltas = ["hmm", "Hello you", '{"a": 1}', "{}"]
    assert [event["delta"] for event in told if event["type"].endswith(".delta")] == deltas
    added = [event["item"] for event in told if event["type"] == "response.output_item.added"]
    assert [item.get("arguments", item.get("content", item.get("summary"))) for item in added] == [[], [], "", ""]


def test_a_client_that_lost_the_line_goes_on_where_it_was() -> None:
    told = events(replay(stored()))
    assert events(replay(stored(), 3)) == told[4:]
    assert replay(stored(), 10_000) == b""


@pytest.mark.parametrize(
    ("status", "last"),
    [
        ("incomplete", "response.incomplete"),
        ("failed", "response.failed"),
        ("cancelled", "response.failed"),
        ("in_progress", "response.output_item.done"),
    ],
)
def test_the_end_is_that_of_the_status(status: str, last: str) -> None:
    assert events(replay(stored() | {"status": status}))[-1]["type"] == last


def test_refusals_custom_calls_and_unknown_items() -> None:
    output: list[dict[str, Any]] = [
        {"type": "message", "id": "m", "content": [{"type": "refusal", "refusal": "no"}]},
        {"type": "custom_tool_call", "id": "c", "name": "patch", "input": "*** Begin"},
        {"type": "odd", "id": "o", "more": 1},
    ]
    told = events(replay({"id": "r", "status": "completed", "output": output}))
    assert [event["delta"] for event in told if event["type"].endswith(".delta")] == ["no", "*** Begin"]
    assert [event["item"] for event in told if event["type"] == "response.output_item.done"] == output
