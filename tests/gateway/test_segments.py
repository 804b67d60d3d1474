import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import Answer, Gateway, endpoint, gateway
from tests.gateway.test_holding import TOOLS

from suffice.decision.progress import Progress
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour

MISSED = "No replacement was performed, old_str `x` did not appear verbatim in calc.py."
TESTS = "1 failed in 0.02s"
# A failure that costs nobody anything: the planner begins with the cheapest model.
CHEAP = {"x-suffice-repair-usd": "0"}
DEAR = "{ input_usd_per_mtok = 3, output_usd_per_mtok = 30 }"


@asynccontextmanager
async def agents(folder: Path, routing: str = "") -> AsyncIterator[Gateway]:
    async with models(folder, routing) as (running, *_):
        yield running


@asynccontextmanager
async def models(folder: Path, routing: str = "") -> AsyncIterator[tuple[Gateway, FakeProvider, FakeProvider]]:
    """A cheap and a dear model behind one alias; the real planner chooses."""
    async with FakeProvider(Behaviour(), models=("m",)) as one, FakeProvider(Behaviour(), models=("m",)) as two:
        toml = f'[routing]\nreference_model = "openai/m"\n{routing}\n[aliases]\ncoding = ["groq/m", "openai/m"]\n'
        toml += endpoint("small", one.base_url, provider="groq") + endpoint("big", two.base_url, price=DEAR)
        async with gateway(toml, folder) as running:
            yield running, one, two


def conversation(*results: str, tool: str = "str_replace") -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Fix the bug in calc.py."}]
    for number, result in enumerate(results):
        function = {"name": tool, "arguments": json.dumps({"path": "calc.py", "n": number})}
        calls = [{"id": f"c{number}", "type": "function", "function": function}]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": result})
    return messages


async def turns(running: Gateway, *results: str, tool: str = "str_replace") -> list[Answer]:
    """An agent's run: one request per result, each with all before it."""
    return [
        await running.chat("coding", CHEAP, tools=TOOLS, messages=conversation(*results[:n], tool=tool))
        for n in range(len(results) + 1)
    ]


def progress(running: Gateway) -> Progress:
    sessions = running.runtime.reading.sessions
    (key,) = sessions
    session = sessions.peek(key, running.runtime.env.monotonic())
    assert session is not None
    return session.progress


async def signals(running: Gateway, answer: Answer) -> tuple[str, ...]:
    decision = (await running.story(answer.request_id)).decision
    assert decision is not None
    return tuple(decision.signals)


async def test_events_are_counted_and_recorded_and_by_default_change_nothing(tmp_path: Path):
    async with agents(tmp_path) as running:
        answers = await turns(running, MISSED, MISSED, TESTS)
        seen = [await signals(running, answer) for answer in answers]
        counted = progress(running)
    assert {a.headers["x-suffice-endpoint"] for a in answers} == {answers[0].headers["x-suffice-endpoint"]}
    assert "edit_failed" not in seen[0]
    assert "edit_failed" in seen[1]
    assert {"edit_failed", "same_error"} <= set(seen[2])
    assert {"tests_failed", "tests_failed_after_edit"} <= set(seen[3])
    assert "intervened" not in {name for names in seen for name in names}
    assert (counted.turns, counted.edits_failed, counted.same_error, counted.failed_after_edit) == (3, 2, 1, 1)


async def test_an_allowed_event_moves_the_session_after_two_confirmations_and_it_stays(tmp_path: Path):
    async with agents(tmp_path, 'interventions = ["edit_failed"]\npilot = false') as running:
        answers = await turns(running, MISSED, MISSED, "1 passed in 0.02s", "fine")
        seen = [await signals(running, answer) for answer in answers]
    first, second, *rest = [a.headers["x-suffice-endpoint"] for a in answers]
    assert first == second == "small"
    assert rest == ["big"] * 3
    assert ["intervened" in names for names in seen] == [False, False, True, False, False]


async def test_the_same_request_again_is_counted_once(tmp_path: Path):
    async with agents(tmp_path, 'interventions = ["edit_failed"]\npilot = false') as running:
        for _ in range(3):
            answer = await running.chat("coding", CHEAP, tools=TOOLS, messages=conversation(MISSED))
        counted = progress(running)
    assert (counted.turns, counted.edits_failed, counted.latch.escalated) == (1, 1, False)
    assert answer.status == 200


