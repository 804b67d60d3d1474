from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.testing.seeded import Seeded


def test_the_stream_is_fixed_for_ever() -> None:
    # SplitMix64 from state 0: the first output is published as 0xE220A8397B1DCDAF.
    assert Seeded(0).random() == (0xE220A8397B1DCDAF >> 11) * 2.0**-53


@given(st.integers(), st.integers(min_value=1, max_value=10**6))
def test_numbers_stay_in_range(seed: int, bound: int) -> None:
    chance = Seeded(seed, "x", 3)
    assert all(0.0 <= chance.random() < 1.0 for _ in range(20))
    assert all(0 <= chance.below(bound) < bound for _ in range(20))


def test_labels_make_separate_streams() -> None:
    assert len({Seeded(1, label).random() for label in ("a", "b", 0, 1, 2)}) == 5
    assert Seeded(1, "a").random() == Seeded(1, "a").random()


def test_the_mean_is_fair() -> None:
    chance = Seeded(7)
    assert abs(sum(chance.random() for _ in range(20_000)) / 20_000 - 0.5) < 0.01


def test_no_empty_range() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Seeded(1).below(0)
