"""What follows a verdict: asked of a real router, with turns as the pipeline leaves them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from suffice.decision.belief import Onward
from suffice.decision.cascade import Move
from suffice.gateway.onward import follow
from suffice.gateway.turn import Attempted
from suffice.values.money import NanoUsd
from suffice.values.plan import Action, Arm, Mode, Plan, Step
from suffice.values.usage import Usage
from suffice.values.verdict import Outcome

SMALL, MIDDLE, LARGE = (Arm(model=f"a/{name}", endpoint="a") for name in ("small", "middle", "large"))


def turn(reconsider: Any, *arms: Arm, outcome: str = "rejected", gate: str = "check:ci") -> Any:
    steps = tuple(Step(arm=arm, reach=1.0, p_success=0.5, cost=NanoUsd(1)) for arm in (SMALL, MIDDLE, LARGE))
    plan = Plan(steps=steps, expected_total=NanoUsd(1), p_complete=0.5, repair=NanoUsd(1), propensity=1.0, reason="t")
    tried = [
        Attempted(number=at, arm=arm, outcome=outcome, cost_nano=1, usage=Usage(output_tokens=70))
        for at, arm in enumerate(arms, 1)
    ]
    return SimpleNamespace(
        plan=plan, tried=tried, answered=tuple(arms), cap=3, reconsider=reconsider, gate=gate, given=-1
    )


def onward(arm: Arm | None) -> Onward:
    return Onward(arm=arm, p_right=(0.1,), continue_usd=1.0, stop_usd=2.0, why="because")


def go(t: Any, outcome: Outcome = Outcome.REJECT) -> Move:
    return follow(t, outcome)


def test_the_new_plan_replaces_the_next_step_and_says_why() -> None:
    asked = []

    def answer(tried: Any) -> Onward:
        asked.append(tried)
        return onward(LARGE)

    t = turn(answer, SMALL)
    move = go(t)
    assert (move.action, move.arm) == (Action.ESCALATE, LARGE)
    assert t.plan.binding == ("because",)
    assert [(one.arm, one.accepted, one.output_tokens) for one in asked[0]] == [(SMALL, False, 70)]
    stop = go(turn(lambda tried: onward(None), SMALL))
    assert (stop.action, stop.arm) == (Action.STOP, None)


def test_without_an_answer_or_with_a_broken_one_the_first_plan_goes_on() -> None:
    def broken(tried: Any) -> Onward:
        raise ValueError("no")

    for reconsider in (None, lambda tried: None, broken):
        move = go(turn(reconsider, SMALL))
        assert (move.action, move.arm) == (Action.ESCALATE, MIDDLE)


def test_a_retry_with_evidence_is_not_planned_again_nor_is_what_nobody_judged() -> None:
    retried = Arm(model="a/small", endpoint="a", mode=Mode.RETRY)
    move = go(turn(lambda tried: onward(LARGE), SMALL, retried))
    assert move.arm == MIDDLE
    assert go(turn(lambda tried: onward(LARGE), SMALL), Outcome.UNKNOWN).action is Action.ACCEPT


def test_an_accepted_answer_is_asked_about_only_where_the_check_ran_the_code() -> None:
    passed = {"outcome": "ok"}
    move = go(turn(lambda tried: onward(LARGE), SMALL, **passed), Outcome.ACCEPT)
    assert (move.action, move.arm) == (Action.ESCALATE, LARGE)
    kept = turn(lambda tried: onward(None), SMALL, **passed)
    assert go(kept, Outcome.ACCEPT).action is Action.ACCEPT and kept.plan.binding == ()
    read = turn(lambda tried: onward(LARGE), SMALL, gate="complete", **passed)
    assert go(read, Outcome.ACCEPT).action is Action.ACCEPT and read.given == -1


def test_the_answer_most_likely_right_is_given_the_later_among_equals() -> None:
    def said(*p: float) -> Any:
        return lambda tried: Onward(arm=None, p_right=p, continue_usd=1.0, stop_usd=1.0, why="because")

    for p, given in (((0.6, 0.2), 0), ((0.2, 0.6), 1), ((0.4, 0.4), 1)):
        t = turn(said(*p), SMALL, MIDDLE)
        go(t)
        assert t.given == given
    reading = turn(said(0.6, 0.2), SMALL, MIDDLE, gate="complete")
    go(reading)
    assert reading.given == -1
