import numpy as np
import pytest

from suffice.decision.calibration import Platt, brier, ece, fit
from suffice.decision.grid import logit, sigmoid
from suffice.errors import DecisionError


def test_overconfidence_is_corrected_and_order_kept() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(3000)
    y = (rng.random(3000) < truth).astype(float)
    loud = sigmoid(2.0 * logit(truth))
    mapped = fit(loud, y).apply(loud)
    assert ece(mapped, y) < 0.5 * ece(loud, y) and brier(mapped, y) < brier(loud, y)
    assert np.all(np.diff(mapped[np.argsort(loud)]) >= 0)


def test_without_labels_it_is_the_identity_and_a_few_hardly_move_it() -> None:
    assert fit(np.array([]), np.array([])) == Platt()
    few = fit(np.array([0.9]), np.array([0.0]))
    assert abs(few.slope - 1) < 0.5
    assert np.isnan(brier(np.array([]), np.array([]))) and np.isnan(ece(np.array([]), np.array([])))


def test_bad_input_is_refused() -> None:
    for p, y in [(np.ones(2), np.ones(3)), (np.array([np.nan]), np.ones(1))]:
        with pytest.raises(DecisionError):
            fit(p, y)
