"""The Messages hold: blocks keep their order and numbers, and thinking without words goes with its calls."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from suffice.values.usage import Usage
from suffice.wire.hold import payloads
from suffice.wire.messages_hold import MessagesHold
from suffice.wire.messages_relay import MessagesRelay

USAGE = Usage(input_tokens=7, output_tokens=5, cache_read_tokens=2)


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def block(index: int, kind: str, *deltas: dict[str, Any], **fields: Any) -> list[bytes]:
    begun = event("content_block_start", index=index, content_block={"type": kind, **fields})
    middle = [event("content_block_delta", index=index, delta=delta) for delta in deltas]
    return [begun, *middle, event("content_block_stop", index=index)]


def said(index: int, text: str = "hi") -> list[bytes]:
    return block(index, "text", {"type": "text_delta", "text": text}, text="")


def call(index: int, name: str = "f", arguments: str = "{}") -> list[bytes]:
    delta = {"type": "input_json_delta", "partial_json": arguments}
    return block(index, "tool_use", delta, id=f"t{index}", name=name, input={})


HEAD = event("message_start", message={"id": "a", "model": "m", "usage": {"input_tokens": 1, "output_tokens": 1}})
END = [
    event("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage={"output_tokens": 3}),
    event("message_stop"),
]
PING = event("ping")


def read(events: bytes) -> MessagesRelay:
    relay = MessagesRelay()
    relay.feed(events)
    assert relay.done
    return relay


@given(st.integers(0, 3), st.integers(1, 3), st.data())
def test_text_flows_at_once_and_calls_wait_however_the_bytes_are_grouped(texts: int, calls: int, data: Any) -> None:
    before = [HEAD, PING, *(one for at in range(texts) for one in said(at))]
    events = [*before, *(one for at in range(calls) for one in call(texts + at)), *END]
    hold, released = MessagesHold(), b""
    while events:
        size = data.draw(st.integers(1, len(events)))
        released += hold.feed(b"".join(events[:size]))
        events = events[size:]
    assert released == (b"".join(before) if texts else b"")
    assert hold.held.endswith(END[-1])
    assert (hold.holding, hold.spoke) == (True, texts > 0)


def test_the_opening_of_a_text_waits_for_its_first_word() -> None:
    hold = MessagesHold()
    begun, delta, stop = said(0)
    assert hold.feed(HEAD + begun) == b""
    assert hold.feed(delta) == HEAD + begun + delta
    assert hold.feed(stop) == stop


def test_calls_of_another_answer_follow_under_the_next_numbers_without_its_words() -> None:
    hold = MessagesHold()
    out = hold.feed(b"".join([HEAD, *said(0), *call(1, "wrong")]))
    thought = block(0, "thinking", {"type": "thinking_delta", "thinking": "aloud"}, thinking="", signature="")
    sealed = block(1, "thinking", {"type": "signature_delta", "signature": "s"}, thinking="", signature="")
    hidden = block(2, "redacted_thinking", data="x")
    other = [HEAD, *thought, *sealed, *hidden, *said(3, "prose"), *call(4), *call(5, "g"), *END]
    out += hold.replaced(b"".join(other), USAGE)
    relay = read(out)
    assert [(name, text) for _, name, text in relay.answer().tool_calls] == [("f", "{}"), ("g", "{}")]
    assert (relay.answer().text, relay.answer().reasoning) == ("hi", "")
    rows = [json.loads(one) for one in payloads(out)]
    starts = [(r["index"], r["content_block"]["type"]) for r in rows if r["type"] == "content_block_start"]
    assert starts == list(enumerate(["text", "thinking", "redacted_thinking", "tool_use", "tool_use"]))
    assert relay.usage() == USAGE


def test_a_block_that_was_left_open_is_closed_first() -> None:
    hold = MessagesHold()
    out = hold.feed(HEAD + b"".join(said(0)[:-1])) + hold.feed(b"".join(END))
    out += hold.replaced(b"".join([HEAD, *call(0), *END]), USAGE)
    kinds = [json.loads(one)["type"] for one in payloads(out)]
    assert kinds.index("content_block_stop") < kinds.index("content_block_start", 2)
    assert read(out).answer().tool_calls[0][1] == "f"


def test_an_answer_of_which_nothing_was_seen_is_replaced_whole() -> None:
    hold = MessagesHold()
    assert hold.feed(b"".join([HEAD, *call(0, "wrong")])) == b""
    relay = read(hold.replaced(b"".join([HEAD, *said(0, "prose"), *call(1), *END]), USAGE))
    assert (relay.answer().text, relay.usage()) == ("prose", USAGE)


def test_arguments_of_a_call_whose_beginning_was_damaged_wait_and_those_of_a_provider_s_tool_flow() -> None:
    hold = MessagesHold()
    own = block(
        0, "server_tool_use", {"type": "input_json_delta", "partial_json": "{}"}, id="s", name="search", input={}
    )
    free = [HEAD, *own, *said(1)]
    assert hold.feed(b"".join(free)) == b"".join(free)
    orphan = call(2)[1:]
    assert hold.feed(b"".join(orphan)) == b""
    assert hold.holding and hold.held == b"".join(orphan)
