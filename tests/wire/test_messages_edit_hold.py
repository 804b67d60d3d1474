"""The hold of edits in the text of Messages: as for chat, in the blocks that the stream has."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.values.usage import Usage
from suffice.wire import sse
from suffice.wire.hold import objects
from suffice.wire.messages_edit_hold import MessagesEditHold

BLOCK = "a/calc.py\n```python\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n```\n"


def event(kind: str, **fields: Any) -> bytes:
    return sse.encode(json.dumps({"type": kind, **fields}).encode(), kind)


def start(index: int = 0, kind: str = "text") -> bytes:
    return event("content_block_start", index=index, content_block={"type": kind, kind: ""})


def said(text: str, index: int = 0, kind: str = "text") -> bytes:
    return event("content_block_delta", index=index, delta={"type": f"{kind}_delta", kind: text})


def stop(index: int = 0) -> bytes:
    return event("content_block_stop", index=index)


def end(output_tokens: int = 3) -> bytes:
    usage = {"output_tokens": output_tokens}
    return event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage) + event("message_stop")


BEGIN = event("message_start", message={"id": "msg_1", "usage": {"input_tokens": 1}})


def answer(text: str) -> bytes:
    return BEGIN + start() + said(text) + stop() + end()


def texts(events: bytes) -> str:
    deltas = [one["delta"] for one in objects(events) if one["type"] == "content_block_delta"]
    return "".join(delta.get("text", "") for delta in deltas)


def well_formed(events: bytes) -> bool:
    """Every block is begun once, ended once, in order, and the message has one end."""
    open_block, count = None, 0
    for one in objects(events):
        if one["type"] == "content_block_start":
            if open_block is not None or one["index"] != count:
                return False
            open_block, count = count, count + 1
        elif one["type"] in ("content_block_delta", "content_block_stop"):
            if one["index"] != open_block:
                return False
            open_block = None if one["type"] == "content_block_stop" else open_block
    return open_block is None and objects(events)[-1]["type"] == "message_stop"


@given(st.text(alphabet="ab `~<*-\n", max_size=40), st.lists(st.integers(1, 6)))
def test_no_part_of_an_edit_is_released_however_the_text_is_cut(prose: str, sizes: list[int]) -> None:
    whole = prose + "\n" + BLOCK + "The end."
    hold, at = MessagesEditHold(), 0
    released = hold.feed(BEGIN + start())
    for size in [*sizes, *[7] * len(whole)]:
        if at < len(whole):
            released += hold.feed(said(whole[at : at + size]))
            at += size
    assert "<<<<<<< SEARCH" not in texts(released)
    assert whole.startswith(texts(released))
    assert hold.holding
    assert texts(released + hold.held) == whole


@pytest.mark.parametrize("thinks", [False, True])
def test_another_answers_edits_follow_in_a_block_of_the_stream(thinks: bool) -> None:
    hold = MessagesEditHold()
    out, index = hold.feed(BEGIN), 0
    if thinks:
        out += hold.feed(start(0, "thinking") + said("```\nhm", 0, "thinking") + stop(0))
        index = 1
    else:
        out += hold.feed(start(0) + said("Let me see.\n"))
    wrong = (start(1) if thinks else b"") + said("```\nwrong\n```\n", index) + stop(index) + end()
    out += hold.feed(wrong)
    assert hold.holding
    out += hold.replaced(answer(f"Sure!\n{BLOCK}Done."), Usage(input_tokens=9, output_tokens=7))
    assert texts(out) == ("" if thinks else "Let me see.\n") + "\n" + BLOCK
    assert well_formed(out)
    (last,) = [one for one in objects(out) if one["type"] == "message_delta"]
    assert last["usage"]["output_tokens"] == 7


def test_without_an_edit_of_the_other_only_its_end_follows() -> None:
    hold = MessagesEditHold()
    out = hold.feed(BEGIN + start() + said("So.\n")) + hold.feed(said("```\nwrong") + stop() + end())
    out += hold.replaced(answer("No code."), Usage())
    assert texts(out) == "So.\n"
    assert well_formed(out)
