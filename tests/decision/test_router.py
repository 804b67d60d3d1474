from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from suffice.decision.belief import Tried
from suffice.decision.core import CHECKS, Core, cell_of
from suffice.decision.policy import ArmFacts, DataClass
from suffice.decision.priors import bundled, fixed
from suffice.decision.router import Offer, Router, RouteRequest
from suffice.decision.sessions import Session
from suffice.decision.virtual import Rule, Target
from suffice.errors import BudgetError, NotFoundError, RequestError, UpstreamError
from suffice.values.money import Known, NanoUsd, Rates, Unknown
from suffice.values.plan import Arm, Plan
from suffice.values.task import Features, TaskType

AUTO = Target(name="auto", rule=Rule.AUTO)
EDIT = Features(task=TaskType.EDIT, prompt_tokens=4000)


def offer(model: str, input_usd: float, output_usd: float, **facts: Any) -> Offer:
    rates = Rates(
        input=round(input_usd * 1e6), output=round(output_usd * 1e6), cache_read=round(input_usd * 1e5),
        cache_write=round(input_usd * 1.25e6), cache_write_1h=0, cache_write_12h=0,
    )  # fmt: skip
    arm = Arm(model=model, endpoint=model.split("/")[0])
    facts = {"capabilities": frozenset({"tools"}), "context_tokens": 200_000, **facts}
    return Offer(facts=ArmFacts(arm=arm, **facts), price=Known(rates=rates, source="t", version="1"))


OFFERS = (offer("a/small-1", 0.1, 0.4), offer("a/middle-1", 1, 4), offer("b/large-1", 5, 25))
PRIORS = fixed({"a/small-1": -1.0, "a/middle-1": 1.0, "b/large-1": 2.5})
SMALL, MIDDLE, LARGE = (o.facts.arm for o in OFFERS)


def plan(offers: tuple[Offer, ...] = OFFERS, **request: Any) -> Plan:
    return Router(offers, PRIORS).plan(RouteRequest(**{"features": EDIT, "target": AUTO, **request}))


def test_the_plug_in_rule_decides() -> None:
    found = plan()
    by_rule = {c.arm: c.cost.total + (1 - c.p_success) * found.repair for c in found.candidates}
    assert found.first == min(by_rule, key=lambda arm: by_rule[arm]) == LARGE
    assert all(c.expected_total == pytest.approx(by_rule[c.arm], abs=1) for c in found.candidates)
    assert found.propensity == 1.0
    assert sum(c.propensity for c in found.candidates) == 1.0
    assert "edit" in found.reason
    assert "lowest expected cost" in found.reason


def test_a_low_repair_cost_goes_cheap_and_climbs() -> None:
    found = plan(repair=NanoUsd(9_000_000), attempts=3)
    assert [step.arm for step in found.steps] == [SMALL, MIDDLE]
    assert found.steps[1].reach == pytest.approx(1 - found.steps[0].p_success)
    assert len(plan(repair=NanoUsd(9_000_000)).steps) == 1
    assert found.flips


@pytest.mark.parametrize(("rule", "arm"), [(Rule.BEST, LARGE), (Rule.CHEAP, SMALL)])
def test_virtual_models(rule: Rule, arm: Arm) -> None:
    assert plan(target=Target(name=rule.value, rule=rule)).first == arm


def test_fast_takes_the_lowest_latency() -> None:
    offers = (OFFERS[0], dataclasses.replace(OFFERS[1], latency_s=1.5), dataclasses.replace(OFFERS[2], latency_s=3.0))
    assert plan(offers, target=Target(name="fast", rule=Rule.FAST)).first == MIDDLE
    assert plan(offers, target=Target(name="fast", rule=Rule.FAST), latency_s={LARGE: 0.4}).first == LARGE


def test_a_pin_is_that_model_or_a_refusal() -> None:
    pin = Target(name="a/small-1", rule=Rule.PIN, models=("a/small-1",))
    found = plan(target=pin, floors=(0.99,))
    assert [step.arm for step in found.steps] == [SMALL]
    assert "the request names it" in found.reason
    with pytest.raises(UpstreamError) as caught:
        plan(target=pin, down={SMALL: "breaker open until 12:00"})
    assert caught.value.status == 503
    with pytest.raises(NotFoundError):
        plan(target=Target(name="x/y", rule=Rule.PIN, models=("x/y",)))


