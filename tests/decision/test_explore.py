import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.explore import draw, propensities, safe_set, uniform
from suffice.errors import DecisionError


@given(st.lists(st.floats(0, 100), min_size=1, max_size=16), st.integers(0, 2**16 - 1), st.floats(0.01, 50))
def test_propensities_are_a_distribution_on_the_safe_set(q: list[float], mask: int, h: float) -> None:
    values = np.array(q)
    allowed = np.array([bool(mask >> i & 1) for i in range(len(q))])
    safe = safe_set(values, np.full(len(q), 0.9), 0.5, allowed)
    assert not (safe & ~allowed).any()
    if not safe.any():
        with pytest.raises(DecisionError):
            propensities(values, safe, h)
        return
    pi = propensities(values, safe, h)
    assert pi.sum() == pytest.approx(1) and pi.min() >= 0 and not pi[~safe].any()
    assert pi[values == values[safe].min()].max() == pi.max()
    assert propensities(values, safe, h, restricted=True).max() == 1.0


def test_floors_and_nan_keep_arms_out() -> None:
    safe = safe_set(
        np.array([1.0, 1.0, np.nan, 9.0]), np.array([0.9, 0.1, 0.9, 0.9]), 0.5, np.ones(4, dtype=bool)
    )  # fmt: skip
    assert safe.tolist() == [True, False, False, False]


def test_the_draw_follows_the_propensities_and_stays_within_a_session() -> None:
    pi = np.array([0.7, 0.0, 0.3])
    draws = [draw(pi, uniform(f"s{i}", "v1")) for i in range(4000)]
    assert 1 not in draws and abs(draws.count(2) / 4000 - 0.3) < 0.03
    assert uniform("s", "v1") == uniform("s", "v1") != uniform("s", "v2")
    assert draw(pi, 1.0) == 2 and draw(np.array([1.0, 0.0]), 1.0) == 0
