import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.grid import GRID, POINTS, logit, mean_sd, normal_prior, observe, sigmoid


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True, allow_infinity=True))
def test_a_prior_is_a_distribution_whatever_goes_in(mean: float, sd: float) -> None:
    weights = normal_prior(mean, sd)
    assert weights.shape == (POINTS,)
    assert abs(weights.sum() - 1) < 1e-12 and weights.min() >= 0


def test_moments_match_the_law() -> None:
    mean, sd = mean_sd(normal_prior(0.7, 1.0))
    assert abs(mean - 0.7) < 1e-3 and abs(sd - 1.0) < 1e-2


def test_a_failure_makes_the_task_harder_and_a_success_easier() -> None:
    prior = normal_prior(0, 1.5)
    p = sigmoid(-GRID)
    assert mean_sd(observe(prior, 1 - p))[0] > 0.2
    assert mean_sd(observe(prior, p))[0] < -0.2


def test_an_impossible_or_broken_observation_teaches_nothing() -> None:
    prior = normal_prior(0, 1)
    assert observe(prior, np.zeros(POINTS)) is prior
    assert observe(prior, np.full(POINTS, np.nan)) is prior


@given(st.floats(-700, 700))
def test_sigmoid_inverts_logit_and_never_overflows(z: float) -> None:
    p = float(sigmoid(np.array(z)))
    assert 0 <= p <= 1
    if abs(z) < 10:
        assert abs(float(logit(p)) - z) < 1e-6