def test_nothing_left_says_why() -> None:
    with pytest.raises(BudgetError, match="exhausted"):
        plan(remaining_nano=0)
    with pytest.raises(RequestError, match="vision") as caught:
        plan(features=replace(EDIT, needs_vision=True))
    assert caught.value.code == "no_feasible_model"
    with pytest.raises(RequestError, match="data class eu"):
        plan(data=DataClass(name="eu", regions=frozenset({"eu"})))
    with pytest.raises(NotFoundError):
        plan(())


def test_an_unknown_price_is_never_cheap() -> None:
    dark = Offer(facts=ArmFacts(arm=Arm(model="x/large-1", endpoint="x")), price=Unknown(why="not listed"))
    found = plan((*OFFERS, dark), target=Target(name="cheap", rule=Rule.CHEAP))
    assert found.first == SMALL
    assert next(c for c in found.candidates if c.arm == dark.facts.arm).masked_by.startswith("price:")
    pinned = plan((*OFFERS, dark), target=Target(name="x", rule=Rule.PIN, models=("x/large-1",)))
    assert pinned.steps[0].cost > 0
    assert "unknown" in pinned.reason
    with pytest.raises(BudgetError, match="budget"):
        plan((dark,), remaining_nano=10**12)


def session_on(arm: Arm, tokens: int = 100_000) -> Session:
    return Session(created_s=0, used_s=0, pinned=arm, turns=3, prompt_tokens=tokens, warm_until_s={arm: 300.0})


def test_a_warm_conversation_stays_and_a_cold_one_is_free() -> None:
    long = replace(EDIT, prompt_tokens=110_000, needs_tools=True)
    warm = plan(features=long, session=session_on(MIDDLE), now_s=10, repair=NanoUsd(600_000_000))
    cold = plan(features=long, session=session_on(MIDDLE), now_s=900, repair=NanoUsd(3_000_000_000))
    assert warm.first == MIDDLE
    assert next(c for c in warm.candidates if c.arm == MIDDLE).cost.cached > 0
    assert next(c for c in warm.candidates if c.arm == LARGE).cost.switch > 0
    assert all(c.cost.switch == 0 for c in cold.candidates)


def test_tried_arms_are_not_asked_again_and_an_escalation_latches() -> None:
    session = session_on(MIDDLE)
    session.failed(LARGE)
    found = plan(session=session)
    assert LARGE not in [step.arm for step in found.steps]
    session.latched = True
    found = plan(session=session, repair=NanoUsd(1))
    assert found.first == MIDDLE
    masks = {c.arm: c.masked_by for c in found.candidates}
    assert masks[SMALL].startswith("latched:")
    assert masks[LARGE].startswith("tried:")
    for arm in (SMALL, MIDDLE):
        session.failed(arm)
    assert plan(session=session).steps, "when all were tried the request is still served"


def test_labels_that_raise_the_floor_raise_the_cost_of_a_failure() -> None:
    assert plan(features=replace(EDIT, security_sensitive=True)).repair == 3 * plan().repair
    assert plan(features=replace(EDIT, unfamiliar_library=True)).repair == 1.5 * plan().repair


def test_with_a_check_the_cheap_one_goes_first_and_the_strong_one_waits() -> None:
    repair = NanoUsd(600_000_000)
    alone = plan(repair=repair)
    checked = plan(repair=repair, gate=CHECKS["decides"], attempts=3)
    assert alone.first == LARGE
    assert checked.first != LARGE
    assert LARGE in [step.arm for step in checked.steps[1:]]
    assert checked.expected_total < alone.expected_total
    assert checked.p_complete > checked.steps[0].p_success
    assert "if it is rejected" in checked.reason


