"""The hold of edits in text: prose flows, what may be an edit waits, and edits alone take over."""

import json

from hypothesis import given
from hypothesis import strategies as st

from suffice.values.usage import Usage
from suffice.wire import sse
from suffice.wire.chat_relay import ChatRelay
from suffice.wire.edit_hold import EditHold, edits_of

DONE = b"data: [DONE]\n\n"
BLOCK = "a/calc.py\n```python\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n```\n"
PATCH = "*** Begin Patch\n*** Update File: a.py\n@@\n-x\n+y\n*** End Patch\n"
BARE = "a.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n"
DIFF = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-x\n+y\n"


def event(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return sse.encode(json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode())


def texts(events: bytes) -> str:
    relay = ChatRelay()
    relay.feed(events)
    return relay.answer().text


@given(
    st.text(alphabet="ab `~<*-\n", max_size=40),
    st.sampled_from([BLOCK, PATCH, BARE, DIFF]),
    st.lists(st.integers(1, 6)),
)
def test_no_part_of_an_edit_is_released_however_the_text_is_cut(prose: str, edit: str, sizes: list[int]) -> None:
    whole = prose + "\n" + edit + "The end."
    hold, released, at = EditHold(), b"", 0
    for size in [*sizes, *[7] * len(whole)]:
        if at < len(whole):
            released += hold.feed(event(whole[at : at + size]))
            at += size
    shown = texts(released)
    assert whole.startswith(shown)
    for opener in ("```", "<<<<<<< SEARCH", "*** Begin Patch", "--- a/"):
        assert opener not in ("\n" + shown) or (opener in prose and "\n" + opener not in "\n" + shown.replace(" ", ""))
    assert hold.holding
    assert texts(released + hold.held) == whole


def test_edits_are_taken_out_with_the_names_of_their_files() -> None:
    text = f"Here:\n\n{BLOCK}\nand then\n\n{BARE}or\n\n{PATCH}last\n\n{DIFF}Bye."
    found = edits_of(text)
    assert all(piece.rstrip() in found for piece in (BLOCK, BARE, PATCH, DIFF))
    assert not any(word in found for word in ("Here", "and then", "last", "Bye"))
    assert edits_of("Only `words` here.") == ""
    assert edits_of("```python\nnever closed") == ""


def test_another_answers_edits_follow_without_its_prose() -> None:
    hold = EditHold()
    out = hold.feed(event("Let me see.\n")) + hold.feed(event("```\nwrong\n```\n") + event("", "stop") + DONE)
    other = event(f"Sure!\n{BLOCK}Done.") + event("", "stop") + DONE
    out += hold.replaced(other, Usage(input_tokens=1))
    assert texts(out) == "Let me see.\n\n" + BLOCK
    assert out.endswith(DONE)


def test_a_tool_call_is_held_here_too() -> None:
    hold = EditHold()
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}
    piece = sse.encode(json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}).encode())
    assert hold.feed(piece) == b"" and hold.holding


def test_an_edit_in_the_event_that_ends_the_answer_is_held_to_be_judged() -> None:
    hold = EditHold()
    assert hold.feed(event("Here.\n")) != b""
    assert hold.feed(event(BLOCK, "stop") + DONE) == b"" and hold.holding
