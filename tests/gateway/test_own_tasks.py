"""Results on a team's own tasks, taken by a gateway: what they teach reaches its next plan."""

import json
from pathlib import Path

import pytest
from tests.gateway.running import endpoint, gateway

from suffice.errors import NotFoundError, RequestError
from suffice.gateway.own_tasks import MOST, OwnTasks
from suffice.testing.fake_upstream import FakeProvider

ASK = [{"role": "user", "content": "Fix the bug in this Python function:\n```python\ndef f(): return 1/0\n```"}]


def body(model: str, right: bool, n: int = 30, **more: object) -> bytes:
    rows = [{"task": f"t{i}", "right": right, "others": {"openai/old": i % 2 == 0}} for i in range(n)]
    return json.dumps({"model": model, "kind": "bug-fix", "language": "python", "results": rows, **more}).encode()


async def test_results_reach_the_next_plan_once_and_outlive_the_process(tmp_path: Path):
    async with FakeProvider(models=("old", "new")) as one:
        toml = endpoint("one", one.base_url, model="old") + endpoint("two", one.base_url, model="new")

        async def success(running) -> dict[str, float]:
            answer = await running.chat(model="auto", messages=ASK)
            plan = (await running.story(answer.request_id)).decision.plan
            return {c.arm.model: c.p_success for c in plan.candidates}

        async with gateway(toml, tmp_path) as running:
            runtime = running.runtime
            own = OwnTasks(runtime.core, lambda: runtime.state, runtime.env.now)
            before = await success(running)
            told = own.take(body("openai/new", True))
            assert (told["learned"], told["repeated"]) == (30, 0)
            assert told["success"] > told["success_before"] and told["success_sd"] < told["success_before_sd"]
            after = await success(running)
            assert after["openai/new"] > before["openai/new"] + 0.1
            assert after["openai/old"] == pytest.approx(before["openai/old"])
            assert own.take(body("openai/new", True))["learned"] == 0
        async with gateway(toml, tmp_path) as running:
            assert (await success(running))["openai/new"] == pytest.approx(after["openai/new"], abs=1e-6)


async def test_what_is_wrong_is_told_and_teaches_nothing(tmp_path: Path):
    async with (
        FakeProvider(models=("old",)) as one,
        gateway(endpoint("one", one.base_url, model="old"), tmp_path) as running,
    ):
        runtime = running.runtime
        own, version = OwnTasks(runtime.core, lambda: runtime.state, runtime.env.now), runtime.core.version
        with pytest.raises(NotFoundError, match="no configured endpoint"):
            own.take(body("openai/never-heard", True))
        for wrong in (
            b"{", b"[]", body("openai/old", True, n=0), body("openai/old", True, n=MOST + 1), body("openai/old", True, kind="knitting"),
            body("openai/old", True, more=1), json.dumps({"model": "m", "kind": "edit", "results": [{"task": ""}]}).encode(),
        ):  # fmt: skip
            with pytest.raises(RequestError):
                own.take(wrong)
        assert runtime.core.version == version