def test_what_is_learned_changes_the_choice() -> None:
    core = Core(fixed({"a/small-1": 0.0, "b/large-1": 1.0}))
    router = Router(
        (offer("a/small-1", 0.1, 0.4), offer("b/large-1", 5, 25)), fixed({"a/small-1": 0.0, "b/large-1": 1.0}), core
    )
    request = RouteRequest(features=EDIT, target=Target(name="auto", rule=Rule.AUTO), repair=NanoUsd(600_000_000))
    assert router.plan(request).first.model == "b/large-1"
    cell = cell_of(EDIT.task, EDIT.language)
    for number in range(60):
        core.learn(label_id=f"s{number}", model="a/small-1", cell=cell, success=True, reliability=1.0, at_s=1.0)
        core.learn(
            label_id=f"l{number}", model="b/large-1", cell=cell, success=number % 2 == 0, reliability=1.0, at_s=1.0
        )
    assert router.plan(request).first.model == "a/small-1"
    assert (
        core.learn(label_id="s1", model="a/small-1", cell=cell, success=True, reliability=1.0, at_s=1.0) == "repeated"
    )


def test_evidence_can_be_asked_for() -> None:
    router = Router((*OFFERS[:0], offer("openai/gpt-5", 1, 10), offer("acme/unheard-of", 0.01, 0.02)), bundled())
    request = RouteRequest(
        features=EDIT, target=Target(name="auto", rule=Rule.AUTO), floors=(0.3,), allow_prior_only=False
    )
    found = router.plan(request)
    assert found.first.model == "openai/gpt-5"
    assert found.candidates[1].masked_by.startswith("prior:")


requests = st.fixed_dictionaries(
    {
        "features": st.builds(
            Features,
            task=st.sampled_from(list(TaskType)),
            prompt_tokens=st.integers(0, 400_000),
            needs_tools=st.booleans(),
            stream=st.booleans(),
            security_sensitive=st.booleans(),
        ),
        "target": st.sampled_from([AUTO, *(Target(name=r.value, rule=r) for r in (Rule.FAST, Rule.BEST, Rule.CHEAP))]),
        "session": st.none() | st.sampled_from([SMALL, MIDDLE, LARGE]).map(session_on),
        "now_s": st.sampled_from([0.0, 1000.0]),
        "down": st.dictionaries(st.sampled_from([SMALL, MIDDLE, LARGE]), st.just("breaker open")),
        "allowed_models": st.none() | st.frozensets(st.sampled_from(["a/*", "b/large-1"])),
        "pressure": st.floats(allow_nan=True),
        "repair": st.none() | st.integers(0, 10**11),
        "floors": st.lists(st.floats(0, 1), max_size=2).map(tuple),
    }
)


@given(requests)
def test_a_plan_holds_only_what_the_policy_kept(request: dict[str, Any]) -> None:
    try:
        found = plan(**request)
    except (RequestError, UpstreamError):
        return
    masked = {c.arm for c in found.candidates if c.masked_by}
    planned = [step.arm for step in found.steps]
    assert not masked & set(planned)
    assert len(set(planned)) == len(planned)
    assert {c.arm for c in found.candidates} == {SMALL, MIDDLE, LARGE}
    assert sum(c.propensity for c in found.candidates) == 1.0
    assert all(math.isfinite(c.expected_total) for c in found.candidates)
    assert found == plan(**request)


@given(st.integers(0, 10**10), st.integers(0, 10**10), st.integers(0, 200_000))
def test_a_dearer_repair_never_chooses_less_success(h1: int, h2: int, prompt: int) -> None:
    low, high = sorted((h1, h2))
    features = replace(EDIT, prompt_tokens=prompt)
    one, two = (plan(features=features, repair=NanoUsd(h)) for h in (low, high))
    assert two.steps[0].p_success >= one.steps[0].p_success
    assert two.expected_total >= one.expected_total


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 10**9))
def test_budget_pressure_never_makes_a_plan_dearer(p1: float, p2: float, repair: int) -> None:
    low, high = sorted((p1, p2))
    relaxed, pressed = (plan(pressure=p, repair=NanoUsd(repair)).steps[0].cost for p in (low, high))
    assert pressed <= relaxed


TWINS = tuple(offer(f"{p}/twin-1", price, 4 * price) for p, price in (("a", 1.0), ("b", 1.01), ("c", 1.02)))
ALIKE = fixed({"a/twin-1": 1.0, "b/twin-1": 1.0, "c/twin-1": 1.0})


