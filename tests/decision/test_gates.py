import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.gates import GatePosterior, correlation, error_states, learn, learn_pair, rates, told
from suffice.errors import DecisionError


def test_apply_checks_are_good_rejects_and_poor_accepts_before_any_evidence() -> None:
    first = rates(GatePosterior(), "edit-applies")
    tests = rates(GatePosterior(), "check:unit")
    assert first.tpr > 0.95 and first.fpr > tests.fpr
    assert tests.tpr > 0.8 and tests.fpr < 0.3


def test_evidence_moves_its_own_family_most_and_the_pool_a_little() -> None:
    post = GatePosterior()
    for _ in range(40):
        post = learn(post, gate="check:unit", cell="x", family="f", accepted=True, right=False)
    own, other = rates(post, "check:unit", "x", "f"), rates(post, "check:unit", "x", "g")
    before = rates(GatePosterior(), "check:unit", "x", "g")
    assert own.fpr > other.fpr > before.fpr
    assert own.fpr_sd < before.fpr_sd
    assert own.tpr == before.tpr
    with pytest.raises(DecisionError):
        learn(post, gate="g", cell="", family="", accepted=True, right=True, reliability=float("nan"))


@pytest.mark.parametrize("rho", [0.0, 0.4, 0.9])
def test_correlation_is_learned_from_what_follows_a_rejection(rho: float) -> None:
    rng = np.random.default_rng(3)
    post = GatePosterior(counts={("check:unit", "", ""): (900.0, 100.0, 300.0, 700.0)})
    weight, _, false = error_states(0.9, 0.3, rho)
    for _ in range(3000):
        f = false[rng.choice(weight.size, p=weight / weight.sum())]
        if rng.random() >= f:  # the first wrong answer was rejected
            post = learn_pair(post, gate="check:unit", second_accepted=bool(rng.random() < f))
    assert correlation(post, "check:unit") == pytest.approx(rho, abs=0.06)
    assert correlation(GatePosterior(), "check:unit") == pytest.approx(0.3)


def test_a_pair_that_is_less_than_sure_counts_less_and_no_other_weight_is_taken() -> None:
    sure = learn_pair(GatePosterior(), gate="g", second_accepted=False)
    guess = learn_pair(GatePosterior(), gate="g", second_accepted=False, weight=0.2)
    assert correlation(GatePosterior(), "g") < correlation(guess, "g") < correlation(sure, "g")
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(DecisionError):
            learn_pair(GatePosterior(), gate="g", second_accepted=False, weight=bad)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_hidden_states_keep_the_marginal_rates(tpr: float, fpr: float, rho: float) -> None:
    weight, t, f = error_states(tpr, fpr, rho)
    assert weight.sum() == pytest.approx(1) and weight.min() >= 0
    assert weight @ t == pytest.approx(tpr) and weight @ f == pytest.approx(fpr)


def test_shared_errors_make_the_second_acceptance_likelier() -> None:
    weight, _, f = error_states(0.9, 0.3, 0.5)
    assert weight @ (f * f) / (weight @ f) == pytest.approx(0.5 + 0.5 * 0.3)
    with pytest.raises(DecisionError):
        error_states(float("nan"), 0.1, 0.0)
    assert np.array_equal(error_states(1.0, 0.0, 0.7)[0], np.ones(1))


def taught(post: GatePosterior, cell: str, family: str, accepted: int, rejected: int) -> GatePosterior:
    """Wrong answers of a family that a check accepted and rejected."""
    for passed, n in ((True, accepted), (False, rejected)):
        for _ in range(n):
            post = learn(post, gate="check:unit", cell=cell, family=family, accepted=passed, right=False)
    return post


def test_a_family_with_few_reports_has_its_cells_rate_and_one_with_many_its_own() -> None:
    post = taught(GatePosterior(), "elsewhere", "f", 300, 0)
    post = taught(taught(taught(post, "x", "f", 5, 95), "x", "g", 6, 94), "x", "h", 70, 30)

    def fpr(family: str, cell: str = "x") -> float:
        return rates(post, "check:unit", cell, family).fpr

    assert fpr("h") == pytest.approx(0.7, abs=0.06) and fpr("f") == pytest.approx(0.05, abs=0.06)
    assert 0.1 < fpr("new") < fpr("h") - 0.2  # the cell's families together, not the other cell
    assert fpr("new", "elsewhere") > fpr("new")
    assert rates(post, "check:unit", "x").fpr == pytest.approx(81 / 300, abs=0.03)  # all answers of the cell
    assert rates(post, "check:unit", "x", "new").fpr_sd > rates(post, "check:unit", "x", "h").fpr_sd


def test_what_was_learned_is_told_per_gate_cell_and_family() -> None:
    post = taught(GatePosterior(), "bug-fix/python", "gpt", 3, 1)
    assert told(post) == (
        "check:unit, bug-fix/python, gpt: accepts 90% of right and 38% of wrong answers (4.0 reports)",
    )
    assert told(GatePosterior()) == ()
