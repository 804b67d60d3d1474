from itertools import permutations

import numpy as np
import pytest

from suffice.evals import baselines
from suffice.evals.walk import Verifier

RNG = np.random.default_rng(3)
RIGHT = (RNG.random((40, 4)) < 0.6).astype(float)
COST = RNG.random((40, 4)) + 0.05


@pytest.mark.parametrize(
    "verifier", [Verifier(name="w", tpr=0.9, fpr=0.3, rho=0.5), Verifier(name="p", tpr=1.0, fpr=0.0)]
)
def test_the_cascade_table_is_every_sequence(verifier: Verifier) -> None:
    table = baselines.cascade_table(RIGHT, COST, verifier, 1.5)
    rows = {tuple(int(x) for x in arms if x >= 0): i for i, arms in enumerate(table.arms)}
    chains = [c for n in (1, 2, 3) for c in permutations(range(4), n)]
    assert set(rows) == set(chains)
    for chain in chains:
        i = rows[chain]
        for ending, hand_over in enumerate((True, False)):
            done = baselines.run_sequence(list(chain), RIGHT, COST, verifier, 1.5, hand_over=hand_over)
            assert table.cost[i] == pytest.approx(done.cost.mean())
            assert table.loss[i, ending] == pytest.approx(done.loss.mean())
            if not hand_over:
                assert table.right[i] == pytest.approx(done.right.mean())


def test_the_tuned_cascade_is_the_best_and_iso_meets_its_target() -> None:
    verifier = Verifier(name="p", tpr=1.0, fpr=0.0)
    table = baselines.cascade_table(RIGHT, COST, verifier, 1.5)
    chain, hand_over = baselines.tuned_cascade(table, 3.0)
    done = baselines.run_sequence(chain, RIGHT, COST, verifier, 1.5, hand_over=hand_over)
    assert (done.cost + 3.0 * done.loss).mean() == pytest.approx((table.cost[:, None] + 3.0 * table.loss).min())
    got = baselines.run_sequence(baselines.iso_cascade(table, 0.7), RIGHT, COST, verifier, 1.0, hand_over=False)
    assert got.right.mean() >= 0.7
    assert len(baselines.iso_cascade(table, 2.0)) == 3


def test_one_and_two_arms_are_enough_for_a_table() -> None:
    for a in (1, 2):
        table = baselines.cascade_table(RIGHT[:, :a], COST[:, :a], Verifier(name="p", tpr=1.0, fpr=0.0), 1.5)
        assert len(table.arms) == (1 if a == 1 else 4)


def test_features_and_ridge() -> None:
    x = baselines.family_features(("a", "b", "zz"), ("a", "b"))
    assert x.tolist() == [[1, 1, 0], [1, 0, 1], [1, 0, 0]]
    text = baselines.text_features(("fix the bug", "fix the bug", ""))
    assert np.array_equal(text[0], text[1]) and np.isfinite(text).all()
    fit = baselines.ridge(np.ones((40, 1)), RIGHT, 5.0)
    assert np.allclose(fit[0], RIGHT.mean(axis=0))
    assert baselines.ratio_order(np.ones((2, 3)), np.array([[3.0, 1.0, 2.0]] * 2)) == [1, 2, 0]
    done = baselines.routed(np.zeros(40, dtype=int), RIGHT, COST, 1.5)
    assert np.array_equal(done.right, RIGHT[:, 0]) and np.array_equal(done.loss, 1.5 * (1 - RIGHT[:, 0]))
