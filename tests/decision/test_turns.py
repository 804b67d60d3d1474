from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.task_rules import TOKEN
from suffice.decision.turns import LEADING, NEAR_WORDS, OVERRIDING, Table, earliest
from suffice.values.task import TaskType

TABLES = [OVERRIDING, LEADING]


@pytest.mark.parametrize("table", TABLES)
def test_every_turn_is_found_where_it_stands(table: Table) -> None:
    for first, turns in table.turns.items():
        for rest, _ in turns:
            spoken = [first, *("thing" if word == "_" else word for word in rest)]
            found = earliest(["zzz", *spoken], table)
            assert found is not None, spoken
            assert found[0] == 1


@pytest.mark.parametrize("table", TABLES)
def test_every_turn_is_written_as_asks_are_read(table: Table) -> None:
    # A word that the reader of asks would cut could never be found.
    for first, turns in table.turns.items():
        for rest, _ in turns:
            for word in (first, *rest):
                assert word == "_" or TOKEN.findall(word) == [word], word


def test_the_earliest_counts_and_of_those_that_begin_together_the_longest() -> None:
    found = earliest(["what", "do", "you", "think", "of", "the", "pros", "and", "cons"], OVERRIDING)
    assert found == (0, TaskType.REVIEW, "what do you think of")
    assert earliest(["pros", "and"], OVERRIDING) is None


def test_only_the_ends_of_a_long_ask_are_looked_at() -> None:
    far = ["x"] * (NEAR_WORDS + 5)
    assert earliest([*far, "pros", "and", "cons", *far], OVERRIDING) is None
    assert earliest([*far, "pros", "and", "cons"], OVERRIDING) is not None


@given(st.lists(st.sampled_from(["what", "is", "the", "best", "way", "to", "x"]), max_size=30))
def test_what_is_found_stands_there(tokens: list[str]) -> None:
    for table in TABLES:
        found = earliest(tokens, table)
        if found is not None:
            at, _, turn = found
            spoken = turn.split()
            assert all(word in ("_", tokens[at + n]) for n, word in enumerate(spoken))
