import random
from pathlib import Path
from typing import Any

from tests.gateway.running import endpoint, gateway

from suffice.decision.fallback import QUIET_S, Rung
from suffice.gateway.ladder import DECISIONS, FAILED_DECISIONS, FEWEST_LABELS, FEWEST_TURNS, LOOK_S, Watch
from suffice.testing.fake_upstream import FakeProvider


class Clock:
    def __init__(self) -> None:
        self.s = 1000.0

    def monotonic(self) -> float:
        return self.s


def watch() -> tuple[Watch, Clock]:
    clock = Clock()
    return Watch(clock), clock  # type: ignore[arg-type]


def test_failed_decisions_lower_it_at_once_and_a_quiet_hour_brings_it_back() -> None:
    one, clock = watch()
    for _ in range(FAILED_DECISIONS - 1):
        one.decided(failed=True)
    assert one.standing().rung is Rung.PLAN
    one.decided(failed=True)
    assert (one.standing().rung, one.standing().alarm) == (Rung.CASCADE, "decision-failed")
    clock.s += LOOK_S
    assert one.standing().rung is Rung.CASCADE
    clock.s += QUIET_S
    assert one.standing().rung is Rung.PLAN


def test_old_failures_are_forgotten() -> None:
    one, clock = watch()
    for number in range(FAILED_DECISIONS * DECISIONS):
        one.decided(failed=number % DECISIONS == 0)
    clock.s += LOOK_S
    assert one.standing().rung is Rung.PLAN


def test_predictions_that_are_off_lower_it_and_calibrated_ones_do_not() -> None:
    draw = random.Random(5)
    for p, truth, rung in ((0.9, 0.6, Rung.CASCADE), (0.6, 0.6, Rung.PLAN)):
        one, clock = watch()
        for _ in range(FEWEST_LABELS - 1):
            one.judged(p, right=draw.random() < truth)
        clock.s += LOOK_S
        assert one.standing().rung is Rung.PLAN  # too few to tell
        one.judged(p, right=True)
        clock.s += LOOK_S
        assert one.standing().rung is rung
        assert ("ECE" in one.standing().alarm) is (rung is Rung.CASCADE)


def test_too_many_moves_of_warm_conversations_lower_it() -> None:
    one, clock = watch()
    for number in range(FEWEST_TURNS):
        one.turned(moved=number % 5 == 0)
    clock.s += LOOK_S
    assert one.standing().rung is Rung.CASCADE
    assert "switching" in one.standing().alarm


def test_a_revoked_guarantee_lowers_it_by_one_rung_at_the_next_decision_and_only_once() -> None:
    one, clock = watch()
    one.contradicted("bug-fix")
    assert one.standing().rung is Rung.CASCADE and "bug-fix" in one.standing().alarm
    clock.s += LOOK_S
    assert one.standing().rung is Rung.CASCADE
    one.contradicted("edit")
    assert one.standing().rung is Rung.SINGLE
    clock.s += 2 * QUIET_S
    assert one.standing().rung is Rung.CASCADE


async def test_after_repeated_failures_the_fixed_cascade_serves_and_explain_names_the_alarm(
    tmp_path: Path, monkeypatch: Any
):
    async with FakeProvider(models=("m", "n")) as fake:
        toml = endpoint("one", fake.base_url, model="m") + endpoint("two", fake.base_url, model="n")
        head = '[routing]\ndefault_model = "openai/m"\ncascade = ["openai/n", "openai/m"]\n'
        async with gateway(head + toml, tmp_path) as running:
            with monkeypatch.context() as broken:
                broken.setattr(running.runtime.state, "router", lambda target: 1 / 0)
                for _ in range(FAILED_DECISIONS):
                    assert (await running.chat(model="auto")).headers["x-suffice-fallback"] == "default"
                other = [{"role": "user", "content": "Another conversation: the warm one stays where it is."}]
                answer = await running.chat(model="auto", messages=other)
            assert answer.status == 200
            assert answer.headers["x-suffice-fallback"] == "fixed-cascade"
            assert answer.headers["x-suffice-model"] == "openai/n"
            story = await running.story(answer.request_id)
            assert story.decision is not None and story.decision.plan is not None
            assert story.decision.plan.alarm == "decision-failed"
            pinned = await running.chat(model="openai/m")
            assert "x-suffice-fallback" not in pinned.headers
