"""The hold of edits in the text of Gemini: as for chat, in chunks that may be the last one too."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.test_gemini_hold import REPORT, USAGE, chunk
from tests.wire.test_messages_edit_hold import BLOCK

from suffice.wire.gemini_edit_hold import GeminiEditHold
from suffice.wire.gemini_relay import GeminiRelay
from suffice.wire.hold import payloads


def texts(events: bytes) -> str:
    relay = GeminiRelay()
    relay.feed(events)
    return relay.answer().text


@given(st.text(alphabet="ab `~<*-\n", max_size=40), st.lists(st.integers(1, 6)))
def test_no_part_of_an_edit_is_released_however_the_text_is_cut(prose: str, sizes: list[int]) -> None:
    whole = prose + "\n" + BLOCK + "The end."
    hold, released, at = GeminiEditHold(), b"", 0
    for size in [*sizes, *[7] * len(whole)]:
        if at < len(whole):
            released += hold.feed(chunk({"text": whole[at : at + size]}))
            at += size
    assert "<<<<<<< SEARCH" not in texts(released)
    assert whole.startswith(texts(released))
    assert hold.holding
    assert texts(released + hold.held) == whole


@pytest.mark.parametrize("last", [False, True], ids=["before the end", "in the last chunk"])
def test_another_answers_edits_follow_without_its_prose(last: bool) -> None:
    hold = GeminiEditHold()
    out = hold.feed(chunk({"text": "```\nhm", "thought": True}) + chunk({"text": "Let me see.\n"}))
    wrong = {"text": "```\nwrong\n```\n"}
    out += hold.feed(chunk(wrong, finish="STOP") if last else chunk(wrong) + chunk({"text": ""}, finish="STOP"))
    assert hold.holding and texts(out) == "Let me see.\n"
    other = chunk({"text": "```\nno", "thought": True}, {"text": f"Sure!\n{BLOCK}"}, name="b")
    other += chunk({"text": "Done."}, finish="STOP", usage=REPORT, name="b")
    out += hold.replaced(other, USAGE)
    relay = GeminiRelay()
    relay.feed(out)
    assert relay.answer().text == "Let me see.\n\n" + BLOCK
    assert relay.done and relay.usage() == USAGE
    rows = [json.loads(one) for one in payloads(out)]
    assert {row["responseId"] for row in rows} == {"a"} and rows[-1]["modelVersion"] == "m-b"


def test_an_answer_in_one_chunk_is_held_whole() -> None:
    hold = GeminiEditHold()
    assert hold.feed(chunk({"text": f"Look:\n{BLOCK}"}, finish="STOP")) == b""
    assert (hold.holding, hold.spoke) == (True, False)
    prose = chunk({"text": "No code."}, finish="STOP", usage=REPORT, name="b")
    assert texts(hold.replaced(prose, USAGE)) == "No code."


def test_without_an_edit_of_the_other_only_its_end_follows() -> None:
    hold = GeminiEditHold()
    out = hold.feed(chunk({"text": "So.\n"})) + hold.feed(chunk({"text": "```\nwrong"}))
    out += hold.replaced(chunk({"text": "No code."}, finish="STOP", usage=REPORT, name="b"), USAGE)
    assert texts(out) == "So.\n"
