from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.catalog.builder.sources import BuildError, Exact, common_ratio, reduce_ratio, service_of
from suffice.catalog.prices import Card, Entry, Tier


@given(st.integers(1, 10**12))
def test_exact_prices_come_through_unchanged(pico: int) -> None:
    assert Exact(repairs={}).pico(Decimal(pico) / 1_000_000, "m", "input") == pico


@pytest.mark.parametrize("text", ["0.0833333333333333", "0.00000012345", "-1", "NaN", "Infinity", "abc"])
def test_what_is_not_exact_stops_the_build(text: str) -> None:
    with pytest.raises(BuildError, match="m"):
        Exact(repairs={}).pico(text, "m", "input")


def test_noise_is_repaired_the_listed_is_replaced_and_zero_is_missing() -> None:
    exact = Exact(repairs={"0.0833333333333333": "0.083334"})
    assert exact.pico("0.18000000000000002", "m", "input") == 180_000
    assert exact.pico("0.0833333333333333", "m", "input") == 83_334
    assert exact.pico("0", "m", "input") is None
    assert [f.kind for f in exact.findings] == ["repaired", "repaired", "zero"]


def test_a_refresh_drops_and_reports_instead() -> None:
    exact = Exact(repairs={}, strict=False)
    assert exact.pico("0.0833333333333333", "m", "cache_write") is None
    assert exact.findings[0].kind == "dropped"
    with pytest.raises(BuildError):
        exact.pico("-1", "m", "input")


def test_a_service_is_a_multiplier_only_when_everything_agrees() -> None:
    base = Entry(source="s", card=Card(input=10, output=40), tiers=(Tier(above=5, input=20),))
    assert service_of(base, Card(input=5, output=20), (Tier(above=5, input=10),)).multiplier == (1, 2)
    assert service_of(base, Card(input=5, output=20), ()).card == Card(input=5, output=20)
    assert service_of(base, Card(input=5, output=30), (Tier(above=5, input=10),)).multiplier is None
    assert common_ratio(Card(input=10), Card(input=5, output=1)) is None
    assert reduce_ratio(6, 4) == (3, 2)
