import numpy as np
import pytest

from suffice.decision.ope import Estimate, doubly_robust, next_share, promote
from suffice.errors import DecisionError


def test_it_recovers_the_cost_of_a_policy_that_was_hardly_ever_followed() -> None:
    rng = np.random.default_rng(3)
    n, truth = 20_000, np.array([1.0, 0.4])
    taken = (rng.random(n) < 0.2).astype(int)
    loss = truth[taken] + rng.normal(0, 0.3, n)
    logged = np.where(taken == 1, 0.2, 0.8)
    guess = np.array([0.8, 0.6])  # a poor regression: the weights must correct it
    out = doubly_robust(loss, logged, (taken == 1).astype(float), guess[taken], np.full(n, guess[1]))
    assert out.low < 0.4 < out.high and abs(out.mean - 0.4) < 0.03
    assert out.ess == pytest.approx((taken == 1).sum())


@pytest.mark.parametrize("bad", [0.0, float("nan"), 1.2])
def test_a_propensity_that_is_none_is_refused(bad: float) -> None:
    one = np.ones(2)
    with pytest.raises(DecisionError):
        doubly_robust(one, np.array([0.5, bad]), one, one, one)
    with pytest.raises(DecisionError):
        doubly_robust(*(np.array([]),) * 5)


def test_promotion_needs_size_a_sure_gain_and_no_more_escapes() -> None:
    good = Estimate(mean=-0.2, low=-0.3, high=-0.1, ess=500, n=900)
    calm = Estimate(mean=0.0, low=-0.002, high=0.002, ess=500, n=900)
    assert promote(good, calm)[0]
    for change, escaped, word in [
        (Estimate(mean=-0.2, low=-0.3, high=-0.1, ess=50, n=90), calm, "sample size"),
        (Estimate(mean=-0.2, low=-0.5, high=0.1, ess=500, n=900), calm, "not surely"),
        (good, Estimate(mean=0.01, low=0, high=0.02, ess=500, n=900), "escaped"),
    ]:
        verdict, why = promote(change, escaped)
        assert not verdict and word in why
    assert [next_share(s) for s in (0.0, 0.05, 0.25, 1.0)] == [0.05, 0.25, 1.0, 1.0]
