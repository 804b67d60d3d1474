import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.decision.joint import Joint, joint, planning
from suffice.decision.plan import Problem, solve
from suffice.errors import DecisionError

RATE = st.floats(0.0, 1.0)


def problem(support: Joint, h: float) -> Problem:
    shape = support.p.shape
    return Problem(
        p=support.p, cost=support.cost, tpr=np.broadcast_to(support.tpr, shape), fpr=np.broadcast_to(support.fpr, shape),
        weights=support.weights, repair_usd=h,
    )  # fmt: skip


@given(st.integers(0, 2**32 - 1), RATE, RATE, RATE, st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_merged_support_plans_as_the_whole_one(seed: int, tpr: float, fpr: float, rho: float, apart: bool) -> None:
    rng = np.random.default_rng(seed)
    p, cost, w = rng.random((4, 5)), rng.random((4, 5)) * 0.3, rng.random(5) + 0.01
    w /= w.sum()
    own = (rng.random(4), rng.random(4)) if apart else None
    whole, merged = (make(p, cost, w, tpr=tpr, fpr=fpr, rho=rho, own=own) for make in (joint, planning))
    assert whole.weights.sum() == pytest.approx(1) and merged.weights.sum() == pytest.approx(1)
    a, b = solve(problem(whole, 2.0)), solve(problem(merged, 2.0))
    assert np.allclose(a.first, b.first)
    assert a.value == pytest.approx(b.value)
    assert (a.p_accept, a.p_escape) == pytest.approx((b.p_accept, b.p_escape))


def test_with_errors_that_go_together_a_second_attempt_is_accepted_less_often() -> None:
    p, w = np.array([[0.8], [0.9]]), np.ones(1)

    def accepted(rho: float) -> float:
        found = solve(problem(planning(p, np.full((2, 1), 0.001), w, tpr=0.7, fpr=0.1, rho=rho), 30.0))
        assert len(found.sequence) == 2
        return found.p_accept

    assert accepted(0.0) > accepted(0.5) > accepted(0.9)


def test_rates_off_the_scale_are_refused() -> None:
    with pytest.raises(DecisionError, match="must lie in"):
        planning(np.ones((1, 1)), np.ones((1, 1)), np.ones(1), tpr=1.2, fpr=0.0, rho=0.0)


@given(st.floats(0.3, 0.7), st.floats(0.3, 0.7), st.floats(0.0, 0.5), st.floats(0.4, 0.6))
def test_over_all_states_an_arms_rates_are_its_own(tpr: float, fpr: float, rho: float, mine: float) -> None:
    one = np.ones(1)
    own = (np.array([mine, tpr]), np.array([mine, fpr]))
    made = joint(np.ones((2, 1)), np.ones((2, 1)), one, tpr=tpr, fpr=fpr, rho=rho, own=own)
    floor, ceiling = rho * np.array([tpr, fpr]), rho * np.array([tpr, fpr]) + 1 - rho
    expected = np.clip(mine, floor, ceiling)
    assert made.tpr[0] @ made.weights == pytest.approx(expected[0]) and made.fpr[0] @ made.weights == pytest.approx(
        expected[1]
    )
    assert made.tpr[1] @ made.weights == pytest.approx(tpr) and made.fpr[1] @ made.weights == pytest.approx(fpr)


def test_rates_of_an_arm_off_the_scale_are_refused() -> None:
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(DecisionError, match="of an arm"):
            planning(
                np.ones((1, 1)),
                np.ones((1, 1)),
                np.ones(1),
                tpr=0.9,
                fpr=0.1,
                rho=0.2,
                own=(np.array([bad]), np.array([0.1])),
            )
