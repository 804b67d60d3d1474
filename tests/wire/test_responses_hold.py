"""The Responses hold: one order of items and numbers, whichever answers they came from."""

import json
from itertools import count
from typing import Any

from suffice.errors import UpstreamError
from suffice.values.usage import Usage
from suffice.wire.hold import payloads
from suffice.wire.responses_hold import ResponsesHold
from suffice.wire.responses_relay import ResponsesRelay

USAGE = Usage(input_tokens=7, output_tokens=5, cache_read_tokens=2)
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}


class Stream:
    """Writes the events of one answer."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.number = count()
        self.items: list[dict[str, Any]] = []

    def event(self, kind: str, **fields: Any) -> bytes:
        row = {"type": kind, "sequence_number": next(self.number), **fields}
        return f"event: {kind}\ndata: {json.dumps(row)}\n\n".encode()

    def begin(self) -> bytes:
        response = {
            "id": self.id,
            "created_at": 1,
            "model": f"m-{self.id}",
            "output": [],
            "tools": [{"type": "function"}],
        }
        return self.event("response.created", response=response)

    def item(self, item: dict[str, Any], *middle: tuple[str, dict[str, Any]], done: bool = True) -> bytes:
        at = len(self.items)
        out = [self.event("response.output_item.added", output_index=at, item=item)]
        out += [self.event(kind, output_index=at, item_id=item["id"], **fields) for kind, fields in middle]
        if done:
            self.items.append(item)
            out.append(self.event("response.output_item.done", output_index=at, item=item))
        return b"".join(out)

    def said(self, text: str = "hi", *, done: bool = True) -> bytes:
        delta = ("response.output_text.delta", {"content_index": 0, "delta": text})
        part = {"type": "output_text", "text": text, "annotations": []}
        return self.item({**MESSAGE, "id": f"msg_{self.id}", "content": [part]}, delta, done=done)

    def call(self, name: str = "f", kind: str = "function_call") -> bytes:
        item = {"id": f"fc_{self.id}{name}", "type": kind, "call_id": f"c_{name}", "name": name, "arguments": "{}"}
        return self.item(item, (f"response.{kind}_arguments.delta", {"delta": "{}"}))

    def end(self) -> bytes:
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        response = {
            "id": self.id,
            "created_at": 2,
            "model": f"m-{self.id}",
            "status": "completed",
            "output": self.items,
        }
        return self.event("response.completed", response={**response, "usage": usage})


def read(out: bytes) -> ResponsesRelay:
    relay = ResponsesRelay()
    relay.feed(out)
    rows = [json.loads(one) for one in payloads(out)]
    assert [row["sequence_number"] for row in rows] == list(range(len(rows)))
    places = [row["output_index"] for row in rows if row["type"] == "response.output_item.added"]
    assert places == list(range(len(places)))
    assert relay.done and relay.response is not None
    assert relay.response["output"] == [r["item"] for r in rows if r["type"] == "response.output_item.done"]
    return relay


def test_text_flows_and_calls_and_the_end_wait() -> None:
    hold, one = ResponsesHold(), Stream("a")
    begun, text, call = one.begin(), one.said(), one.call()
    assert hold.feed(begun) == b""
    assert hold.feed(text) == begun + text
    assert hold.feed(call + one.end()) == b""
    assert (hold.holding, hold.spoke) == (True, True)
    plain = Stream("b")
    hold = ResponsesHold()
    text = plain.begin() + plain.said()
    assert hold.feed(text + (end := plain.end())) == text
    assert (hold.held, hold.holding) == (end, False)


def test_every_kind_of_call_that_a_client_carries_out_is_held() -> None:
    for kind in ("function_call", "custom_tool_call", "local_shell_call", "apply_patch_call", "mcp_approval_request"):
        hold = ResponsesHold()
        hold.feed(Stream("a").call(kind=kind))
        assert hold.holding
    hold = ResponsesHold()
    hold.feed(Stream("a").item({"id": "ws", "type": "web_search_call"}))
    assert not hold.holding


def test_another_answers_calls_follow_with_its_sealed_reasoning_and_without_its_words() -> None:
    hold, one, two = ResponsesHold(), Stream("a"), Stream("b")
    out = hold.feed(one.begin() + one.said() + one.call("wrong") + one.end())
    thought = {
        "id": "rs",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "e",
    }
    events = two.begin() + two.item(thought) + two.said("prose") + two.call("f") + two.call("g") + two.end()
    out += hold.replaced(events, USAGE)
    relay = read(out)
    assert relay.response is not None and relay.response == hold.response
    assert [item["type"] for item in relay.response["output"]] == [
        "message", "reasoning", "function_call", "function_call"
    ]  # fmt: skip
    assert (relay.answer().text, relay.answer().reasoning) == ("hi", "")
    assert (relay.response["id"], relay.response["created_at"], relay.response["model"]) == ("a", 1, "m-b")
    assert (relay.usage(), hold.own, relay.encrypted) == (USAGE, 1, ["e"])


def test_a_message_that_was_left_open_is_closed_first() -> None:
    hold, one, two = ResponsesHold(), Stream("a"), Stream("b")
    out = hold.feed(one.begin() + one.said("so far", done=False))
    relay = read(out + hold.replaced(two.begin() + two.call() + two.end(), USAGE))
    assert relay.response is not None
    assert relay.response["output"][0]["content"][0]["text"] == "so far"


def test_an_answer_of_which_nothing_was_seen_is_replaced_whole() -> None:
    hold, one, two = ResponsesHold(), Stream("a"), Stream("b")
    assert hold.feed(one.begin() + one.call("wrong")) == b""
    relay = read(hold.replaced(two.begin() + two.said("prose") + two.call() + two.end(), USAGE))
    assert (relay.answer().text, relay.usage(), hold.own) == ("prose", USAGE, 0)


def test_an_honest_end_goes_on_in_number_and_names_the_response() -> None:
    hold, one = ResponsesHold(), Stream("a")
    out = hold.feed(one.begin() + one.said() + one.call()) + hold.fail(UpstreamError("it broke"))
    rows = [json.loads(row) for row in payloads(out)]
    assert [row["sequence_number"] for row in rows] == list(range(len(rows)))
    assert rows[-1]["type"] == "response.failed"
    assert rows[-1]["response"]["id"] == "a"
    assert [item["type"] for item in rows[-1]["response"]["output"]] == ["message"]
