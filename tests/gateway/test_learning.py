from pathlib import Path

import pytest
from tests.gateway.running import one_provider

from suffice.decision.core import Core
from suffice.decision.latency import FEWEST
from suffice.testing.script import Behaviour, Timing

BROKEN = Behaviour(text="```python\ndef add(a, b:\n    return a +\n```")
ASK = [{"role": "user", "content": "Write a Python function add(a, b) that returns the sum."}]


async def taught(folder: Path, script: Behaviour, monkeypatch: pytest.MonkeyPatch, model: str) -> list[bool]:
    """What the core was told of one request's answer."""
    labels: list[bool] = []
    learn = Core.learn

    def spy(self: Core, **more: object) -> object:
        labels.append(bool(more["success"]))
        return learn(self, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Core, "learn", spy)
    async with one_provider(folder, script) as (running, _):
        assert (await running.chat(model=model, messages=ASK)).status == 200
    return labels


async def test_a_rejection_teaches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert await taught(tmp_path, BROKEN, monkeypatch, "auto") == [False]


async def test_an_answer_that_nobody_ran_teaches_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    good = Behaviour(text="```python\ndef add(a, b):\n    return a + b\n```")
    assert await taught(tmp_path, good, monkeypatch, "auto") == []


async def test_a_pinned_request_teaches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert await taught(tmp_path, BROKEN, monkeypatch, "openai/m") == []


@pytest.mark.parametrize("path", ["/chat/completions", "/messages", "/responses"])
async def test_answers_of_every_conversation_teach_how_long_an_arm_takes(path: str, tmp_path: Path):
    async with one_provider(tmp_path, Behaviour(timing=Timing(before_head_s=0.01))) as (running, _):
        said = {"input" if path == "/responses" else "messages": ASK, "max_tokens": 500, "model": "auto"}
        for _ in range(FEWEST):
            assert (await running.post(path, said)).status == 200
        (arm,) = running.runtime.state.fleet.by_arm
        assert running.runtime.reading.latencies.within(arm, 600.0) is not None
