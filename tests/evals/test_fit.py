import numpy as np
import pytest

from suffice.decision.grid import sigmoid
from suffice.errors import DecisionError
from suffice.evals.fit import bin_of, fit


def _world(n: int = 400, seed: int = 0):
    rng = np.random.default_rng(seed)
    ability, hard = np.array([-1.0, 0.5, 2.0]), rng.normal(0, 1.8, n)
    right = (rng.random((n, 3)) < sigmoid(ability - hard[:, None])).astype(float)
    cost = np.array([0.1, 0.5, 2.0]) * np.exp(0.6 * (1 - right) + 0.2 * hard[:, None] + rng.normal(0, 0.3, (n, 3)))
    return ability, right, cost


def test_it_recovers_abilities_and_that_failures_spend_more() -> None:
    ability, right, cost = _world()
    model = fit(right, cost, (0.5, 0.8))
    assert np.all(np.abs(model.ability - ability) < 0.45)
    assert np.allclose(model.spend.sum(axis=2), 1, atol=1e-4)
    middle = model.prior.shape[0] // 2
    assert np.all(model.spend[:, 0, 2, middle] > model.spend[:, 1, 2, middle])  # the dearest bin speaks of failure
    assert np.all(np.diff(model.bin_usd, axis=1) > 0)
    assert np.allclose(model.p @ model.prior, right.mean(axis=0), atol=0.04)


def test_bins_and_too_few_tasks() -> None:
    assert bin_of(np.array([[1.0], [2.0], [9.0]]), np.array([[1.0, 5.0]])).ravel().tolist() == [0, 1, 2]
    with pytest.raises(DecisionError):
        fit(np.ones((5, 2)), np.ones((5, 2)), ())
    one_bin = fit(*_world()[1:], ())
    assert one_bin.spend.shape[2] == 1 and np.all(one_bin.spend == 1)


def test_arms_that_always_or_never_solve_stay_finite() -> None:
    _, right, cost = _world(60)
    right[:, 0], right[:, 2] = 0.0, 1.0
    assert np.isfinite(fit(right, cost, (0.5,)).p).all()
