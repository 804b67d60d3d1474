from suffice.values.money import NanoUsd
from suffice.values.plan import Arm, CostSplit, Mode, Plan, Step


def test_arm_names_are_short_and_tell_retries_apart():
    arm = Arm(model="openai/gpt-5-mini", endpoint="openai", effort="low")
    assert arm.name == "openai/gpt-5-mini+low"
    assert Arm(model="m", endpoint="e", mode=Mode.RETRY).name == "m+retry"


def test_a_plan_begins_with_its_first_step():
    arm = Arm(model="m", endpoint="e")
    step = Step(arm=arm, reach=1.0, p_success=0.5, cost=NanoUsd(1))
    plan = Plan(
        steps=(step,), expected_total=NanoUsd(1), p_complete=0.5, repair=NanoUsd(2), propensity=1.0, reason="only arm"
    )
    assert plan.first is arm


def test_a_split_adds_up_and_a_switch_may_pay():
    assert CostSplit(fresh=NanoUsd(5), output=NanoUsd(7), switch=NanoUsd(-3)).total == 9


def test_a_retry_is_the_same_place_as_its_fresh_arm() -> None:
    arm = Arm(model="m", endpoint="e", effort="low")
    retry = Arm(model="m", endpoint="e", effort="low", mode=Mode.RETRY)
    assert retry.fresh == arm
    assert arm.fresh is arm
