from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from suffice.catalog.prices import (
    BUCKETS,
    Calendar,
    Card,
    Entry,
    Schedule,
    Service,
    Tier,
    card_of,
    choose,
    epoch_s,
    fill,
    scaled,
)

CN = {"cn": Calendar(dates=frozenset({"2026-10-01"}), through="2026-12-31", source="test")}
PEAK = Schedule(hours_utc=((60, 240), (360, 600)), multiplier=(2, 1), weekdays_only=True, calendar="cn")
ENTRY = Entry(
    source="s",
    card=Card(input=1000, output=4000, cache_read=100),
    tiers=(Tier(above=100, input=2000), Tier(above=1000, input=5000, output=9000)),
    services={"batch": Service(multiplier=(1, 2)), "priority": Service(card=Card(input=1700, output=6000))},
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def card(entry: Entry, when: float = 0.0, prompt: int = 0, tier: str = "") -> Card:
    choice = choose(entry, when, prompt, tier, CN)
    assert choice is not None
    return card_of(entry, choice)


def test_a_tier_begins_above_its_size_and_keeps_unlisted_buckets() -> None:
    assert card(ENTRY, prompt=100).input == 1000
    assert card(ENTRY, prompt=101) == Card(input=2000, output=4000, cache_read=100)
    assert card(ENTRY, prompt=1001) == Card(input=5000, output=9000, cache_read=100)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_rising_tiers_never_make_a_longer_prompt_cheaper(a: int, b: int) -> None:
    low, high = card(ENTRY, prompt=min(a, b)), card(ENTRY, prompt=max(a, b))
    assert (low.input or 0) <= (high.input or 0) and (low.output or 0) <= (high.output or 0)


def test_service_tiers() -> None:
    assert card(ENTRY, prompt=101, tier="batch") == Card(input=1000, output=2000, cache_read=50)
    assert card(ENTRY, prompt=101, tier="priority") == Card(input=1700, output=6000)
    assert card(ENTRY, tier="default") == ENTRY.card
    assert choose(ENTRY, 0.0, 0, "fast", CN) is None
    flex = choose(ENTRY, 0.0, 0, "flex", CN)
    assert flex is not None and "standard price is assumed" in flex.doubt and card_of(ENTRY, flex) == ENTRY.card


def test_peak_hours_on_weekdays_only() -> None:
    entry = Entry(source="s", card=Card(input=10, output=20), schedule=PEAK)
    cases = {
        "2026-11-20T00:59:59": 10,  # a Friday
        "2026-11-20T01:00:00": 20,
        "2026-11-20T03:59:59": 20,
        "2026-11-20T04:00:00": 10,
        "2026-11-20T06:00:00": 20,
        "2026-11-20T10:00:00": 10,
        "2026-11-21T02:00:00": 10,  # Saturday
        "2026-11-22T07:00:00": 10,  # Sunday
        "2026-10-01T02:00:00": 10,  # a holiday, a Thursday
        "2026-11-23T02:00:00": 20,
    }
    assert {k: card(entry, at(k)).input for k in cases} == cases


def test_after_the_last_known_holiday_the_peak_is_charged_with_a_doubt() -> None:
    entry = Entry(source="s", card=Card(input=10, output=20), schedule=PEAK)
    choice = choose(entry, at("2027-01-05T02:00:00"), 0, "", CN)
    assert choice is not None and choice.peak and "2027-01-05" in choice.doubt


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1)))
def test_the_weekday_and_date_are_those_of_the_calendar(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    every = Schedule(hours_utc=((0, 1440),), multiplier=(2, 1), weekdays_only=True, calendar="c")
    calendars = {"c": Calendar(dates=frozenset({moment.date().isoformat()}), through="9999-12-31", source="t")}
    entry = Entry(source="s", card=Card(input=1, output=1), schedule=every)
    seconds = (moment - datetime(1970, 1, 1)) // timedelta(seconds=1)
    today = choose(entry, float(seconds), 0, "", calendars)
    assert today is not None and today.peak is False
    other = choose(entry, float(seconds), 0, "", {"c": Calendar(dates=frozenset(), through="9999-12-31", source="t")})
    assert other is not None and other.peak is (moment.weekday() < 5)


@given(st.integers(0, 10**12), st.integers(1, 1000), st.integers(1, 1000))
def test_scaling_is_exact_and_rounds_up_below_one_pico(value: int, num: int, den: int) -> None:
    got = scaled(Card(input=value), (num, den))
    assert got.output is None and got.input is not None
    assert got.input * den >= value * num > (got.input - 1) * den


def test_fill_names_what_it_derived_and_never_underprices() -> None:
    filled = fill(Card(input=1000, output=5000), {"default": (5, 4), "1h": (2, 1)})
    assert filled is not None
    rates, derived = filled
    assert (rates.cache_read, rates.cache_write, rates.cache_write_1h, rates.cache_write_12h) == (
        1000,
        1250,
        2000,
        2000,
    )
    assert derived == {"cache_read", "cache_write", "cache_write_1h", "cache_write_12h"}
    assert fill(Card(output=1), {}) is None and fill(Card(input=1), {}) is None
    whole = fill(Card(**dict.fromkeys(BUCKETS, 7)), {"default": (9, 1)})
    assert whole is not None and whole[0].cache_write == 7 and not whole[1]


def test_epoch() -> None:
    assert epoch_s("2026-08-16T16:00:00Z") == at("2026-08-16T16:00:00") == epoch_s("2026-08-16T16:00:00")
    assert epoch_s("1970-01-02") == 86400.0
    assert epoch_s("") == float("-inf")
