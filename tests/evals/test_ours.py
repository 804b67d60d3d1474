import numpy as np
import pytest

from suffice.evals.ours import groups, iso, least_cost
from suffice.evals.outcomes import PoolSpec, load_pool
from suffice.evals.tree_policy import Data, data_of
from suffice.evals.walk import Verifier

PERFECT = Verifier(name="perfect", tpr=1.0, fpr=0.0)
NONE = Verifier(name="none", gate=False, spend=False)
WEAK = Verifier(name="weak", tpr=0.9, fpr=0.3, rho=0.5)


@pytest.fixture
def data(tmp_path, table) -> Data:
    table(tmp_path, "t", 160, 3)
    return data_of(load_pool(tmp_path, PoolSpec(name="p", table="t")))


def test_with_a_check_other_arms_may_follow_and_without_one_nothing_does(data: Data) -> None:
    train, test = data.rows(np.arange(100)), data.rows(np.arange(100, 160))
    found = groups(train, PERFECT, np.array([10.0]), 1.5, human=True)
    assert any((group.policy.second >= 0).any() for group in found)
    done = least_cost(train, test, NONE, np.array([10.0]), 1.0)[0]
    assert any(np.allclose(done.cost, test.cost[:, arm]) for arm in range(4))


def test_no_arm_is_tried_twice(data: Data) -> None:
    for group in groups(data.rows(np.arange(100)), WEAK, np.array([3.0, 40.0]), 1.5, human=True):
        k, o = group.menu.base.size, group.leaves.observations
        second = group.policy.second.reshape(-1, k, o)
        third = group.policy.third.reshape(-1, k, o, k, o)
        for arm in range(k):
            assert (second[:, arm] != arm).all() and (third[:, arm] != arm).all() and (third[:, :, :, arm] != arm).all()


def test_it_beats_the_best_single_arm_with_a_check(data: Data) -> None:
    train, test = data.rows(np.arange(100)), data.rows(np.arange(100, 160))
    best = int(train.right.mean(axis=0).argmax())
    for h in (3.0, 10.0):
        done = least_cost(train, test, PERFECT, np.array([h]), 1.5)[0]
        assert (done.cost + h * done.loss).mean() < (test.cost[:, best] + h * (1 - test.right[:, best])).mean()


def test_iso_keeps_quality_and_test_rows_do_not_reach_the_plan(data: Data) -> None:
    train, test = data.rows(np.arange(100)), data.rows(np.arange(100, 160))
    done = iso(train, test, PERFECT)
    best = int(train.right.mean(axis=0).argmax())
    assert done.right.mean() > test.right[:, best].mean() - 0.12
    flipped = Data(right=1 - test.right, cost=test.cost, cell=test.cell, family=test.family, text=test.text)
    ahead = least_cost(train, flipped, NONE, np.array([3.0]), 1.0)[0]
    assert np.allclose(ahead.right, 1 - least_cost(train, test, NONE, np.array([3.0]), 1.0)[0].right)


def test_without_a_check_each_kind_of_task_gets_its_own_model_as_far_as_there_are_tasks_to_tell(data: Data) -> None:
    n = 120
    kind = tuple("a/x" if at % 2 else "a/y" for at in range(n))
    first = np.array([k == "a/x" for k in kind], dtype=float)
    right, cost = np.stack([first, 1 - first], axis=1), np.ones((n, 2))
    rows = Data(right=right, cost=cost, cell=np.zeros(n, dtype=int), family=("a",) * n, text=np.ones((n, 2)), kind=kind)
    done = least_cost(rows, rows, NONE, np.array([3.0]), 1.0)[0]
    assert done.right.mean() == 1.0
    new = rows.rows(np.array([0, 1]))
    new = Data(right=new.right, cost=new.cost, cell=new.cell, family=("b", "b"), text=new.text, kind=("b/z", "b/z"))
    assert np.isfinite(least_cost(rows, new, NONE, np.array([3.0]), 1.0)[0].cost).all()
