import numpy as np
import pytest

from suffice.evals.choice import best_single
from suffice.evals.outcomes import PoolSpec, load_pool
from suffice.evals.tree_policy import Data, data_of, iso, least_cost
from suffice.evals.walk import Verifier

PERFECT = Verifier(name="perfect", tpr=1.0, fpr=0.0)
NONE = Verifier(name="none", gate=False, spend=False)


@pytest.fixture
def data(tmp_path, table) -> Data:
    table(tmp_path, "t", 160, 3)
    return data_of(load_pool(tmp_path, PoolSpec(name="p", table="t")))


def test_with_a_check_it_keeps_the_quality_for_less(data: Data) -> None:
    train, test = data.rows(np.arange(100)), data.rows(np.arange(100, 160))
    chosen = iso(train, test, PERFECT)
    best = best_single(train.right, train.cost)
    assert chosen.promised_accuracy >= chosen.target - 1e-9
    assert chosen.judged.cost.mean() < 0.6 * test.cost[:, best].mean()
    assert chosen.judged.right.mean() > test.right[:, best].mean() - 0.12


def test_test_outcomes_do_not_reach_the_choice(data: Data) -> None:
    train, test = data.rows(np.arange(100)), data.rows(np.arange(100, 160))
    flipped = Data(right=1 - test.right, cost=test.cost, cell=test.cell, family=test.family, text=test.text)
    assert iso(train, test, PERFECT).mixture == iso(train, flipped, PERFECT).mixture


def test_a_dearer_human_is_asked_less_often(data: Data) -> None:
    train, test = data.rows(np.arange(100)), data.rows(np.arange(100, 160))
    done = least_cost(train, test, PERFECT, np.array([0.05, 50.0]), 1.5)
    assert done[0].cost.mean() < done[1].cost.mean() and done[0].loss.mean() >= done[1].loss.mean()


def test_without_any_evidence_it_is_a_one_shot_rule_no_worse_than_the_best_arm(data: Data) -> None:
    train, test = data.rows(np.arange(100)), data.rows(np.arange(100, 160))
    for h in (0.1, 10.0):
        done = least_cost(train, test, NONE, np.array([h]), 1.0)[0]
        plain = (train.cost.mean(axis=0) + h * (1 - train.right.mean(axis=0))).argmin()
        assert set(np.unique(done.right)) <= {0.0, 1.0}
        assert (done.cost + h * done.loss).mean() <= 1.2 * (test.cost[:, plain] + h * (1 - test.right[:, plain])).mean()
    assert np.isfinite(iso(train, test, NONE).judged.cost).all()
