import msgspec
from tests.decision.test_router import AUTO, EDIT, LARGE, OFFERS, PRIORS, SMALL

from suffice.decision.attempt_price import attempt_cost
from suffice.decision.core import CHECKS, STATIC
from suffice.decision.priors import PriorTable, fixed
from suffice.decision.retries import EVIDENCE_TOKENS, after, again_cost, in_order
from suffice.decision.router import Router, RouteRequest
from suffice.decision.verdict_free import Scored
from suffice.values.money import Known, NanoUsd
from suffice.values.plan import Arm, CostSplit, Mode, Plan


def scored(arm: Arm) -> Scored:
    return Scored(arm=arm, p=0.5, p_low=0.4, cost=CostSplit(), total=1.0, source="t", latency_s=0.0, priced=True)


A, B = scored(SMALL), scored(LARGE)
AGAIN = msgspec.structs.replace(SMALL, mode=Mode.RETRY)


def test_a_retry_reads_its_prompt_from_the_cache() -> None:
    price = OFFERS[2].price
    assert isinstance(price, Known)
    once = attempt_cost(EDIT, price.rates, warm_tokens=0, moved_from=None)
    again = again_cost(EDIT, price.rates, None)
    assert again.total < once.total
    assert again.output == once.output
    assert again.cached > 0
    assert again.fresh == -(-price.rates.input * EVIDENCE_TOKENS // 1000)


def test_an_index_that_follows_itself_is_a_retry() -> None:
    split = CostSplit(output=NanoUsd(7))
    order = in_order([0, 0, 1], [A, B], [split, split])
    assert [one.arm for one in order] == [SMALL, AGAIN, LARGE]
    assert order[1].cost is split


def test_what_follows_a_first_arm_that_was_drawn_holds_no_retry_of_it() -> None:
    retry = msgspec.structs.replace(A, arm=AGAIN)
    assert [one.arm for one in after([A, retry, B], SMALL)] == [AGAIN, LARGE]
    assert [one.arm for one in after([A, retry, B], LARGE)] == [SMALL, AGAIN]
    assert [one.arm for one in after([B, A, retry], SMALL)] == [LARGE]


def plan(gate: str, priors: PriorTable = PRIORS, attempts: int = 3) -> Plan:
    request = RouteRequest(features=EDIT, target=AUTO, gate=gate, attempts=attempts, repair=NanoUsd(20_000_000))
    return Router(OFFERS, priors).plan(request)


def test_the_plan_asks_the_same_model_again_where_evidence_of_tests_makes_it_pay() -> None:
    priors = fixed({"a/small-1": 0.2, "a/middle-1": 0.3, "b/large-1": 0.6})
    found = plan(CHECKS["full"], priors)
    modes = [(step.arm.model, step.arm.mode) for step in found.steps]
    at = next(n for n, (_, mode) in enumerate(modes) if mode is Mode.RETRY)
    assert modes[at - 1] == (modes[at][0], Mode.FRESH)
    assert found.steps[at].cost < found.steps[at - 1].cost
    assert (
        "retry" in found.reason
        or any("retry" in why for why in found.binding)
        or found.steps[at].arm.name.endswith("retry")
    )


def test_without_a_gate_nothing_is_asked_again() -> None:
    assert all(step.arm.mode is Mode.FRESH for step in plan("").steps)
    assert len(plan(STATIC, attempts=1).steps) == 1
