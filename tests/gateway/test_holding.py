import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import Answer, Gateway, endpoint, gateway, one_provider, until
from tests.gateway.test_pipeline import Planner

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Frames, Script, Timing, ToolCall, Toxic
from suffice.values.verdict import Outcome, Verdict
from suffice.verify.view import AnswerView, AskView
from suffice.wire.chat_relay import ChatRelay

WRITE = {
    "name": "write_file",
    "parameters": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
        "additionalProperties": False,
    },
}
EDIT = {
    "name": "str_replace",
    "parameters": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "old_str": {"type": "string"}, "new_str": {"type": "string"}},
        "required": ["path", "old_str", "new_str"],
        "additionalProperties": False,
    },
}
READ = {"name": "read_file", "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}
TOOLS = [{"type": "function", "function": one} for one in (READ, WRITE, EDIT)]
SOURCE = "def add(a, b):\n    return a - b\n"
ASK: list[dict[str, Any]] = [
    {"role": "user", "content": "Fix the bug in calc.py."},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "r1", "type": "function", "function": {"name": "read_file", "arguments": '{"path": "calc.py"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "r1", "content": SOURCE},
]
RIGHT = {"path": "calc.py", "old_str": "    return a - b", "new_str": "    return a + b"}


def call(name: str, arguments: object) -> ToolCall:
    return ToolCall(name=name, arguments=arguments if isinstance(arguments, str) else json.dumps(arguments))


GOOD = Behaviour(text="Mending it.", tool_calls=(call("str_replace", RIGHT),))
MISTAKES = {
    "broken JSON": call("str_replace", json.dumps(RIGHT)[:-9]),
    "unknown tool": call("edit_the_file", RIGHT),
    "an edit that does not apply": call("str_replace", {**RIGHT, "old_str": "    return a * b"}),
    "truncated code": call("write_file", {"path": "calc.py", "content": "def add(a, b):\n    return (a +\n"}),
}


def bad(mistake: str, text: str = "Let me look.") -> Behaviour:
    return Behaviour(text=text, tool_calls=(MISTAKES[mistake],))


@asynccontextmanager
async def models(
    folder: Path, small: Script, big: Script, more: str = ""
) -> AsyncIterator[tuple[Gateway, FakeProvider, FakeProvider]]:
    """A small and a big model; the small one is always asked first."""
    async with FakeProvider(small, models=("m",)) as one, FakeProvider(big, models=("m",)) as two:
        toml = more + endpoint("small", one.base_url, provider="groq") + endpoint("big", two.base_url)
        async with gateway('[aliases]\ncoding = ["groq/m", "openai/m"]\n' + toml, folder) as running:
            running.runtime.state.router = lambda target: Planner()  # type: ignore[method-assign,assignment,return-value]
            yield running, one, two


async def ask(running: Gateway, mode: str = "gate-tools", model: str = "coding", **fields: Any) -> Answer:
    """One streamed request of an agent."""
    fields = {"stream": True, "tools": TOOLS, "messages": ASK, **fields}
    return await running.chat(model=model, headers={"x-suffice-mode": mode}, **fields)


def read(answer: Answer) -> Any:
    """What a client makes of the stream."""
    relay = ChatRelay()
    relay.feed(answer.body)
    assert relay.done
    return relay.answer()


def arguments(answer: Answer) -> list[tuple[str, Any]]:
    return [(name, json.loads(text)) for _, name, text in read(answer).tool_calls]


@pytest.mark.parametrize("mode", ["gate-tools", "buffer"])
@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_client_never_sees_a_bad_tool_call_and_gets_the_right_edit(mistake: str, mode: str, tmp_path: Path):
    async with models(tmp_path, bad(mistake), GOOD) as (running, _, big):
        answer = await ask(running, mode)
        story = await running.story(answer.request_id)
        assert await running.findings() == []
    assert arguments(answer) == [("str_replace", RIGHT)]
    assert MISTAKES[mistake].arguments not in answer.body.decode()
    # The prose is the first model's where it was seen, the second's where nothing was: never both.
    assert read(answer).text == ("Let me look." if mode == "gate-tools" else "Mending it.")
    rows = story.attempts
    assert [(r.row.endpoint, r.row.outcome) for r in rows] == [("small", "rejected"), ("big", "ok")]
    assert all(r.row.charge_nano > 0 for r in rows)
    assert story.charged == sum(r.row.charge_nano for r in rows)
    assert [v.gate for v in rows[0].detail.result.verdicts if v.rejected]
    # The stronger model was told what failed, behind an unchanged conversation.
    *before, told = json.loads(big.requests[0].body)["messages"]
    assert before == ASK
    assert "rejected by an automatic check" in told["content"]
    assert story.decision is not None
    assert f"mode:{mode}" in story.decision.signals


async def test_a_good_tool_call_goes_out_byte_for_byte(tmp_path: Path):
    async with models(tmp_path, GOOD, GOOD) as (running, small, big):
        held = await ask(running, "gate-tools")
        small.set_script(GOOD)
        plain = await ask(running, "commit")
    assert len(held.events) == len(plain.events)
    assert arguments(held) == arguments(plain) == [("str_replace", RIGHT)]
    assert not big.requests


async def test_the_comment_tells_of_the_exchange(tmp_path: Path):
    async with models(tmp_path, bad("broken JSON"), GOOD) as (running, *_):
        answer = await ask(running)
    (mark,) = [line for line in answer.body.decode().splitlines() if line.startswith(": suffice")]
    assert "tool-call" in mark
    assert "openai/m" in mark


async def test_when_the_plan_has_ended_the_same_model_is_asked_once_more_with_its_evidence(tmp_path: Path):
    async with one_provider(tmp_path, [bad("broken JSON"), GOOD]) as (running, fake):
        answer = await ask(running, model="openai/m")
        rows = await running.rows(answer)
    assert arguments(answer) == [("str_replace", RIGHT)]
    assert [r.row.outcome for r in rows] == ["rejected", "ok"]
    assert json.loads(fake.requests[1].body)["messages"][-1]["content"].startswith("Your previous answer")


async def test_when_nobody_does_better_the_first_answer_is_released_as_it_is(tmp_path: Path):
    async with one_provider(tmp_path, bad("unknown tool")) as (running, fake):
        answer = await ask(running, model="openai/m")
        rows = await running.rows(answer)
        assert await running.findings() == []
    assert len(fake.requests) == 2
    assert [r.row.outcome for r in rows] == ["rejected", "rejected"]
    assert read(answer).tool_calls[0][1] == "edit_the_file"


async def test_a_call_that_is_no_json_is_never_released(tmp_path: Path):
    async with one_provider(tmp_path, bad("broken JSON")) as (running, _):
        answer = await ask(running, model="openai/m")
        rows = await running.rows(answer)
        assert await running.findings() == []
    assert [r.row.outcome for r in rows] == ["rejected", "rejected"]
    assert b"tool_calls" not in answer.body
    assert answer.error["code"] == "invalid_tool_call"


async def test_prose_never_follows_another_answers_prose(tmp_path: Path):
    async with models(tmp_path, bad("unknown tool"), Behaviour(text="I would rather talk.")) as (running, *_):
        answer = await ask(running)
        rows = await running.rows(answer)
    assert read(answer).text == "Let me look."
    assert read(answer).tool_calls[0][1] == "edit_the_file"
    assert [r.row.outcome for r in rows] == ["rejected", "ok"]


async def test_without_visible_text_a_whole_new_answer_may_follow(tmp_path: Path):
    async with models(tmp_path, bad("broken JSON", text=""), Behaviour(text="It is fine as it is.")) as (running, *_):
        answer = await ask(running)
    assert read(answer).text == "It is fine as it is."
    assert read(answer).tool_calls == ()


async def test_text_that_was_seen_is_no_reason_to_ask_again(tmp_path: Path):
    script = Behaviour(text="```python\ndef f(:\n```", tool_calls=(call("str_replace", RIGHT),))
    async with models(tmp_path, script, GOOD) as (running, _, big):
        answer = await ask(running)
    assert arguments(answer) == [("str_replace", RIGHT)]
    assert not big.requests


async def test_a_failing_second_attempt_releases_what_was_held(tmp_path: Path):
    async with models(tmp_path, bad("unknown tool"), Behaviour(status=500)) as (running, *_):
        answer = await ask(running)
        rows = await running.rows(answer)
        assert await running.findings() == []
    assert read(answer).tool_calls[0][1] == "edit_the_file"
    assert [r.row.outcome for r in rows] == ["rejected", "failed"]


BROKEN = Behaviour(text="Hm.", tool_calls=GOOD.tool_calls, toxic=Toxic(cut_after_events=6))


async def test_a_stream_that_breaks_inside_a_call_is_made_up_for_by_another_model(tmp_path: Path):
    async with models(tmp_path, BROKEN, GOOD) as (running, *_):
        answer = await ask(running)
        rows = await running.rows(answer)
        assert await running.findings() == []
    assert (read(answer).text, arguments(answer)) == ("Hm.", [("str_replace", RIGHT)])
    assert [(r.row.endpoint, r.row.outcome) for r in rows] == [("small", "failed"), ("big", "ok")]
    assert rows[0].row.charge_nano > 0


async def test_what_makes_up_for_a_broken_stream_is_judged_too(tmp_path: Path):
    async with models(tmp_path, BROKEN, [bad("unknown tool"), GOOD]) as (running, *_):
        answer = await ask(running)
        rows = await running.rows(answer)
    assert arguments(answer) == [("str_replace", RIGHT)]
    assert [r.row.outcome for r in rows] == ["failed", "rejected", "ok"]


async def test_streams_that_all_break_while_held_release_nothing(tmp_path: Path):
    async with models(tmp_path, BROKEN, BROKEN) as (running, *_):
        answer = await ask(running)
        assert await running.findings() == []
    assert b"tool_calls" not in answer.body
    assert answer.error["message"]


async def test_a_stream_that_breaks_in_its_text_is_not_made_up_for(tmp_path: Path):
    broken = Behaviour(text="One two three four five six.", toxic=Toxic(cut_after_events=3))
    async with models(tmp_path, broken, GOOD) as (running, _, big):
        answer = await ask(running)
    assert answer.error["message"]
    assert not big.requests


async def test_usage_that_the_client_asked_for_is_the_sum_of_all_attempts(tmp_path: Path):
    async with models(tmp_path, bad("broken JSON"), GOOD) as (running, *_):
        answer = await ask(running, stream_options={"include_usage": True})
        rows = await running.rows(answer)
    relay = ChatRelay()
    relay.feed(answer.body)
    usage = relay.usage()
    assert usage is not None
    assert usage.completion_tokens == sum(r.detail.result.usage.completion_tokens for r in rows)
    assert usage.prompt_tokens == sum(r.detail.result.usage.prompt_tokens for r in rows)


async def test_text_is_seen_before_the_tool_call_is_whole(tmp_path: Path):
    """The provider waits between tokens for ever, as it were: what comes before the wait must not."""
    script = Behaviour(text="Seen.", tool_calls=GOOD.tool_calls, toxic=Toxic(stall_after_events=5))
    async with models(tmp_path, script, GOOD) as (running, small, _):
        seen = b""
        body = {"model": "coding", "stream": True, "tools": TOOLS, "messages": ASK}
        headers = {"x-suffice-mode": "gate-tools"}
        url = running.base_url + "/chat/completions"
        async with running.client.stream("POST", url, json=body, headers=headers) as got:
            async for chunk in got.aiter_raw():
                seen += chunk
                if b"Seen" in seen:
                    break
        assert b"tool_calls" not in seen
        # The client left in the middle of a held call: what was made is booked, the upstream connection is closed.
        await until(lambda: not small.open_connections)
        (row,) = await running.recent()
        assert row.row.outcome == "cancelled"
        assert await running.findings() == []


async def test_held_streams_are_kept_alive(tmp_path: Path):
    slow = Behaviour(tool_calls=GOOD.tool_calls, timing=Timing(between_tokens_s=0.05), frames=Frames(comments=False))
    for mode in ("gate-tools", "buffer"):
        async with models(tmp_path / mode, slow, GOOD) as (running, *_):
            running.runtime.pipeline.holding.keep_alive_s = 0.02
            answer = await ask(running, mode)
            assert answer.body.count(b": keep-alive") >= 1
            assert arguments(answer) == [("str_replace", RIGHT)]
            await asyncio.sleep(0)


CHECKED = {"x-suffice-mode": "gate-tools", "x-suffice-check": "tests"}
CHECKS = '[checks.tests]\ncommand = ["python3", "-m", "pytest"]\n'


async def test_a_held_edit_is_released_when_the_named_check_passes_on_it(tmp_path: Path):
    seen: list[str] = []

    async def run(name: str, answer: AnswerView, asked: AskView) -> Verdict:
        seen.append(answer.tool_calls[0].arguments + asked.files["calc.py"])
        wrong = "a * b" in answer.tool_calls[0].arguments
        outcome = Outcome.REJECT if wrong else Outcome.ACCEPT
        return Verdict(
            gate=f"check:{name}", outcome=outcome, reason="1 failed" if wrong else "1 passed", evidence="assert 2 == 3"
        )

    wrong = Behaviour(text="Let me look.", tool_calls=(call("str_replace", {**RIGHT, "new_str": "    return a * b"}),))
    async with models(tmp_path, wrong, GOOD, more=CHECKS) as (running, _, big):
        running.runtime.pipeline._judging._run_check = run
        body = {"model": "coding", "stream": True, "tools": TOOLS, "messages": ASK}
        answer = await running.post("/chat/completions", body, CHECKED)
        rows = await running.rows(answer)
    assert arguments(answer) == [("str_replace", RIGHT)]
    assert read(answer).text == "Let me look."
    assert len(seen) == 2 and SOURCE in seen[0]
    assert [[v.gate for v in r.detail.result.verdicts if v.gate.startswith("check:")] for r in rows] == [
        ["check:tests"]
    ] * 2
    assert "1 failed" in json.loads(big.requests[0].body)["messages"][-1]["content"]


async def test_text_without_a_call_is_not_held_for_the_check(tmp_path: Path):
    async def run(name: str, answer: AnswerView, asked: AskView) -> Verdict:
        raise AssertionError

    async with models(tmp_path, Behaviour(text="It is fine."), GOOD, more=CHECKS) as (running, _, big):
        running.runtime.pipeline._judging._run_check = run
        body = {"model": "coding", "stream": True, "tools": TOOLS, "messages": ASK}
        answer = await running.post("/chat/completions", body, CHECKED)
    assert read(answer).text == "It is fine."
    assert not big.requests


ROLE = "Edit with search/replace blocks. The file calc.py:\n\ncalc.py\n```python\n" + SOURCE + "```\n"
EDITS: list[dict[str, Any]] = [
    {"role": "system", "content": ROLE},
    {"role": "user", "content": "Fix the bug in calc.py: add subtracts."},
]


def block(old: str, new: str) -> str:
    return f"calc.py\n```python\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"


WRONG = block("    return a * b", "    return a + b")
FITTING = block("    return a - b", "    return a + b")


@pytest.mark.parametrize(
    "wrong",
    [
        WRONG,
        "calc.py\n```python\ndef add(a, b):\n    return (a +\n```\n",
        "*** Begin Patch\n*** Update File: calc.py\n@@\n-    return a * b\n+    return a + b\n*** End Patch\n",
        "```diff\n--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a * b\n+    return a + b\n```\n",
    ],
)
async def test_an_edit_in_the_text_is_held_judged_and_replaced_by_an_edit_alone(wrong: str, tmp_path: Path):
    small = Behaviour(text=f"The sign is wrong.\n\n{wrong}That is all.")
    big = Behaviour(text=f"Here you are.\n\n{FITTING}Tell me if it fails.")
    async with models(tmp_path, small, big) as (running, *_):
        answer = await ask(running, tools=None, messages=EDITS)
        rows = await running.rows(answer)
        assert await running.findings() == []
    assert [r.row.outcome for r in rows] == ["rejected", "ok"]
    assert answer.text.startswith("The sign is wrong.\n\n")
    assert FITTING in answer.text
    assert "a * b" not in answer.text and "(a +" not in answer.text
    assert "Here you are" not in answer.text and "Tell me" not in answer.text
    assert read(answer).finish_reason == "stop"


async def test_a_fitting_edit_in_the_text_goes_out_as_it_came_and_prose_is_not_held(tmp_path: Path):
    text = f"The sign is wrong.\n\n{FITTING}That is all."
    async with models(tmp_path, Behaviour(text=text), GOOD) as (running, _, big):
        assert (await ask(running, tools=None, messages=EDITS)).text == text
        assert not big.requests
    talk = Behaviour(text="I would not change it.")
    async with models(tmp_path / "b", Behaviour(text=f"Hm.\n{WRONG}"), talk) as (running, *_):
        # An answer without an edit cannot take the place of one: what was held goes out.
        assert (await ask(running, tools=None, messages=EDITS)).text == f"Hm.\n{WRONG}"
