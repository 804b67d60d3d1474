from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.ask import Ask, isolate
from suffice.decision.task_rules import guess_task
from suffice.values.task import TaskType


@pytest.mark.parametrize("text", ["yes", "continue", "ok do it", "Weiter", "继续", "はい", "да", "3", "…", "go ahead"])
def test_going_on_is_not_a_task(text: str) -> None:
    guess = guess_task(isolate(text))
    assert guess.follow_up or guess.confidence < 0.5
    assert guess.task is TaskType.OTHER


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("explain why the test fails", TaskType.EXPLAIN),
        ("why does the test fail?", TaskType.BUG_FIX),
        ("fix the tests", TaskType.BUG_FIX),
        ("write a test for the bug fix", TaskType.TEST_GEN),
        ("rewrite this in Rust", TaskType.CONVERT),
        ("rewrite this so that it is shorter", TaskType.REFACTOR),
        ("review the tests", TaskType.REVIEW),
        ("refactor the tests", TaskType.REFACTOR),
        ("make the tests pass", TaskType.BUG_FIX),
    ],
)
def test_the_leading_verb_decides_unless_a_thing_says_more(text: str, task: TaskType) -> None:
    assert guess_task(isolate(text)).task is task


def test_a_trace_without_words_is_a_bug() -> None:
    assert guess_task(Ask(has_trace=True)).task is TaskType.BUG_FIX
    assert guess_task(Ask()).confidence == 0.0


@given(st.text(max_size=300))
def test_unsure_is_other(text: str) -> None:
    guess = guess_task(isolate(text))
    assert 0.0 <= guess.confidence <= 1.0
    assert guess.rule
    if guess.confidence == 0.0:
        assert guess.task is TaskType.OTHER