async def test_reading_is_no_writing(tmp_path: Path):
    async with agents(tmp_path) as running:
        await turns(running, "a", "b", tool="read_file")
        assert progress(running).idle == 2


async def test_a_cheap_model_that_says_it_is_done_is_counted_when_the_user_comes_back(tmp_path: Path):
    async with agents(tmp_path) as running:
        await turns(running, "edited")
        more = [{"role": "assistant", "content": "All done."}, {"role": "user", "content": "It still fails."}]
        answer = await running.chat("coding", CHEAP, tools=TOOLS, messages=[*conversation("edited"), *more])
        assert "done_declared" in await signals(running, answer)
        assert progress(running).done_declared == 1


@pytest.mark.parametrize(
    "content", ["x" * 100_000, "\ud83d".encode("utf-16", "surrogatepass").hex(), "", "\u2028\r\r\n"]
)
async def test_odd_results_harm_no_request(content: str, tmp_path: Path):
    async with agents(tmp_path) as running:
        answers = await turns(running, content)
    assert [a.status for a in answers] == [200, 200]


def items(*results: str) -> list[dict[str, Any]]:
    """The same run in Responses: two parallel calls a turn, the last of which writes."""
    made: list[dict[str, Any]] = [{"role": "user", "content": "Fix the bug in calc.py."}]
    for number, result in enumerate(results):
        for name, output in (("read_file", result), ("str_replace", "edited")):
            made.append({"type": "function_call", "call_id": f"{name}{number}", "name": name, "arguments": "{}"})
            made.append({"type": "function_call_output", "call_id": f"{name}{number}", "output": output})
        calls, outputs = made[-4::2], made[-3::2]
        made[-4:] = [*calls, *outputs]
    return made


def contents(*results: str) -> list[dict[str, Any]]:
    """The same run in Gemini's dialect."""
    made: list[dict[str, Any]] = [{"role": "user", "parts": [{"text": "Fix the bug in calc.py."}]}]
    for result in results:
        made.append({"role": "model", "parts": [{"functionCall": {"name": "str_replace", "args": {}}}]})
        response = {"name": "str_replace", "response": {"output": result}}
        made.append({"role": "user", "parts": [{"functionResponse": response}]})
    return made


FUNCTIONS = [{"name": t["function"]["name"], "parametersJsonSchema": t["function"]["parameters"]} for t in TOOLS]
DIALECTS: dict[str, Any] = {
    "responses": lambda *results: (
        "/responses",
        {"model": "coding", "input": items(*results), "tools": [{"type": "function", **t["function"]} for t in TOOLS]},
    ),
    "gemini": lambda *results: (
        "v1beta/models/coding:generateContent",
        {"contents": contents(*results), "tools": [{"functionDeclarations": FUNCTIONS}]},
    ),
}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_runs_of_clients_that_keep_no_messages_are_counted_too(dialect: str, tmp_path: Path):
    async with agents(tmp_path) as running:
        for results in ((), (MISSED,), (MISSED, TESTS)):
            path, body = DIALECTS[dialect](*results)
            answer = await running.post(path, body, CHEAP)
            assert answer.status == 200, answer.body
        counted = progress(running)
        said = await signals(running, answer)
        # A cheap model ends in words, and the user comes back.
        path, body = DIALECTS[dialect](MISSED)
        done = [{"role": "assistant", "content": "All done."}, {"role": "user", "content": "It still fails."}]
        parts = [
            {"role": {"assistant": "model"}.get(m["role"], m["role"]), "parts": [{"text": m["content"]}]} for m in done
        ]
        body[{"gemini": "contents"}.get(dialect, "input")] += parts if dialect == "gemini" else done
        back = await running.post(path, body, CHEAP)
        assert "done_declared" in await signals(running, back)
    assert {"tests_failed", "tests_failed_after_edit"} <= set(said)
    assert (counted.turns, counted.edits_failed, counted.failed_after_edit, counted.idle) == (2, 1, 1, 0)
