import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.latency import FEWEST, Latencies
from suffice.values.plan import Arm

ARM = Arm(model="x/a", endpoint="e")


def seen(*seconds: float) -> Latencies:
    out = Latencies()
    for one in seconds:
        out.seen(ARM, one)
    return out


def test_nothing_is_called_late_on_a_guess() -> None:
    assert seen(*[9.0] * (FEWEST - 1)).late(ARM, 1.0) == ""
    assert "latency" in seen(*[9.0] * FEWEST).late(ARM, 1.0)
    assert seen(*[9.0] * FEWEST).late(ARM, 60.0) == ""
    assert seen(*[float("nan"), -1.0, 0.0, float("inf")] * FEWEST).within(ARM, 1.0) is None


def test_the_probability_is_that_of_the_times_seen() -> None:
    times = [math.exp(0.5 * math.sin(k * 12.9898) * 2) for k in range(400)]
    share = sum(t <= 1.5 for t in times) / len(times)
    assert seen(*times).within(ARM, 1.5) == pytest.approx(share, abs=0.12)


def test_it_forgets() -> None:
    assert seen(*[20.0] * 200, *[1.0] * 400).late(ARM, 5.0) == ""


@given(st.lists(st.floats(1e-3, 1e3), min_size=FEWEST, max_size=40), st.floats(0.01, 100), st.floats(1, 10))
def test_a_longer_objective_is_met_at_least_as_often(times: list[float], slo: float, factor: float) -> None:
    one = seen(*times)
    low, high = one.within(ARM, slo), one.within(ARM, slo * factor)
    assert low is not None and high is not None
    assert 0.0 <= low <= high <= 1.0
    assert one.within(ARM, 0.0) == 0.0


def test_the_typical_time_is_the_median_of_arms_seen_often_enough() -> None:
    assert seen(*[4.0] * (FEWEST - 1)).typical() == {}
    assert seen(*[4.0] * FEWEST).typical() == {ARM: pytest.approx(4.0)}
