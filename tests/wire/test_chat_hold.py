import json

from hypothesis import given
from hypothesis import strategies as st

from suffice.values.usage import Usage
from suffice.wire import sse
from suffice.wire.chat_hold import ChatHold, comment, continuation
from suffice.wire.chat_relay import Answer, ChatRelay


def event(delta: dict[str, object], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return sse.encode(json.dumps({"id": "c", "choices": [choice]}).encode())


ROLE = event({"role": "assistant", "content": ""})
EMPTY = event({"content": "x", "tool_calls": []})
CALL = event({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]})
OLD = event({"function_call": {"name": "f", "arguments": ""}})
FINISH = event({}, "tool_calls")
QUOTED = event({"content": '"tool_calls": [{"index": 0}]'})
KINDS = st.sampled_from([ROLE, EMPTY, CALL, OLD, FINISH, QUOTED, event({"content": "hi"}), sse.COMMENT])


@given(st.lists(st.lists(KINDS, max_size=4), max_size=5))
def test_nothing_is_lost_and_nothing_from_the_first_call_on_is_released(batches: list[list[bytes]]) -> None:
    hold = ChatHold()
    released = b"".join(hold.feed(b"".join(batch)) for batch in batches)
    events = [one for batch in batches for one in batch]
    first = next((at for at, one in enumerate(events) if one in (CALL, OLD)), len(events))
    assert released == b"".join(events[:first])
    assert hold.held == b"".join(events[first:])
    assert hold.holding == (first < len(events))
    assert hold.spoke == any(b'"content": "' in one and one != ROLE for one in events[:first])


def test_crlf_events_are_cut_at_their_own_boundaries() -> None:
    text, call = event({"content": "hi"}).replace(b"\n", b"\r\n"), CALL.replace(b"\n", b"\r\n")
    hold = ChatHold()
    assert hold.feed(text + call) == text
    assert hold.held == call


def test_a_usage_report_of_the_held_part_is_seen() -> None:
    hold = ChatHold()
    hold.feed(CALL)
    assert not hold.tells_usage
    hold.feed(b'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n')
    assert hold.tells_usage


calls = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5), st.text()), max_size=3)


@given(st.text(), calls, st.booleans())
def test_a_continuation_reads_back_as_the_action_alone(
    text: str, made: list[tuple[str, str, str]], spoke: bool
) -> None:
    head = Answer(text="Let me look.", response_id="head", model="small")
    action = Answer(text=text, tool_calls=tuple(made), model="big", response_id="other", finish_reason="tool_calls")
    usage = Usage(input_tokens=7, cache_read_tokens=3, output_tokens=5)
    relay = ChatRelay()
    relay.feed(continuation(head, action, spoke=spoke, usage=usage))
    read = relay.answer()
    assert relay.done
    assert read.tool_calls == action.tool_calls
    assert read.text == ("" if spoke else text)
    assert (read.response_id, read.model, read.finish_reason) == ("head", "big", "tool_calls")
    assert relay.usage() == usage


@given(st.text())
def test_a_comment_is_one_comment_whatever_it_says(text: str) -> None:
    decoder = sse.Decoder()
    assert decoder.feed(comment(text)) == []
    assert decoder.comments == 1
