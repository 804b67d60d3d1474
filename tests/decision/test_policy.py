from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from suffice.decision.policy import ArmFacts, DataClass, PolicyContext, feasible, mask_reason
from suffice.values.plan import Arm
from suffice.values.task import Features, TaskType

FEATURES = Features(task=TaskType.EDIT, prompt_tokens=1000, max_output_tokens=500)
ARM = Arm(model="openai/gpt-5", endpoint="openai", effort="low")
GOOD = ArmFacts(arm=ARM, capabilities=frozenset({"tools"}), context_tokens=2000, max_output_tokens=800, p_low=0.5)
EU = DataClass(
    name="eu", regions=frozenset({"eu"}), max_retention_days=0, forbid_training=True, certificates=frozenset({"soc2"})
)
MEETS_EU = replace(
    GOOD, regions=frozenset({"eu"}), retention_days=0, trains_on_data=False, certificates=frozenset({"soc2", "iso"})
)


def reason(facts: ArmFacts, **ctx: Any) -> str:
    return mask_reason(facts, PolicyContext(**{"features": FEATURES, **ctx}))


def test_a_fitting_arm_has_no_reason() -> None:
    assert reason(GOOD) == ""
    assert reason(MEETS_EU, data=EU, remaining_nano=1, allowed_models=frozenset({"openai/*"}), min_effort="low") == ""


@pytest.mark.parametrize(
    ("facts", "ctx", "starts"),
    [
        (GOOD, {"pinned": "openai/gpt-4"}, "pinned"),
        (GOOD, {"allowed_models": frozenset({"anthropic/*"})}, "key"),
        (GOOD, {"allowed_models": frozenset()}, "key"),
        (replace(GOOD, deprecated=True), {}, "deprecated"),
        (replace(MEETS_EU, regions=frozenset({"eu", "us"})), {"data": EU}, "region"),
        (replace(MEETS_EU, regions=frozenset()), {"data": EU}, "region"),
        (replace(MEETS_EU, retention_days=30), {"data": EU}, "retention"),
        (replace(MEETS_EU, retention_days=None), {"data": EU}, "retention"),
        (replace(MEETS_EU, trains_on_data=None), {"data": EU}, "training"),
        (replace(MEETS_EU, certificates=frozenset()), {"data": EU}, "certificate"),
        (GOOD, {"features": replace(FEATURES, needs_vision=True)}, "capability"),
        (GOOD, {"features": replace(FEATURES, needs_structured=True)}, "capability"),
        (replace(GOOD, capabilities=frozenset()), {"features": replace(FEATURES, needs_tools=True)}, "capability"),
        (GOOD, {"features": replace(FEATURES, prompt_tokens=1501)}, "context"),
        (replace(GOOD, context_tokens=0), {"features": replace(FEATURES, max_output_tokens=801)}, "output"),
        (GOOD, {"min_effort": "high"}, "effort"),
        (replace(GOOD, down="breaker open"), {}, "down"),
        (replace(GOOD, price_known=False), {"remaining_nano": 5}, "price"),
        (GOOD, {"remaining_nano": 0}, "budget"),
    ],
)
def test_every_constraint_masks_with_its_reason(facts: ArmFacts, ctx: dict[str, Any], starts: str) -> None:
    assert reason(facts, **ctx).startswith(f"{starts}:")


def test_what_is_unknown_does_not_forbid_what_is_not_asked() -> None:
    assert reason(replace(GOOD, context_tokens=0, price_known=False)) == ""
    assert reason(replace(GOOD, private=True), data=EU) == ""
    assert reason(replace(GOOD, deprecated=True), pinned=ARM.model) == ""


def test_the_floor_is_relaxed_in_the_declared_order() -> None:
    weak, strong = replace(GOOD, p_low=0.2), replace(GOOD, arm=replace(ARM, model="a/b"), p_low=0.6)
    ctx = PolicyContext(features=FEATURES, floors=(0.7, 0.5, 0.0))
    result = feasible([weak, strong], ctx)
    assert result.kept == (strong,)
    assert result.relaxed == ("floor 0.7",)
    assert result.masked[0][1].startswith("floor: success is at least 0.20")
    guess = replace(strong, prior_only=True)
    result = feasible([weak, guess], replace(ctx, floors=(0.1,), allow_prior_only=False))
    assert (result.kept, result.relaxed) == ((weak,), ())
    assert result.masked[0][1].startswith("prior:")
    result = feasible([guess], replace(ctx, floors=(0.1,), allow_prior_only=False))
    assert (result.kept, result.relaxed) == ((guess,), ("floor 0.1 on evidence",))
    assert feasible([weak], replace(ctx, pinned=ARM.model)).relaxed == ()
    assert feasible([weak], replace(ctx, floors=(0.9,))).kept == (weak,)
    assert feasible([], ctx).kept == ()


facts_strategy = st.builds(
    ArmFacts,
    arm=st.builds(Arm, model=st.sampled_from(["a/x", "a/y", "b/z"]), endpoint=st.sampled_from("ef")),
    capabilities=st.frozensets(st.sampled_from(["tools", "vision"])),
    context_tokens=st.sampled_from([0, 1000, 9000]),
    regions=st.frozensets(st.sampled_from(["eu", "us"])),
    retention_days=st.none() | st.integers(0, 40),
    trains_on_data=st.none() | st.booleans(),
    private=st.booleans(),
    down=st.sampled_from(["", "", "breaker open"]),
    price_known=st.booleans(),
    p_low=st.floats(0, 1),
    prior_only=st.booleans(),
)
contexts = st.builds(
    PolicyContext,
    features=st.builds(
        Features, task=st.just(TaskType.EDIT), prompt_tokens=st.integers(0, 8000), needs_tools=st.booleans()
    ),
    allowed_models=st.none() | st.frozensets(st.sampled_from(["a/*", "b/z"])),
    pinned=st.sampled_from(["", "", "a/x"]),
    data=st.sampled_from([DataClass(), EU, DataClass(regions=frozenset({"eu"}))]),
    remaining_nano=st.none() | st.integers(-1, 5),
    floors=st.lists(st.floats(0, 1), max_size=3).map(tuple),
    allow_prior_only=st.booleans(),
)


@given(st.lists(facts_strategy, max_size=8), contexts)
def test_masks_are_sound_and_reasons_complete(candidates: list[ArmFacts], ctx: PolicyContext) -> None:
    result = feasible(candidates, ctx)
    assert len(result.kept) + len(result.masked) == len(candidates)
    assert all(mask_reason(facts, ctx) == "" for facts in result.kept)
    assert all(why for _, why in result.masked)
    for facts, why in result.masked:
        hard = mask_reason(facts, ctx)
        assert why == hard or (not hard and why.startswith(("floor:", "prior:")))
    if any(not mask_reason(facts, ctx) for facts in candidates):
        assert result.kept, "the floor alone never empties the set"
    order = [id(f) for f in candidates]
    assert [order.index(id(f)) for f in result.kept] == sorted(order.index(id(f)) for f in result.kept)
