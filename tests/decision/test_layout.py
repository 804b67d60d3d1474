from suffice.decision.layout import staging, steps
from suffice.decision.verdict_free import Scored
from suffice.values.money import NanoUsd
from suffice.values.plan import Arm, CostSplit


def scored(model: str, p: float) -> Scored:
    return Scored(
        arm=Arm(model=model, endpoint="e"), p=p, p_low=p, cost=CostSplit(output=NanoUsd(5)), total=1.0, source="t",
        latency_s=0.0, priced=True,
    )  # fmt: skip


def test_each_step_is_reached_when_all_before_it_failed() -> None:
    found = steps([scored("a/x", 0.5), scored("a/y", 0.8), scored("a/z", 0.9)])
    assert [round(step.reach, 6) for step in found] == [1.0, 0.5, 0.1]
    assert [step.cost for step in found] == [5, 5, 5]


def test_a_staged_plan_says_what_follows_and_only_with_a_check() -> None:
    said = staging([scored("a/y", 0.8)], "check:ci")
    assert len(said) == 1 and "a/y" in said[0]
    assert staging([scored("a/y", 0.8)], "") == () and staging([], "check:ci") == ()
