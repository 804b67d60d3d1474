"""A run whose model is changed by an intervention: the next model gets a brief, the record says what the change lost."""

import json
from pathlib import Path

import pytest
from tests.gateway.test_segments import CHEAP, DIALECTS, MISSED, Gateway, conversation, models, signals, turns

KEY = "sk-canary0123456789abcdef"
ALLOWED = 'interventions = ["edit_failed"]\npilot = false'


async def run(running: Gateway, dialect: str, *results: str) -> list[str]:
    """One request for each turn of a run; returns the endpoints that answered."""
    answers = []
    for count in range(len(results) + 1):
        path, body = DIALECTS[dialect](*results[:count])
        answers.append(await running.post(path, body, CHEAP))
    assert [a.status for a in answers] == [200] * len(answers)
    return [a.headers["x-suffice-endpoint"] for a in answers]


async def test_a_run_is_handed_over_once_with_a_brief_and_what_it_lost(tmp_path: Path):
    async with models(tmp_path, ALLOWED) as (running, small, big):
        answers = await turns(running, MISSED, f"{MISSED} {KEY}", "fine", "fine")
        seen = [await signals(running, answer) for answer in answers]
        bodies = [request.parsed for request in big.requests]
    assert [a.headers["x-suffice-endpoint"] for a in answers] == ["small", "small", "big", "big", "big"]
    told = bodies[0]["messages"][-1]
    assert told["role"] == "user"
    assert "its edits did not apply" in told["content"]
    assert "Asked: Fix the bug in calc.py." in told["content"]
    assert "str_replace (2)" in told["content"]
    assert KEY not in told["content"]
    # The client's own conversation stands before it, byte for byte, and the turns after it are the client's alone.
    assert bodies[0]["messages"][:-1] == conversation(MISSED, f"{MISSED} {KEY}")
    assert "Another model" not in json.dumps(bodies[1:])
    assert not [r for r in small.requests if b"Another model" in r.body]
    assert "handed-over-from:groq/m" in seen[2]
    lost = next(int(s.partition(":")[2]) for s in seen[2] if s.startswith("cache-tokens-lost:"))
    assert lost > 0
    assert not [s for names in (*seen[:2], *seen[3:]) for s in names if s.startswith("handed-over")]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_clients_of_other_dialects_are_handed_over_too(dialect: str, tmp_path: Path):
    async with models(tmp_path, ALLOWED) as (running, _, big):
        assert await run(running, dialect, MISSED, MISSED) == ["small", "small", "big"]
        (request,) = big.requests
    assert b"its edits did not apply" in request.body


async def test_a_change_without_an_intervention_hands_nothing_over(tmp_path: Path):
    async with models(tmp_path) as (running, small, big):
        await turns(running, MISSED, MISSED)
        assert not [r for r in (*small.requests, *big.requests) if b"Another model" in r.body]
