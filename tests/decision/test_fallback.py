from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.fallback import (
    QUIET_S,
    Health,
    Ladder,
    Ranked,
    Rung,
    alarms,
    fixed_order,
    fixed_plan,
    for_request,
    step,
)
from suffice.decision.policy import ArmFacts, DataClass
from suffice.decision.router import RouteRequest
from suffice.decision.sessions import Session
from suffice.decision.virtual import Rule, Target
from suffice.values.plan import Arm
from suffice.values.task import Features, TaskType


@pytest.mark.parametrize(
    ("health", "word"),
    [
        (Health(ece=0.2), "ECE"), (Health(regret_low_usd=0.1, regret_hours=25), "regret"),
        (Health(cache_hit_drop=0.3), "cache"), (Health(switches_per_turn=0.2), "switching"),
        (Health(fpr_width=0.4), "verifier"), (Health(decision_failed=True), "decision"),
    ],
)  # fmt: skip
def test_every_alarm_steps_down_and_is_named(health: Health, word: str) -> None:
    assert alarms(Health()) == ()
    down = step(Ladder(), health, 10.0)
    assert down.rung is Rung.CASCADE and word in down.alarm


def test_it_ends_at_the_default_arm_and_climbs_one_rung_per_quiet_hour() -> None:
    ladder = Ladder()
    for t in range(9):
        ladder = step(ladder, Health(ece=0.5), float(t))
    assert ladder.rung is Rung.DEFAULT
    assert step(ladder, Health(), 100.0) == ladder
    up = step(ladder, Health(), 8.0 + QUIET_S)
    assert up.rung is Rung.SINGLE and up.alarm
    assert step(up, Health(), 0.0).rung is Rung.SINGLE
    for n in range(2, 5):
        up = step(up, Health(), 8.0 + n * QUIET_S)
    assert up.rung is Rung.PLAN and up.alarm == ""
    assert step(ladder, Health(), float("nan")).rung is Rung.DEFAULT


def test_one_failed_plan_does_not_move_the_ladder() -> None:
    assert for_request(Ladder(), failed=True).rung is Rung.DEFAULT
    assert for_request(Ladder(), failed=False) == Ladder()


def ranked(name: str, p: float, price: float, **facts: Any) -> Ranked:
    return Ranked(facts=ArmFacts(arm=Arm(model=f"x/{name}", endpoint="e"), **facts), p=p, price=price)


POOL = (
    ranked("weak", 0.1, 0.1),
    ranked("small", 0.4, 1),
    ranked("dull", 0.3, 5),
    ranked("mid", 0.6, 9),
    ranked("big", 0.7, 80),
)
HELD = Ladder(rung=Rung.CASCADE, alarm="calibration: ECE 0.200 > 0.1")


def asked(**request: Any) -> RouteRequest:
    base = {"features": Features(task=TaskType.EDIT), "target": Target(name="auto", rule=Rule.AUTO), "attempts": 3}
    return RouteRequest(**{**base, **request})


def names(plan: Any) -> list[str]:
    return [step.arm.model for step in plan.steps]


def test_the_fixed_rungs_go_cheap_to_dear_and_name_the_alarm() -> None:
    plan = fixed_plan(HELD, POOL, asked())
    assert plan is not None
    assert names(plan) == ["x/small", "x/mid", "x/big"]
    assert (plan.fallback, plan.alarm, plan.propensity) == ("fixed-cascade", HELD.alarm, 1.0)
    assert HELD.alarm in plan.reason
    single = fixed_plan(Ladder(rung=Rung.SINGLE, alarm="a"), POOL, asked())
    assert single is not None
    assert names(single) == ["x/big"]


@pytest.mark.parametrize(
    ("request_", "configured", "wanted"),
    [
        ({}, ("x/mid", "x/weak", "x/gone"), ["x/mid", "x/weak"]),
        ({"attempts": 1}, (), ["x/small"]),
        ({"allowed_models": frozenset({"x/dull", "x/weak"})}, (), ["x/dull"]),
        ({"down": {Arm(model="x/big", endpoint="e"): "resting"}}, (), ["x/small", "x/mid"]),
        (
            {"session": Session(created_s=0, used_s=0, tried=(Arm(model="x/small", endpoint="e"),))},
            (),
            ["x/mid", "x/big"],
        ),
    ],
)
def test_constraints_and_the_operators_own_cascade_hold(request_: Any, configured: Any, wanted: list[str]) -> None:
    plan = fixed_plan(HELD, POOL, asked(**request_), configured)
    assert plan is not None
    assert names(plan) == wanted


def test_a_warm_conversation_only_goes_up_and_restricted_data_goes_nowhere_else() -> None:
    arm = Arm(model="x/mid", endpoint="e")
    warm = Session(created_s=0, used_s=0, pinned=arm, warm_until_s={arm: 100.0})
    plan = fixed_plan(HELD, POOL, asked(session=warm, now_s=1.0))
    assert plan is not None
    assert names(plan) == ["x/mid", "x/big"]
    assert fixed_plan(HELD, POOL, asked(data=DataClass(name="customer", forbid_training=True))) is None
    assert fixed_plan(HELD, (), asked()) is None


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.floats(0, 1e9) | st.just(float("inf"))), max_size=12))
def test_any_fixed_order_climbs_in_price_and_success(arms: list[tuple[float, float]]) -> None:
    order = fixed_order([ranked(f"m{i}", p, price) for i, (p, price) in enumerate(arms)], Rung.CASCADE)
    assert bool(order) == bool(arms) and len(order) <= 3
    for low, high in pairwise(order):
        assert low.p < high.p and low.price < high.price
