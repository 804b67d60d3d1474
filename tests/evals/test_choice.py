import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.evals.choice import best_single, cheapest_mixture, folds, honest_best, monotone, safe_mixture


def test_the_best_single_is_the_cheaper_of_equals() -> None:
    right = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert best_single(right, np.array([[2.0, 1.0, 0.1]] * 2)) == 1


def test_the_winner_of_many_equals_is_freed_of_some_of_its_luck() -> None:
    rng = np.random.default_rng(0)
    raw, freed = [], []
    for seed in range(40):
        right = (rng.random((150, 12)) < 0.7).astype(float)
        raw.append(right.mean(axis=0).max() - 0.7)
        freed.append(honest_best(right, seed) - 0.7)
    assert 0 < np.mean(freed) < 0.95 * np.mean(raw)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 5)), min_size=1, max_size=12), st.floats(0, 1))
def test_the_mixture_meets_the_target_and_is_no_dearer_than_any_member(pairs, target: float) -> None:
    accuracy, cost = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    mix = cheapest_mixture(accuracy, cost, target)
    got, paid = mix.of(accuracy[:, None])[0], mix.of(cost[:, None])[0]
    if accuracy.max() < target:
        assert got == accuracy.max()
    else:
        assert got >= target - 1e-9
        assert paid <= cost[accuracy >= target].min() + 1e-9


def test_folds_part_the_rows() -> None:
    parts = folds(23, 4)
    assert sorted(np.concatenate([judge for _, judge in parts]).tolist()) == list(range(23))
    assert all(not set(inner) & set(judge) for inner, judge in parts)


def test_a_mixture_in_the_middle() -> None:
    mix = cheapest_mixture(np.array([0.6, 0.8]), np.array([1.0, 3.0]), 0.7)
    assert (mix.high, mix.low) == (1, 0) and mix.share == pytest.approx(0.5)


def test_monotone_pools_what_goes_down_and_keeps_the_mean() -> None:
    out = monotone(np.array([1.0, 3.0, 2.0, 4.0]))
    assert out.tolist() == [1.0, 2.5, 2.5, 4.0]


def test_safety_is_bought_where_it_is_cheap_only() -> None:
    accuracy = np.array([0.6, 0.8, 0.9])
    flat = safe_mixture(accuracy, np.array([1.0, 1.01, 1.02]), 0.7, 1.0)
    dear = safe_mixture(accuracy, np.array([1.0, 2.6, 99.0]), 0.7, 1.0)
    steep = safe_mixture(accuracy, np.array([1.0, 9.0, 99.0]), 0.7, 1.0)
    assert flat.of(accuracy[:, None])[0] == pytest.approx(0.72)
    assert dear.of(accuracy[:, None])[0] == pytest.approx(0.7)
    assert steep.of(accuracy[:, None])[0] == pytest.approx(0.67)
