"""What a decision that breaks comes to, and when a plan may be made again."""

from pathlib import Path

import pytest
from tests.gateway.running import endpoint, gateway

from suffice.decision.router import RouteRequest
from suffice.decision.virtual import Rule, Target
from suffice.gateway.deciding import again
from suffice.gateway.state import State
from suffice.testing.fake_upstream import FakeProvider
from suffice.values.task import Features, TaskType


async def test_a_decision_that_breaks_is_served_by_the_default_model_and_counted(tmp_path: Path, monkeypatch):
    async with (
        FakeProvider(models=("a",)) as one,
        gateway(endpoint("one", one.base_url, model="a"), tmp_path) as running,
    ):

        def broken(self, target):
            raise ZeroDivisionError("no plan")

        monkeypatch.setattr(State, "router", broken)
        answer = await running.chat(model="auto")
        assert answer.status == 200
        plan = (await running.story(answer.request_id)).decision.plan
        assert (plan.fallback, plan.alarm) == ("default", "ZeroDivisionError: no plan")
        assert len(running.runtime.reading.deciding.watch._failed) == 1


async def test_only_a_plan_that_rests_on_a_check_is_made_again(tmp_path: Path):
    async with (
        FakeProvider(models=("a",)) as one,
        gateway(endpoint("one", one.base_url, model="a"), tmp_path) as running,
    ):
        state, target = running.runtime.state, Target(name="auto", rule=Rule.AUTO)
        for gate, attempts, expected in (("complete", 3, True), ("complete", 1, False), ("", 3, False)):
            asked = RouteRequest(features=Features(task=TaskType.EDIT), target=target, gate=gate, attempts=attempts)
            plan = running.runtime.reading.deciding.plan(state, asked)
            assert (again(state, asked, plan) is not None) is expected


@pytest.mark.parametrize("model", ["openai/a", "auto"])
async def test_seconds_of_every_decision_are_told(tmp_path: Path, model: str):
    async with (
        FakeProvider(models=("a",)) as one,
        gateway(endpoint("one", one.base_url, model="a"), tmp_path) as running,
    ):
        told: list[float] = []
        running.runtime.reading.deciding._decided = told.append
        assert (await running.chat(model=model)).status == 200
        assert len(told) == 1 and told[0] >= 0.0
