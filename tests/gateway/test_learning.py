from pathlib import Path

import pytest
from tests.gateway.running import Answer, Gateway, endpoint, gateway, one_provider

from suffice.cli.explain_view import render
from suffice.decision.core import Core
from suffice.decision.latency import FEWEST
from suffice.testing.fake_upstream import FakeProvider
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


async def test_what_is_learned_of_a_repository_reaches_its_next_request_and_outlives_the_process(tmp_path: Path):
    async with FakeProvider(models=("a",)) as one:
        toml = endpoint("one", one.base_url, model="a")

        async def asked(running: Gateway, session: str, headers: dict[str, str], system: str = "") -> Answer:
            messages = [
                {"role": "system", "content": system or "You help."},
                {"role": "user", "content": "Fix the bug in sort()."},
            ]
            answer = await running.chat(model="auto", messages=messages, headers={"x-session-id": session, **headers})
            assert answer.status == 200
            return answer

        async def success(running: Gateway, answer: Answer) -> float:
            return (await running.story(answer.request_id)).decision.plan.candidates[0].p_success

        agent = "<env>\nWorking directory: /srv/ann/shop\n</env>"
        async with gateway(toml, tmp_path) as running:
            for number in range(8):
                answer = await asked(running, f"s{number}", {}, agent)
                report = {"request_id": answer.request_id, "kind": "tests_failed", "source": "ci"}
                assert (await running.post("/outcomes", report)).json["learned"] == 1
            here = await asked(running, "next", {}, agent)
            named = await asked(running, "named", {"x-suffice-repo": "/srv/ann/shop"})
            elsewhere = await asked(running, "else", {"x-suffice-repo": "/srv/ann/other"})
            nowhere = await asked(running, "none", {})
            p = [await success(running, answer) for answer in (here, named, elsewhere, nowhere)]
            assert p[0] == p[1] < p[2] == p[3]
            story = await running.story(here.request_id)
            assert "/home/ann" not in " ".join(story.decision.signals)
            assert not any(name.lower() == b"x-suffice-repo" for request in one.requests for name, _ in request.headers)
            assert "what weighed: difficulty of this repository" in "\n".join(render(story, 120))
            assert "difficulty of this repository" not in "\n".join(
                render(await running.story(nowhere.request_id), 120)
            )
            counted = running.runtime.core.holder.current.calibration
            assert [(task, known.count) for task, known in counted] == [("bug-fix", 8)]
        async with gateway(toml, tmp_path) as running:
            again = await asked(running, "after", {"x-suffice-repo": "/srv/ann/shop"})
            assert await success(running, again) == pytest.approx(p[0], abs=1e-6)
            assert running.runtime.core.holder.current.calibration == counted
