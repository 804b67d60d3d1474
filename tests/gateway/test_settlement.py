import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.gateway.settlement import Timed, bill, estimate_usage, result
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
