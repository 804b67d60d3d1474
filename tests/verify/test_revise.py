"""What a review makes of a draft."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.verify.revise import revised

DRAFT = "Here:\n```python\ndef f(a):\n    x = 1\n    return a - x\n```\nDone."


def block(old: str, new: str) -> str:
    return (
        f"<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE"
        if new
        else f"<<<<<<< SEARCH\n{old}\n=======\n>>>>>>> REPLACE"
    )


@pytest.mark.parametrize("said", ["APPROVED", " APPROVED\n", "APPROVED\r\n"])
def test_approval_leaves_the_draft(said: str) -> None:
    assert revised(DRAFT, said) is DRAFT


@pytest.mark.parametrize("around", ["{}", "```\n{}\n```", "\n{}\n\n"])
def test_blocks_repair_it(around: str) -> None:
    assert revised(DRAFT, around.format(block("    return a - x", "    return a + x"))) == DRAFT.replace(
        "a - x", "a + x"
    )


def test_several_blocks_apply_in_order_and_lines_may_go() -> None:
    said = block("    x = 1", "") + "\n\n" + block("    return a - x", "    return a")
    assert revised(DRAFT, said) == "Here:\n```python\ndef f(a):\n    return a\n```\nDone."


@pytest.mark.parametrize(
    "said",
    [
        "", "approved", "APPROVED.", "APPROVED\n" + block("    x = 1", "    x = 2"), "I think it is right. APPROVED", DRAFT,
        "Fix:\n" + block("    x = 1", "    x = 2"), block("    y = 1", "    y = 2"), block("x = 1", "x = 2"),
        block("    x = 1", "    x = 1"), block("", "x"), "<<<<<<< SEARCH\n    x = 1\n=======\n    x = 2",
        block("    x = 1", "    x = 2") + "\n" + block("    x = 1", "    x = 3"),
    ],
)  # fmt: skip
def test_anything_else_is_of_no_use(said: str) -> None:
    assert revised(DRAFT, said) is None


def test_lines_that_stand_twice_are_no_place_and_marks_of_an_edit_are_not_cut_through() -> None:
    assert revised("a\nb\na", block("a", "c")) is None
    edit = block("old", "new")
    assert revised(edit, block(edit, "x")) is None
    assert revised(edit, block("new", "newer")) == block("old", "newer")


@given(st.text(max_size=200), st.text(max_size=200))
def test_it_never_raises_and_never_guesses(draft: str, said: str) -> None:
    found = revised(draft, said)
    assert found is None or said.strip() == "APPROVED" or "<<<<<<< SEARCH" in said