def explored(session: str, **request: Any) -> Plan:
    wanted = {"features": EDIT, "target": AUTO, "explore": 0.2, "session_key": session, **request}
    return Router(TWINS, ALIKE).plan(RouteRequest(**wanted))


@pytest.mark.parametrize("judged", [{}, {"gate": "check:ci", "attempts": 3}])
def test_exploration_logs_the_chance_of_every_arm_and_stays_within_a_session(judged: dict[str, Any]) -> None:
    firsts = set()
    for number in range(60):
        found = explored(f"s{number}", **judged)
        firsts.add(found.first)
        assert sum(c.propensity for c in found.candidates) == pytest.approx(1.0)
        assert found.propensity == next(c.propensity for c in found.candidates if c.arm == found.first)
        assert len({step.arm for step in found.steps}) == len(found.steps)
        assert explored(f"s{number}", **judged) == found
        if "explored" in found.reason:
            assert 0 < found.propensity < 0.2
    assert len(firsts) > 1


@pytest.mark.parametrize(
    "off",
    [
        {"explore": 0.0},
        {"session_key": ""},
        {"data": DataClass(forbid_training=False, name="customer")},
        {"data": DataClass(max_retention_days=0, name="configured")},
        {"target": Target(name="cheap", rule=Rule.CHEAP)},
        {"session": Session(created_s=0, used_s=0, latched=True)},
    ],
)
def test_where_exploration_is_off_the_choice_is_certain(off: dict[str, Any]) -> None:
    offers = tuple(
        dataclasses.replace(o, facts=replace(o.facts, retention_days=0, trains_on_data=False)) for o in TWINS
    )
    for number in range(30):
        wanted = {"features": EDIT, "target": AUTO, "explore": 0.2, "session_key": f"s{number}", **off}
        found = Router(offers, ALIKE).plan(RouteRequest(**wanted))
        assert found.first.model == "a/twin-1"
        assert found.propensity == 1.0
        assert [c.propensity for c in found.candidates if c.propensity] == [1.0]


def reconsider(*tried: tuple[Arm, bool], router: Router | None = None, **request: Any):
    router = router or Router(OFFERS, PRIORS)
    asked = RouteRequest(**{"features": EDIT, "target": AUTO, "gate": CHECKS["decides"], "attempts": 3, **request})
    return router.reconsider(asked, [Tried(arm=arm, accepted=ok) for arm, ok in tried])


def test_after_a_rejection_the_plan_is_made_again_without_what_was_tried() -> None:
    onward = reconsider((SMALL, False))
    assert onward is not None and onward.arm in (MIDDLE, LARGE) and onward.continue_usd < onward.stop_usd
    assert len(onward.p_right) == 1 and "follows" in onward.why
    last = reconsider((SMALL, False), (MIDDLE, False))
    assert last is not None and last.arm == LARGE
    everything = reconsider((LARGE, False), router=Router(OFFERS[2:], PRIORS))
    assert everything is not None and everything.arm is None and "stopping costs" in everything.why


def test_it_stops_where_a_repair_is_cheaper_and_is_silent_where_the_plan_had_no_check() -> None:
    cheap = reconsider((SMALL, False), repair=NanoUsd(2_000_000))
    assert cheap is not None and cheap.arm is None
    assert reconsider((SMALL, False), gate="") is None
    assert reconsider((SMALL, False), attempts=1) is None
    assert reconsider() is None
    assert reconsider((Arm(model="x/other", endpoint="x"), False)) is None


def test_models_that_cost_nothing_are_planned_like_any_other() -> None:
    free = (offer("l/free-1", 0, 0), offer("l/free-2", 0, 0))
    router = Router(free, fixed({"l/free-1": -1.0, "l/free-2": 0.5}))
    found = router.plan(RouteRequest(features=EDIT, target=AUTO, gate=CHECKS["decides"], attempts=3))
    assert 0 < found.expected_total < found.repair
    onward = reconsider((found.first, False), router=router)
    assert onward is not None and onward.arm is not None and onward.arm != found.first
