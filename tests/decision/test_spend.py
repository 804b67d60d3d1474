import numpy as np
import pytest

from suffice.decision.grid import GRID
from suffice.decision.spend import CUTS, bin_chances, likelihood

LAW = {"mean": 6.0, "sd": 0.8, "wrong": 0.7, "p_wrong": 0.4, "slope": 0.1}


def test_bins_are_a_distribution_and_their_edges_the_quantiles() -> None:
    flat = bin_chances(6.0 + 0.8 * CUTS, np.full((1, GRID.size), 6.0)[0], np.array(0.8))
    assert np.allclose(flat.sum(axis=0), 1.0)
    assert np.allclose(flat[:, 0], [0.5, 0.3, 0.2], atol=1e-3)


def test_a_long_answer_speaks_for_failure_and_a_short_one_against_it() -> None:
    for log_spend, above in ((8.5, True), (4.0, False)):
        right, wrong = likelihood(log_spend, **LAW)
        assert np.all(right > 0) and np.all((wrong > right) == above)


@pytest.mark.parametrize("change", [{"mean": np.nan}, {"sd": 0.0}, {"sd": np.inf}, {"wrong": np.inf}])
def test_a_law_that_is_none_says_nothing(change: dict[str, float]) -> None:
    right, wrong = likelihood(7.0, **{**LAW, **change})
    assert np.all(right == 1.0) and np.all(wrong == 1.0)
    assert np.all(likelihood(float("nan"), **LAW)[0] == 1.0)
