from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import LedgerError
from suffice.ledger.budgets import Budget, LeaseWantedError, Period, Purse, window
from suffice.storage.tables import LeaseReply


@given(st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH]), st.integers(0, 4_000_000_000))
def test_windows_tile_the_time(period, at):
    start, end = window(period, at)
    assert start <= at < end
    assert window(period, end - 1) == (start, end) and window(period, end)[0] == end


def test_windows_follow_the_utc_calendar():
    def at(*when):
        return int(datetime(*when, tzinfo=UTC).timestamp())

    assert window(Period.MONTH, at(2028, 2, 29, 23)) == (at(2028, 2, 1), at(2028, 3, 1))
    assert window(Period.WEEK, at(2026, 11, 22)) == (at(2026, 11, 16), at(2026, 11, 23))
    assert window(Period.TOTAL, 5) == (0, 0)


def purse(*budgets, granted=0):
    purse = Purse()
    purse.define(budgets)
    for budget in budgets:
        purse.slot(budget.id, 0).replied(LeaseReply(granted, budget.limit, 0, granted))
    return purse


def test_all_budgets_or_none_are_held():
    both = purse(Budget(id="a", limit=10), granted=10)
    both.define([Budget(id="a", limit=10), Budget(id="b", limit=5)])
    with pytest.raises(LeaseWantedError) as wanted:
        both.hold(("a", "b"), 6, 0)
    assert (wanted.value.slot.budget.id, wanted.value.need) == ("b", 6)
    assert both.slot("a", 0).reserved == 0
    with pytest.raises(LedgerError, match="c is not defined"):
        both.hold(("a", "c"), 1, 0)


def test_pressure_rises_from_the_soft_threshold_to_the_limit():
    one = purse(Budget(id="a", limit=100, soft=0.5), granted=100)
    assert one.pressure(("a",), 0) == 0
    slots = one.hold(("a",), 75, 0)
    assert one.pressure(("a",), 0) == pytest.approx(0.5)
    one.end(slots, 75, 110)
    assert one.pressure(("a",), 0) == 1 and one.slot("a", 0).available == -10
    assert purse(Budget(id="z", limit=0)).pressure(("z",), 0) == 1


def test_a_soft_budget_watches_and_never_refuses():
    watch = purse(Budget(id="a", limit=1, hard=False))
    watch.end(watch.hold(("a",), 10**6, 0), 10**6, 10**6)
    assert watch.pressure(("a",), 0) == 1


def test_a_clock_that_steps_back_finds_the_earlier_window():
    days = purse(Budget(id="a", limit=10, period=Period.DAY), granted=10)
    days.hold(("a",), 10, 0)
    assert days.slot("a", 86400).available == 0 and days.slot("a", 86400).reserved == 0
    with pytest.raises(LeaseWantedError):
        days.hold(("a",), 1, 86399)


@pytest.mark.parametrize("wrong", [{"id": ""}, {"limit": -1}, {"soft": 1.5}])
def test_budgets_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="needs an id"):
        Budget(**({"id": "a", "limit": 1} | wrong)).row()
    assert Budget.of(Budget(id="a", limit=1).row()) == Budget(id="a", limit=1)
