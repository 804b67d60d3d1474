"""The hold of edits in the text of Responses: as for chat, in the items that the stream has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.test_messages_edit_hold import BLOCK
from tests.wire.test_responses_hold import MESSAGE, USAGE, Stream, read

from suffice.wire.hold import objects
from suffice.wire.responses_edit_hold import ResponsesEditHold

PART = {"type": "output_text", "text": "", "annotations": []}


def opened(stream: Stream) -> bytes:
    at, item = len(stream.items), {**MESSAGE, "id": f"msg_{stream.id}"}
    out = stream.event("response.output_item.added", output_index=at, item=item)
    return out + stream.event("response.content_part.added", output_index=at, content_index=0, part=PART)


def delta(stream: Stream, text: str) -> bytes:
    at = len(stream.items)
    return stream.event("response.output_text.delta", output_index=at, content_index=0, delta=text)


def texts(events: bytes) -> str:
    return "".join(one["delta"] for one in objects(events) if one["type"] == "response.output_text.delta")


@given(st.text(alphabet="ab `~<*-\n", max_size=40), st.lists(st.integers(1, 6)))
def test_no_part_of_an_edit_is_released_however_the_text_is_cut(prose: str, sizes: list[int]) -> None:
    whole = prose + "\n" + BLOCK + "The end."
    hold, one, at = ResponsesEditHold(), Stream("a"), 0
    released = hold.feed(one.begin() + opened(one))
    for size in [*sizes, *[7] * len(whole)]:
        if at < len(whole):
            released += hold.feed(delta(one, whole[at : at + size]))
            at += size
    assert "<<<<<<< SEARCH" not in texts(released)
    assert whole.startswith(texts(released))
    assert hold.holding
    assert texts(released + hold.held) == whole


@pytest.mark.parametrize("before", ["the same message", "another message", "a part of the message", "reasoning"])
def test_another_answers_edits_follow_in_an_item_of_the_stream(before: str) -> None:
    hold, one, two = ResponsesEditHold(), Stream("a"), Stream("b")
    out, own = hold.feed(one.begin()), "Let me see.\n"
    if before == "reasoning":
        thought = {"id": "rs", "type": "reasoning", "summary": []}
        out += hold.feed(one.item(thought, ("response.reasoning_summary_text.delta", {"delta": "```\nhm"})))
        own = ""
    elif before == "another message":
        out += hold.feed(one.said(own))
    else:
        out += hold.feed(opened(one) + delta(one, own))
    if before == "a part of the message":
        done = one.event("response.content_part.done", output_index=0, content_index=0, part={**PART, "text": own})
        out += hold.feed(done)
    elif before in ("another message", "reasoning"):
        out += hold.feed(opened(one))
    out += hold.feed(delta(one, "```\nwrong\n```\n"))
    assert hold.holding and texts(out) == own
    events = two.begin() + two.said(f"Sure!\n{BLOCK}Done.") + two.end()
    out += hold.replaced(events, USAGE)
    relay = read(out)
    assert texts(out) == own + "\n" + BLOCK
    assert relay.answer().text == own + "\n" + BLOCK
    assert relay.response is not None and relay.response == hold.response
    places = [(e["output_index"], e["content_index"]) for e in objects(out) if "content_index" in e]
    assert places == sorted(places)


def test_without_an_edit_of_the_other_only_its_end_follows() -> None:
    hold, one, two = ResponsesEditHold(), Stream("a"), Stream("b")
    out = hold.feed(one.begin() + opened(one) + delta(one, "So.\n")) + hold.feed(delta(one, "```\nwrong"))
    out += hold.replaced(two.begin() + two.said("No code.") + two.end(), USAGE)
    assert read(out).answer().text == "So.\n"
