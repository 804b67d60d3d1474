import numpy as np
import pytest

from suffice.decision.calibration import GAIN, WINDOW, Platt, Tracked, brier, ece, fit, tracked
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


def stream(seed: int, n: int, slope: float, offset: float) -> Tracked:
    """Labels of predictions whose truth is sigma(slope logit p + offset)."""
    rng, one = np.random.default_rng(seed), Tracked()
    for _ in range(n):
        p = float(rng.uniform(0.05, 0.95))
        truth = float(sigmoid(slope * logit(np.array([p])) + offset)[0])
        one = tracked(one, p, bool(rng.random() < truth), 0.9)
    return one


def test_a_map_comes_into_force_once_it_has_paid_and_not_where_predictions_are_right() -> None:
    wrong = stream(1, 400, 0.5, 1.0)
    found = wrong.in_force
    assert found is not None and found.slope < 0.8 and found.offset > 0.5 and wrong.gained > GAIN
    assert len(wrong.labels) == WINDOW and wrong.count == 400
    assert sum(stream(seed, 400, 1.0, 0.0).in_force is not None for seed in range(20)) <= 1
    assert Tracked().in_force is None and stream(2, 30, 0.5, 1.0).in_force is None


def test_a_map_that_no_longer_pays_goes_out_of_force() -> None:
    rng, one = np.random.default_rng(3), stream(3, 300, 1.0, 1.5)
    assert one.in_force is not None
    for _ in range(60):
        p = float(rng.uniform(0.05, 0.95))
        one = tracked(one, p, bool(rng.random() < p**3), 1.0)
    assert one.in_force is None


def test_a_label_off_its_scale_is_refused() -> None:
    for p, weight in ((0.0, 1.0), (1.0, 1.0), (float("nan"), 1.0), (0.5, 1.5), (0.5, float("nan"))):
        with pytest.raises(DecisionError):
            tracked(Tracked(), p, True, weight)
