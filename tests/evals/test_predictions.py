import numpy as np
import pytest

from suffice.evals.outcomes import PoolSpec, load_pool
from suffice.evals.predictions import mean, predicted, scores
from suffice.evals.tree_policy import Data, data_of


@pytest.fixture
def data(tmp_path, table) -> Data:
    table(tmp_path, "t", 300, 3)
    return data_of(load_pool(tmp_path, PoolSpec(name="p", table="t")))


def test_one_outcome_sharpens_the_predictions_of_the_others(data: Data) -> None:
    train, test = data.rows(np.arange(180)), data.rows(np.arange(180, 300))
    found = scores(train, test)
    assert found.brier_one_outcome < found.brier < 0.26
    assert found.ece < 0.15
    assert mean([found, found])["brier"] == pytest.approx(found.brier)
    assert np.isnan(mean([])["ece"])


def test_only_the_cheapest_models_outcome_is_used(data: Data) -> None:
    train, test = data.rows(np.arange(180)), data.rows(np.arange(180, 300))
    cheapest = int(train.cost.mean(axis=0).argmin())
    right = 1.0 - test.right
    right[:, cheapest] = test.right[:, cheapest]
    other = Data(right=right, cost=test.cost, cell=test.cell, family=test.family, text=test.text)
    for mine, theirs in zip(predicted(train, test)[:2], predicted(train, other)[:2], strict=True):
        assert np.array_equal(mine, theirs)
