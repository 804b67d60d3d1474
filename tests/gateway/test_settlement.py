import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.gateway.settlement import Timed, apart, bill, estimate_usage, result
from suffice.ledger.records import ChargeClass
from suffice.values.money import Estimated, Known, Rates, Unknown
from suffice.values.usage import Usage
from suffice.wire.chat_relay import Answer

RATES = Rates(input=1_000_000, output=10_000_000, cache_read=0, cache_write=0, cache_write_1h=0, cache_write_12h=0)
USAGE = Usage(input_tokens=100, output_tokens=10)


def known() -> Known:
    return Known(rates=RATES, version="v1", source="test")


def test_a_known_price_is_charged_exactly():
    made = bill(known(), None, USAGE)
    assert (made.cost_nano, made.price_kind, made.price_version, made.reference_nano) == (200_000, "known", "v1", -1)


def test_an_unknown_price_is_said_to_be_unknown_and_its_reference_still_counts():
    made = bill(Unknown(version="v1", why="nobody knows"), known(), USAGE)
    assert (made.price_kind, made.reference_nano) == ("unknown", 200_000)


def test_an_unknown_reference_is_no_saving():
    assert bill(known(), Unknown(version="v1", why="nobody knows"), USAGE).reference_nano == -1


def test_an_estimated_price_is_said_to_be_estimated():
    assert bill(Estimated(rates=RATES, version="v1", why="near"), None, USAGE).price_kind == "estimated"


@pytest.mark.parametrize(
    ("answer", "relayed", "least"),
    [
        (Answer(text="x" * 320), 0, 100),
        (Answer(reasoning="x" * 320), 0, 100),
        (Answer(tool_calls=(("id", "name", "y" * 320),)), 0, 100),
        (Answer(), 1600, 30),
        (Answer(), 0, 0),
    ],
)
def test_an_estimate_counts_what_was_seen(answer: Answer, relayed: int, least: int):
    usage = estimate_usage(50, answer, relayed)
    assert usage.estimated
    assert usage.input_tokens == 50
    assert usage.output_tokens + usage.reasoning_tokens >= least


@given(st.text(max_size=200))
def test_an_estimate_errs_towards_the_dearer(text: str):
    assert estimate_usage(0, Answer(text=text)).output_tokens * 3.2 >= len(text.encode())


def test_the_record_takes_the_charge_given_over_the_priced_one():
    made = bill(known(), None, USAGE)
    plain = result(made, USAGE, Timed(), outcome="ok", charge_class=ChargeClass.EXACT)
    whole = result(made, USAGE, Timed(), outcome="failed", charge_class=ChargeClass.UNKNOWN, charge_nano=7)
    assert (plain.charge_nano, whole.charge_nano) == (200_000, 7)


FREE = RATES.__class__(input=0, output=0, cache_read=0, cache_write=0, cache_write_1h=0, cache_write_12h=0)


def stating(nano: int | None) -> Usage:
    return Usage(input_tokens=100, output_tokens=10, stated_nano=nano)


@given(st.integers(1, 20_000_000))
def test_what_a_provider_states_as_its_bill_is_booked_to_the_nano_dollar(nano: int):
    made = bill(known(), None, stating(nano), stated=True)
    assert (made.cost_nano, made.price_kind, made.price_version, made.doubtful) == (nano, "known", "provider", False)
    assert (made.stated_nano, made.catalogue_nano) == (nano, 200_000)
    assert apart(made) == (abs(nano - 200_000) > max(10_000, nano // 10, 20_000))


@given(st.integers(0, 10**15) | st.none())
def test_a_price_that_is_no_bill_changes_nothing(nano: int | None):
    assert bill(known(), None, stating(nano)) == bill(known(), None, USAGE)
    unknown = Unknown(version="v1", why="nobody knows")
    assert bill(unknown, None, stating(nano)).price_kind == "unknown"


def test_a_stated_price_stands_in_for_an_unknown_one_unless_it_is_nothing():
    unknown = Unknown(version="v1", why="nobody knows")
    made = bill(unknown, known(), stating(7), stated=True)
    assert (made.cost_nano, made.price_kind, made.reference_nano, made.catalogue_nano) == (7, "known", 200_000, -1)
    assert not apart(made)
    assert bill(unknown, None, stating(0), stated=True).price_kind == "unknown"


@pytest.mark.parametrize("nano", [0, 10**9 + 1, 10**14])
def test_nothing_or_a_hundred_times_the_price_is_not_believed(nano: int):
    made = bill(known(), None, stating(nano), stated=True)
    assert (made.cost_nano, made.doubtful, apart(made)) == (200_000, True, True)
    assert (made.stated_nano, made.price_version) == (nano, "v1")


def test_what_costs_nothing_may_be_stated_as_nothing():
    made = bill(Known(rates=FREE, version="v1", source="test"), None, stating(0), stated=True)
    assert (made.cost_nano, made.doubtful, apart(made)) == (0, False, False)
