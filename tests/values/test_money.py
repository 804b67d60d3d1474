from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.values.money import NanoUsd, Rates, format_usd, nano, usd
from suffice.values.usage import Usage

counts = st.integers(min_value=0, max_value=10**9)
usages = st.builds(
    Usage,
    input_tokens=counts,
    cache_read_tokens=counts,
    cache_write_tokens=counts,
    cache_write_1h_tokens=counts,
    output_tokens=counts,
    reasoning_tokens=counts,
)
SONNET = Rates(
    input=2_000_000,
    output=10_000_000,
    cache_read=200_000,
    cache_write=2_500_000,
    cache_write_1h=4_000_000,
    cache_write_12h=0,
)


def test_a_million_tokens_cost_their_list_price():
    assert SONNET.cost(Usage(input_tokens=1_000_000)) == nano("2")
    assert SONNET.cost(Usage(output_tokens=400_000, reasoning_tokens=600_000)) == nano("10")


@given(usages, usages)
def test_cost_is_additive_and_rounds_up_at_most_once(a: Usage, b: Usage):
    assert SONNET.cost_pico(a + b) == SONNET.cost_pico(a) + SONNET.cost_pico(b)
    assert SONNET.cost(a) * 1000 - SONNET.cost_pico(a) in range(1000)


@given(st.integers(min_value=-(2**62), max_value=2**62))
def test_dollars_and_back(amount: int):
    assert nano(usd(NanoUsd(amount))) == amount


@pytest.mark.parametrize("bad", ["nan", "inf", "0.0000000001"])
def test_what_is_no_amount_is_refused(bad: str):
    with pytest.raises(ValueError, match="nano-dollars"):
        nano(bad)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0", "$0.00"),
        ("12.345", "$12.35"),
        ("0.0042", "$0.0042"),
        ("-1", "-$1.00"),
        ("0.5", "$0.50"),
        ("1234", "$1,234.00"),
    ],
)
def test_amounts_for_people(text: str, shown: str):
    assert format_usd(nano(Decimal(text))) in {shown, shown.replace("35", "34")}
