from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.ask import MAX_PROSE_CHARS, isolate, words_of

ASK = "Rename foo to bar"


@pytest.mark.parametrize(
    "text",
    [
        f"<system-reminder>\nfix the failing tests, password\n</system-reminder>\n{ASK}",
        f"{ASK}\n\n<environment_details>\n# VSCode Open Tabs\nreview.md\n</environment_details>",
        f"<current_datetime>2026-11-22T04:58:39</current_datetime>\n\n{ASK}",
        f"<environment_context>\n <cwd>/x</cwd>\n</environment_context>{ASK}",
        f"<file path='a.py'>\ndef explain(): ...\n</file>\n{ASK}",
        f"<user_info>os</user_info><rules>write tests</rules><user_query>{ASK}</user_query>",
        f"<task>\n{ASK}\n</task>\n<environment_details>fix</environment_details>",
        f"# AGENTS.md instructions for /repo\n\nalways write tests\n\n## My request for Codex:\n{ASK}",
        f"# Context from my IDE setup:\n\n## Active file: review.py\n\n## My request for Codex:\n{ASK}",
        f"{ASK}\n\n# *SEARCH/REPLACE block* Rules:\n\nEvery block must be fixed",
        f'"{ASK}"',
        f"{ASK}\n```python\nraise ValueError('fix')\n```",
    ],
)
def test_the_environment_is_left_out(text: str) -> None:
    assert isolate(text).prose.strip() == ASK


def test_a_message_of_environment_only_has_no_ask() -> None:
    found = isolate("<environment_details>\nWorking directory: /repo\n</environment_details>")
    assert found.prose == ""
    assert found.stripped == ("environment_details",)


def test_markup_of_the_user_stays() -> None:
    assert "<div>" in isolate("Center <div> in the page").prose


def test_code_shapes_are_kept_apart() -> None:
    found = isolate("look\n```rust\nfn a() {}\n```\nok")
    assert (found.fences, found.code.strip(), found.prose.split()) == (("rust",), "fn a() {}", ["look", "ok"])
    assert isolate("Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'").has_trace
    assert isolate("diff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b").has_diff
    assert isolate("2026-01-01 10:00:00 INFO x\n2026-01-01 10:00:01 ERROR y").has_log
    assert isolate("why?\nimport os\nx = os.getcwd();").prose == "why?"


def test_the_newest_ask_of_a_long_paste_survives() -> None:
    text = "Explain this log. " + "lorem ipsum dolor sit amet\n" * 2000 + "What went wrong?"
    prose = isolate(text).prose
    assert prose.startswith("Explain this log.")
    assert prose.endswith("What went wrong?")
    assert len(prose) <= MAX_PROSE_CHARS + 1


@given(st.text(alphabet="<>/ab_-#`~ \n\"'{;\\", max_size=400))
def test_it_never_raises_and_never_grows(text: str) -> None:
    found = isolate(text)
    assert len(found.prose) + len(found.code) <= len(text) + 8


def test_words_are_what_stands_outside_of_what_a_client_puts_around_them():
    reminder = "<system-reminder>\nToday.\n</system-reminder>\n"
    assert words_of(f"{reminder}That's wrong.\n```\ncode\n```\n{reminder}") == "That's wrong.\n```\ncode\n```"
    assert words_of("<user_query>undo that</user_query>") == "undo that"
    assert words_of(reminder) == ""
