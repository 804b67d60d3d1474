"""The pair of a drafting and a reviewing arm: only where it is cheaper than the plan, by the plan's own figures."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.core import HELD_MARGIN, Core, cell_of
from suffice.decision.draft import (
    REVIEW_SHARE,
    Gate,
    Pair,
    Side,
    best,
    p_reviewed,
    pair_of,
    review_cost,
    total,
)
from suffice.decision.plan import ESCAPE_FACTOR
from suffice.decision.priors import fixed
from suffice.values.money import NanoUsd, Rates
from suffice.values.plan import Arm, Candidate, CostSplit, Mode, Plan, Step
from suffice.values.task import Features, TaskType

PRIORS = fixed({"x/small": -0.5, "x/big": 2.0})
GATE = Gate(tpr=0.99, fpr=0.9)
CENT = NanoUsd(10_000_000)


def rates(read: int, write: int) -> Rates:
    """Dollars per million tokens."""
    return Rates(
        input=read * 10**6, output=write * 10**6, cache_read=0, cache_write=0, cache_write_1h=0, cache_write_12h=0
    )


def side(name: str, p: float, read: int, write: int, tokens: int = 700, **more: object) -> Side:
    made = Side(
        arm=Arm(model=f"x/{name}", endpoint="one"), p=p, rates=rates(read, write), answer_tokens=tokens,
        cost=CostSplit(fresh=NanoUsd(read * 1000 * 500), output=NanoUsd(write * 1000 * tokens)),
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


SIDES = st.lists(
    st.builds(
        side,
        st.sampled_from(["a", "b", "c", "d"]),
        st.floats(0.0, 1.0),
        st.integers(0, 30),
        st.integers(0, 300),
        st.integers(0, 5000),
    ),
    max_size=5,
)
MONEY = st.integers(1, 10**10).map(NanoUsd)
GATES = st.builds(Gate, tpr=st.floats(0.5, 1.0), fpr=st.floats(0.0, 1.0))


@given(sides=SIDES, alone=MONEY, repair=MONEY, gate=GATES, weight=st.floats(1.0, 5.0))
def test_a_pair_is_the_cheapest_of_all_and_only_where_it_is_cheaper(
    sides: list[Side], alone: NanoUsd, repair: NanoUsd, gate: Gate, weight: float
) -> None:
    found = best(sides, alone, repair=repair, gate=gate, weight=weight)
    every = [
        total(d, s, repair=repair, gate=gate, weight=weight)
        for d in sides
        for s in sides
        if d.arm.model != s.arm.model and s.p > d.p
    ]
    least = min(every, default=float("inf"))
    assert (found is not None) == (least < alone)
    if found is not None:
        assert found.total == round(least) and found.draft.model != found.review.model
        assert found.review.mode is Mode.REVIEW and found.draft.mode is Mode.FRESH


@given(
    low=st.floats(0.0, 1.0), high=st.floats(0.0, 1.0), write=st.integers(0, 300), more=st.integers(0, 300), repair=MONEY,
    gate=GATES, alone=MONEY,
)  # fmt: skip
def test_a_dearer_reviewer_never_makes_a_pair_cheaper(
    low: float, high: float, write: int, more: int, repair: NanoUsd, gate: Gate, alone: NanoUsd
) -> None:
    draft, reviewer = side("a", low, 1, 1), side("b", high, 3, write)
    dearer = msgspec.structs.replace(reviewer, rates=rates(3, write + more))
    cheap, dear = (total(draft, s, repair=repair, gate=gate, weight=1.0) for s in (reviewer, dearer))
    assert cheap <= dear
    if best([draft, dearer], alone, repair=repair, gate=gate) is not None:
        assert best([draft, reviewer], alone, repair=repair, gate=gate) is not None


@given(p=st.floats(0.0, 1.0), q=st.floats(0.0, 1.0))
def test_a_reviewed_draft_is_never_better_than_the_reviewer_nor_worse_than_the_draft(p: float, q: float) -> None:
    assert p <= p_reviewed(p, q) <= max(p, q) + 1e-12


def test_the_total_is_the_formula() -> None:
    draft, reviewer = side("a", 0.5, 1, 1, tokens=1000), side("b", 0.9, 3, 15)
    p = 0.5 + 0.8 * 0.4
    spend = (500 + 1000) * 1000 + 500 * 3000 + 1200 * 3000 + REVIEW_SHARE * 1000 * 15_000
    wrong = (1 - p) * (0.9 * ESCAPE_FACTOR + 0.1)
    assert review_cost(reviewer, 1000) == 500 * 3000 + 1200 * 3000 + 150 * 15_000
    got = total(draft, reviewer, repair=CENT, gate=GATE, weight=2.0)
    assert got == pytest.approx(2 * spend + CENT * (wrong + p * 0.01 + HELD_MARGIN))


def test_bills_of_reviews_replace_the_guess_of_their_length_and_a_move_is_not_charged() -> None:
    reviewer = side("b", 0.9, 3, 15, review_tokens=900.0)
    assert review_cost(reviewer, 1000) == 1_700 * 3000 + 900 * 15_000
    moved = msgspec.structs.replace(reviewer, cost=msgspec.structs.replace(reviewer.cost, switch=CENT))
    assert review_cost(moved, 1000) == review_cost(reviewer, 1000)


def planned(**fields: object) -> Plan:
    """A plan of a cheap and a dear arm whose own total is 20 cents."""
    small, big = Arm(model="x/small", endpoint="one"), Arm(model="x/big", endpoint="one")
    costs = CostSplit(output=NanoUsd(280_000)), CostSplit(output=NanoUsd(140_000_000))
    pairs = zip((small, big), (0.44, 0.88), costs, strict=True)
    plan = Plan(
        steps=(Step(arm=big, reach=1.0, p_success=0.88, cost=costs[1].total),), expected_total=NanoUsd(197_000_000),
        p_complete=0.88, repair=NanoUsd(300_000_000), propensity=1.0, reason="",
        candidates=tuple(Candidate(arm=arm, p_success=p, cost=cost) for arm, p, cost in pairs),
    )  # fmt: skip
    return msgspec.structs.replace(plan, **fields)


def chosen(plan: Plan, core: Core | None = None, known: bool = True) -> Pair | None:
    book = {"x/small": rates(0, 1), "x/big": rates(3, 200)}
    features = Features(task=TaskType.GENERATE, prompt_tokens=30)
    return pair_of(plan, features, core or Core(PRIORS), lambda a: book[a.model] if known else None, 0.0)


def test_the_pair_of_a_plan_is_made_of_the_arms_that_it_scored() -> None:
    found = chosen(planned())
    assert found is not None
    assert (found.draft.model, found.review.name, found.alone) == ("x/small", "x/big+review", 197_000_000)
    assert found.total < found.alone


@pytest.mark.parametrize(
    "fields", [{"fallback": "best single"}, {"repair": NanoUsd(0)}, {"propensity": 0.5}, {"expected_total": NanoUsd(1000)}],
    ids=str,
)  # fmt: skip
def test_no_pair_where_the_plan_is_held_back_explores_or_is_cheaper(fields: dict[str, object]) -> None:
    assert chosen(planned(**fields)) is None


def test_masked_arms_and_arms_of_unknown_price_are_in_no_pair() -> None:
    plan = planned()
    masked = [msgspec.structs.replace(c, masked_by="down") for c in plan.candidates[:1]]
    assert chosen(planned(candidates=(*masked, *plan.candidates[1:]))) is None
    assert chosen(plan, known=False) is None


def test_long_reviews_in_the_bills_end_the_choice() -> None:
    core = Core(PRIORS)
    cell = cell_of(TaskType.GENERATE, "")
    for _ in range(50):
        core.bill(model="x/big+review", cell=cell, output_tokens=4000)
    assert chosen(planned(), core) is None
    assert core.output_tokens("x/big", cell) is None
