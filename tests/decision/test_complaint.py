import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.complaint import complains, repeatable


@pytest.mark.parametrize(
    "ask",
    [
        "That's wrong, the loop never ends",
        "no, that is still not right",
        "This doesn't work: KeyError",
        "it still does not compile",
        "undo that",
        "Please revert the last change",
        "Undo",
        "still failing with the same error",
        "that's not what I asked for",
        "Das ist falsch",
    ],
)
def test_complaints(ask):
    assert complains(ask)


@pytest.mark.parametrize(
    "ask",
    [
        "Add an undo button to the toolbar",
        "Undo/redo stack: implement it",
        "Write a function that reverts a list",
        "Why is this wrong in general?",
        "The answer that's wrong is in tests/data; fix the fixture",
        "Revert commit handling should be tested",
        "",
    ],
)
def test_asks_that_only_look_like_complaints(ask):
    assert not complains(ask)


def test_what_can_be_repeated():
    assert repeatable("Write  a\nfunction that ADDS") == repeatable("write a function that adds")
    assert repeatable("continue") == b""


@given(st.text())
def test_no_text_breaks_it(ask):
    assert isinstance(complains(ask), bool) and isinstance(repeatable(ask), bytes)
