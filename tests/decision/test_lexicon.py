from __future__ import annotations

import random
import re

from suffice.decision.ask import Ask
from suffice.decision.lexicon import EXTENSIONS, FIRST_LETTERS, LANGUAGE_OF, PHRASES, PIECES, STEMS, WORDS
from suffice.decision.task_rules import _VERBS, guess_task
from suffice.values.task import TaskType

CLASSES = {*_VERBS, "test", "doc", "bug", "continue"}


def test_every_entry_names_a_class_that_the_rules_know() -> None:
    for found in (*WORDS.values(), *STEMS.values()):
        assert set(found) <= CLASSES
    assert {name for _, name in PIECES} <= CLASSES
    assert set(PHRASES.groupindex) <= CLASSES


def test_every_word_is_written_as_it_is_looked_up() -> None:
    for word in (*WORDS, *STEMS, *(piece for piece, _ in PIECES)):
        assert word == word.lower()


def test_stems_of_every_length_are_found() -> None:
    assert guess_task(Ask(prose="bitte diese Funktion vervollständigen")).task is TaskType.COMPLETE
    assert guess_task(Ask(prose="bitte den Dienst debuggen")).task is TaskType.BUG_FIX


def test_programming_languages_agree() -> None:
    assert LANGUAGE_OF["tsx"] == EXTENSIONS["tsx"] == "typescript"
    assert set(EXTENSIONS.values()) <= set(LANGUAGE_OF.values()) | {"go", "c", "r", "erlang", "ocaml"}


def test_no_turn_of_phrase_begins_with_letters_that_are_passed_over() -> None:
    every = re.compile(PHRASES.pattern.replace(FIRST_LETTERS, ""))
    assert every.pattern != PHRASES.pattern
    pieces = [
        *re.findall(r"[^\W\d_][\w']*", PHRASES.pattern),
        *"不没動 ,.?",
        "in a",
        "don't work",
        "off by one",
        "no funciona",
    ]
    draw = random.Random(1)
    seen = set()
    for _ in range(6000):
        text = " ".join(draw.choices(pieces, k=draw.randint(1, 10)))
        found, expected = PHRASES.search(text), every.search(text)
        assert (found and found.span()) == (expected and expected.span()), text
        seen |= {found.lastgroup} if found else set()
    assert len(seen) >= 6  # so the comparison was of something
