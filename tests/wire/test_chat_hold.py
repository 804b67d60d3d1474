"""The chat hold: what flows, what waits, and what takes the place of what waited."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from suffice.values.usage import Usage
from suffice.wire import sse
from suffice.wire.chat_hold import ChatHold
from suffice.wire.chat_relay import ChatRelay

DONE = b"data: [DONE]\n\n"


def event(delta: dict[str, object], finish: str | None = None, name: str = "c") -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return sse.encode(json.dumps({"id": name, "model": f"m-{name}", "choices": [choice]}).encode())


ROLE = event({"role": "assistant", "content": ""})
EMPTY = event({"content": "x", "tool_calls": []})
CALL = event({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]})
OLD = event({"function_call": {"name": "f", "arguments": ""}})
FINISH = event({}, "tool_calls")
QUOTED = event({"content": '"tool_calls": [{"index": 0}]'})
SEEN = (EMPTY, QUOTED, event({"content": "hi"}))
KINDS = st.sampled_from([ROLE, *SEEN, CALL, OLD, FINISH, DONE, sse.COMMENT])


@given(st.lists(st.lists(KINDS, max_size=4), max_size=5))
def test_nothing_is_lost_and_nothing_from_the_first_call_or_the_end_on_is_released(batches: list[list[bytes]]) -> None:
    hold = ChatHold()
    released = b"".join(hold.feed(b"".join(batch)) for batch in batches)
    events = [one for batch in batches for one in batch]
    first = next((at for at, one in enumerate(events) if one in (CALL, OLD, FINISH, DONE)), len(events))
    spoken = [at for at, one in enumerate(events[:first]) if one in SEEN]
    # Before anything can be seen nothing goes out: an answer of which nothing was seen can be replaced whole.
    assert released == (b"".join(events[:first]) if spoken else b"")
    assert released + hold.held == b"".join(events)
    assert hold.holding == (first < len(events) and events[first] in (CALL, OLD))
    assert hold.spoke == bool(spoken)


def test_crlf_events_are_cut_at_their_own_boundaries() -> None:
    text, call = event({"content": "hi"}).replace(b"\n", b"\r\n"), CALL.replace(b"\n", b"\r\n")
    hold = ChatHold()
    assert hold.feed(text + call) == text
    assert hold.held == call


def other(text: str, made: list[tuple[str, str, str]]) -> bytes:
    """All events of another answer, with a usage report."""
    events = [event({"role": "assistant", "content": text, "reasoning": "hm"}, name="other")]
    for at, (call_id, name, arguments) in enumerate(made):
        function = {"name": name, "arguments": arguments}
        row: dict[str, Any] = {
            "index": at,
            "id": call_id,
            "type": "function",
            "function": function,
            "extra_content": {"s": 1},
        }
        events.append(event({"content": None, "tool_calls": [row]}, name="other"))
    events.append(event({}, "tool_calls" if made else "stop", name="other"))
    events.append(b'data: {"id":"other","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":3}}\n\n')
    return b"".join(events) + DONE


calls = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5), st.text()), max_size=3)
USAGE = Usage(input_tokens=7, cache_read_tokens=3, output_tokens=5)


@given(st.text(min_size=1), calls, st.booleans())
def test_another_answer_takes_over_with_what_it_does_and_with_its_words_only_where_none_were_seen(
    text: str, made: list[tuple[str, str, str]], spoke: bool
) -> None:
    hold = ChatHold()
    begun = hold.feed(ROLE + (event({"content": "Let me look."}) if spoke else b"") + CALL)
    relay = ChatRelay()
    relay.feed(begun + hold.replaced(other(text, made), USAGE))
    read = relay.answer()
    assert relay.done
    # What begins without arguments is given an empty object, unless it cannot be told whose arguments came.
    assert len(read.tool_calls) == len(made)
    for (call_id, name, said), found in zip(made, read.tool_calls, strict=True):
        assert found in ((call_id, name, said), (call_id, name, said or "{}"))
    assert (read.text, read.reasoning) == (("Let me look.", "") if spoke else (text, "hm"))
    assert (read.model, read.finish_reason) == ("m-other", "tool_calls" if made else "stop")
    # The provider's own price stays what it was.
    assert relay.usage() == replace(USAGE, stated_nano=3_000_000_000)


def test_the_stream_keeps_its_id_and_state_that_travels_with_a_call() -> None:
    hold = ChatHold()
    hold.feed(event({"content": "hi"}) + CALL)
    found = hold.replaced(other("x", [("1", "f", "{}")]), USAGE).decode()
    assert '"extra_content":{"s":1}' in found and '"cost":3' in found
    assert '"id":"c"' in found and '"id":"other"' not in found


@given(st.text())
def test_a_mark_is_one_comment_whatever_it_says(text: str) -> None:
    decoder = sse.Decoder()
    assert decoder.feed(ChatHold().mark(text)) == []
    assert decoder.comments == 1
