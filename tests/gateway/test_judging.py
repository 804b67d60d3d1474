import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.gateway.running import one_provider

from suffice.gateway.judging import Judging, is_plain_prose
from suffice.testing.script import Behaviour
from suffice.values.task import Features, TaskType
from suffice.values.verdict import Outcome, Verdict
from suffice.verify.judge import overall
from suffice.verify.view import AnswerView, AskView
from suffice.wire.chat_relay import Answer

BROKEN = Answer(text="```python\ndef f(:\n```", finish_reason="stop")
GOOD = Answer(text="```python\ndef f():\n    return 1\n```", finish_reason="stop")


def turn(check: str = "") -> Any:
    body = b'{"messages":[{"role":"user","content":"write f in Python"}]}'
    return SimpleNamespace(
        check=check, operation="chat", features=Features(task=TaskType.GENERATE, language="python"),
        view=SimpleNamespace(suffix=""), call=SimpleNamespace(body=body),
    )  # fmt: skip


async def test_static_gates_reject_what_does_not_parse():
    judging = Judging(enabled=True, run_check=None)
    assert overall(await judging.judge(turn(), BROKEN)) is Outcome.REJECT
    assert overall(await judging.judge(turn(), GOOD)) is Outcome.ACCEPT


async def test_the_named_check_runs_only_on_what_the_gates_let_through():
    asked: list[str] = []

    async def run(name: str, answer: AnswerView, ask: AskView) -> Verdict:
        asked.append(f"{name} {ask.language}")
        return Verdict(gate=f"check:{name}", outcome=Outcome.REJECT, reason="a test fails")

    judging = Judging(enabled=True, run_check=run)
    await judging.judge(turn("tests"), BROKEN)
    assert asked == []
    assert overall(await judging.judge(turn("tests"), GOOD)) is Outcome.REJECT
    assert asked == ["tests python"]


async def test_a_check_that_cannot_run_says_unknown_and_costs_no_answer():
    async def broken(name: str, answer: AnswerView, ask: AskView) -> Verdict:
        raise ZeroDivisionError

    for run in (None, broken):
        verdicts = await Judging(enabled=True, run_check=run).judge(turn("tests"), GOOD)
        assert verdicts[-1].outcome is Outcome.UNKNOWN
        assert overall(verdicts) is Outcome.ACCEPT


async def test_a_check_that_outlasts_the_request_says_unknown():
    async def slow(name: str, answer: AnswerView, ask: AskView) -> Verdict:
        await asyncio.sleep(60.0)
        raise AssertionError

    verdicts = await Judging(enabled=True, run_check=slow).judge(turn("tests"), GOOD, left_s=0.01)
    assert (verdicts[-1].outcome, "deadline" in verdicts[-1].reason) == (Outcome.UNKNOWN, True)


async def test_switched_off_nothing_is_judged(tmp_path: Path):
    assert await Judging(enabled=False, run_check=None).judge(turn(), BROKEN) == ()
    async with one_provider(tmp_path, Behaviour(text=BROKEN.text), head="[verify]\nenabled = false\n") as (running, _):
        assert "x-suffice-verdict" not in (await running.chat()).headers


async def test_gates_that_break_cost_nobody_an_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("suffice.gateway.judging.judge", lambda *args: 1 / 0)
    assert await Judging(enabled=True, run_check=None).judge(turn(), GOOD) == ()


@pytest.mark.parametrize(
    ("answer", "plain"),
    [
        (Answer(text="It adds two numbers.", finish_reason="stop"), True),
        (Answer(text="It adds", finish_reason="length"), False),
        (GOOD, False),
        (Answer(text="def f(): pass", finish_reason="stop"), False),
        (Answer(text=" ", finish_reason="stop"), False),
        (Answer(text="ok", finish_reason="stop", tool_calls=(("i", "n", "{}"),)), False),
    ],
)
def test_prose_is_told_from_code(answer: Answer, plain: bool):
    assert is_plain_prose(answer) is plain


BESIDE = {
    "Our service is in app.py. Give me the script that goes with it.": "use strict;\nwhile (my $line = <STDIN>) {\n    chomp $line;\n}\n",
    "See app.py and write the schema that it reads.": "type Query {\n  user(id: ID!): User\n}\n",
    "The app is app.py. Write add in Groovy.": "def add(a, b) {\n    return a + b\n}\n",
}


@pytest.mark.parametrize("ask", BESIDE)
async def test_good_code_is_not_rejected_for_a_language_that_was_guessed(ask: str, tmp_path: Path):
    """Routing reads Python from the name of a file; nobody said that the answer is to be Python."""
    async with one_provider(tmp_path, Behaviour(text=BESIDE[ask])) as (running, _):
        answer = await running.chat("auto", messages=[{"role": "user", "content": ask}])
        (row,) = await running.rows(answer)
    assert row.detail.intent.language == "python"
    assert row.row.outcome == "ok" and not [v for v in row.detail.result.verdicts if v.rejected]


async def test_a_language_that_was_asked_for_still_counts(tmp_path: Path):
    async with one_provider(tmp_path, Behaviour(text="def f(:\n    return 1\n")) as (running, _):
        answer = await running.chat("auto", messages=[{"role": "user", "content": "Write f in Python."}])
        assert {r.row.outcome for r in await running.rows(answer)} == {"rejected"}
