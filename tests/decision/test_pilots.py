import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.pilots import FEWEST, HORIZON_TURNS, TASKS, Standing, Tally, Trial, acts, better, standing

COUNTS = st.integers(0, 60)
TALLIES = st.builds(Tally, acted_good=COUNTS, acted_bad=COUNTS, left_good=COUNTS, left_bad=COUNTS)


def tally(acted: tuple[int, int], left: tuple[int, int]) -> Tally:
    return Tally(acted_good=acted[0], acted_bad=acted[1], left_good=left[0], left_bad=left[1])


@pytest.mark.parametrize(
    ("acted", "left", "where"),
    [
        ((0, 0), (0, 0), Standing.RUNNING),
        ((24, 1), (5, 19), Standing.RUNNING),  # 49 runs, however clear
        ((24, 1), (5, 20), Standing.PASSED),
        ((13, 12), (12, 13), Standing.FAILED),  # it does not help
        ((5, 20), (24, 1), Standing.FAILED),
        ((0, 10), (10, 0), Standing.FAILED),  # it does harm: ended early
        ((10, 0), (0, 10), Standing.RUNNING),  # good news waits
        ((40, 0), (1, 13), Standing.RUNNING),  # too few on one side
    ],
)
def test_where_a_pilot_stands(acted: tuple[int, int], left: tuple[int, int], where: Standing) -> None:
    assert standing(tally(acted, left)) is where


@given(TALLIES)
def test_nothing_passes_before_its_time_or_without_being_better(one: Tally) -> None:
    chance = better(one)
    assert 0.0 <= chance <= 1.0
    other = tally((one.left_good, one.left_bad), (one.acted_good, one.acted_bad))
    assert chance + better(other) == pytest.approx(1.0, abs=1e-9)
    if standing(one) is Standing.PASSED:
        assert one.acted + one.left >= TASKS and min(one.acted, one.left) >= FEWEST
        assert one.acted_good / one.acted > one.left_good / one.left


def test_the_chance_is_that_of_two_beta_draws() -> None:
    one, rng = tally((18, 8), (9, 15)), np.random.default_rng(7)
    drawn = (rng.beta(19, 9, 200_000) > rng.beta(10, 16, 200_000)).mean()
    assert better(one) == pytest.approx(drawn, abs=0.005)


def test_half_of_the_sessions_are_acted_on_and_each_always_or_never() -> None:
    keys = [f"session-{n}" for n in range(2000)]
    share = sum(acts(key, "same_error") for key in keys) / len(keys)
    assert share == pytest.approx(0.5, abs=0.05)
    assert [acts(key, "same_error") for key in keys] == [acts(key, "same_error") for key in keys]
    # Who is on one side of one pilot is not on the same side of all.
    assert [acts(key, "same_error") for key in keys] != [acts(key, "no_write") for key in keys]


def test_a_run_comes_right_when_its_tests_pass_in_time() -> None:
    trial: Trial | None = Trial(kind="same_error", acted=True)
    for _ in range(HORIZON_TURNS - 1):
        assert trial is not None
        trial, good = trial.after(passed=False)
        assert good is None
    assert trial is not None
    assert trial.after(passed=True) == (None, True)
    assert trial.after(passed=False) == (None, False)


def test_a_decided_run_is_counted_on_its_side() -> None:
    one = Tally().counted(acted=True, good=True).counted(acted=False, good=False).counted(acted=False, good=True)
    assert one == tally((1, 0), (1, 1))
