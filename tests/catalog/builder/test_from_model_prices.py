import json
from typing import Any

from suffice.catalog.builder.from_model_prices import calendars, parse, read
from suffice.catalog.builder.sources import Exact
from suffice.catalog.prices import Card, Schedule, Service


def rates(input_: float, output: float, **more: object) -> dict[str, object]:
    return {"input": input_, "output": output, "source": "s", **more}


def snapshot(plans: dict[str, Any], schedule: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    holidays = {"cn": {"dates": ["2026-10-01"], "covers_through": "2026-12-31", "source": "gov"}}
    data = {
        "prices": {"deepseek": {"m": plans}, "other": {"x": {}}},
        "status": {"deepseek": {"m": "deprecated"}},
        "schedules": {"holidays": holidays, "schedule": schedule or []},
    }
    return parse(json.dumps(data))


PEAK = {
    "provider": "deepseek",
    "valid_from": "2026-08-16T16:00:00Z",
    "peak_hours_utc": [["01:00", "04:00"]],
    "peak_multiplier": 2.0,
    "weekdays_only": True,
    "holidays": "cn",
}


def test_history_batch_and_long_writes() -> None:
    plans = {
        "standard": [
            {"start": None, "rates": rates(1.74, 3.48)},
            {"start": "2026-05-01T00:00:00Z", "rates": rates(1.74, 3.48)},
            {"start": "2026-06-01T00:00:00Z", "rates": rates(0.3, 3, cache_write=0.375, cache_write_1h_multiple=2.0)},
        ],
        "batch": [
            {"start": None, "rates": None},
            {"start": "2026-06-01", "rates": rates(0.15, 1.5, cache_write=0.1875, cache_write_1h_multiple=2.0)},
        ],
    }
    exact = Exact(repairs={})
    (row,) = read(snapshot(plans), {"deepseek": "deepseek"}, exact)
    assert row.id == "deepseek/m" and row.status == "deprecated"
    assert [e.since for e in row.entries] == ["", "2026-06-01T00:00:00Z"]
    assert row.entries[0].card == Card(input=1_740_000, output=3_480_000)
    assert row.entries[1].card == Card(input=300_000, output=3_000_000, cache_write=375_000, cache_write_1h=600_000)
    assert row.entries[1].services == {"batch": Service(multiplier=(1, 2))}
    assert [f.model for f in exact.findings if f.kind == "skipped"] == ["model-prices:other"]


def test_a_schedule_begins_on_its_own_date() -> None:
    plans = {
        "standard": [{"start": None, "rates": rates(1, 2)}, {"start": "2026-06-01T00:00:00Z", "rates": rates(2, 4)}]
    }
    (row,) = read(snapshot(plans, [PEAK]), {"deepseek": "deepseek"}, Exact(repairs={}))
    assert [(e.since, e.schedule is None) for e in row.entries] == [
        ("", True),
        ("2026-06-01T00:00:00Z", True),
        ("2026-08-16T16:00:00Z", False),
    ]
    assert row.entries[2].schedule == Schedule(
        hours_utc=((60, 240),), multiplier=(2, 1), weekdays_only=True, calendar="cn"
    )


def test_hours_across_midnight_and_multipliers_by_model() -> None:
    rule = {
        "provider": "deepseek",
        "valid_from": "2026-01-01T00:00:00Z",
        "off_peak_hours_utc": [["16:30", "00:30"], ["14:00", "00:00"]],
        "off_peak_multiplier": {"m": 0.25},
    }
    (row,) = read(
        snapshot({"standard": [{"start": None, "rates": rates(1, 2)}]}, [rule]),
        {"deepseek": "deepseek"},
        Exact(repairs={}),
    )
    schedule = row.entries[0].schedule
    assert schedule is not None and schedule.multiplier == (1, 4)
    assert schedule.hours_utc == ((0, 30), (840, 1440), (990, 1440))


def test_calendars() -> None:
    found = calendars(snapshot({}))
    assert found["cn"].dates == {"2026-10-01"} and found["cn"].through == "2026-12-31"
