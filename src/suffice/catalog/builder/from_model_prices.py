"""Reads the snapshot of the `model-prices` package: dated price history of first-party labs, batch prices, schedules.

Its numbers are JSON decimals and are parsed as `Decimal`, never as floats.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from suffice.catalog.builder.sources import Exact, Finding, SourceModel, service_of
from suffice.catalog.prices import Calendar, Card, Entry, Ratio, Schedule, Tier, epoch_s

PLANS = {"batch": "batch", "flex": "flex", "fast": "fast"}
LISTED = ("input", "output", "cache_read", "cache_write")
MINUTES_PER_DAY = 1440


def parse(text: str) -> dict[str, Any]:
    """Return the snapshot with exact numbers."""
    data: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return data


def read(snapshot: dict[str, Any], ours: dict[str, str], exact: Exact) -> list[SourceModel]:
    """Return the models of the providers named in `ours`, each with its history, oldest entry first."""
    out: list[SourceModel] = []
    for provider, models in snapshot["prices"].items():
        target = ours.get(provider)
        if target is None:
            detail = f"{len(models)} models of a provider that is not in our table"
            exact.findings.append(Finding(kind="skipped", model=f"model-prices:{provider}", field="", detail=detail))
            continue
        rules = [s for s in snapshot["schedules"]["schedule"] if s["provider"] == provider and "valid_until" not in s]
        for name, plans in models.items():
            row = SourceModel(provider=target, name=name, source=f"model-prices:{provider}")
            row.status = snapshot["status"].get(provider, {}).get(name, "")
            row.entries = _history(plans, row, exact)
            for rule in rules:
                row.entries = _scheduled(row.entries, rule, name)
            out.append(row)
    return out


def calendars(snapshot: dict[str, Any]) -> dict[str, Calendar]:
    """Return the holiday calendars that the schedules name."""
    return {
        name: Calendar(dates=frozenset(c["dates"]), through=c["covers_through"], source=c["source"])
        for name, c in snapshot["schedules"]["holidays"].items()
    }


def _history(plans: dict[str, Any], row: SourceModel, exact: Exact) -> list[Entry]:
    entries: list[Entry] = []
    for step in plans.get("standard", ()):
        rates = step["rates"]
        if rates is None:
            continue
        card, tiers = _cards(rates, row.id, exact)
        if card.input is None:
            continue
        entry = Entry(source=rates["source"], since=step["start"] or "", card=card, tiers=tiers)
        if entries and entries[-1].card == card and entries[-1].tiers == tiers:
            continue  # only the evidence changed, not the price
        entries.append(entry)
    if not entries:
        return entries
    services = {}
    for plan, service in PLANS.items():
        steps = [s for s in plans.get(plan, ()) if s["rates"] is not None]
        if steps:
            card, tiers = _cards(steps[-1]["rates"], row.id, exact)
            if card.input is not None:
                services[service] = service_of(entries[-1], card, tiers)
    last = entries[-1]
    entries[-1] = Entry(source=last.source, since=last.since, card=last.card, tiers=last.tiers, services=services)
    return entries


def _cards(rates: dict[str, Any], model: str, exact: Exact) -> tuple[Card, tuple[Tier, ...]]:
    multiple = rates.get("cache_write_1h_multiple")
    # OpenAI sells no one-hour write: there the field holds the multiple of the twelve-hour one.
    long = "cache_write_12h" if model.startswith("openai/") else "cache_write_1h"

    def buckets(row: dict[str, Any]) -> dict[str, int | None]:
        found: dict[str, int | None] = {b: exact.pico(row[b], model, b) for b in LISTED if b in row}
        if multiple is not None and row.get("input") and "cache_write" in row:
            found[long] = exact.pico(row["input"] * multiple, model, long)
        return found

    tiers = tuple(Tier(above=t["above"], **buckets(t)) for t in rates.get("tiers", ()))
    return Card(**buckets(rates)), tiers


def _scheduled(entries: list[Entry], rule: dict[str, Any], name: str) -> list[Entry]:
    """Return the entries with the schedule on those in force since it began."""
    schedule = _schedule(rule, name)
    if schedule is None or not entries:
        return entries
    begins = epoch_s(rule["valid_from"].replace("Z", "+00:00"))
    out = []
    for index, entry in enumerate(entries):
        ends = epoch_s(entries[index + 1].since) if index + 1 < len(entries) else float("inf")
        if ends <= begins:
            out.append(entry)
            continue
        if epoch_s(entry.since) < begins and entry.since:
            out.append(entry)
            entry = _copy(entry, since=rule["valid_from"], schedule=schedule)
        else:
            entry = _copy(entry, since=entry.since, schedule=schedule)
        out.append(entry)
    return out


def _copy(entry: Entry, since: str, schedule: Schedule) -> Entry:
    return Entry(source=entry.source, since=since, card=entry.card, tiers=entry.tiers, services=entry.services,
                 schedule=schedule, per_request_nano=entry.per_request_nano)  # fmt: skip


def _schedule(rule: dict[str, Any], name: str) -> Schedule | None:
    key = "peak" if "peak_multiplier" in rule else "off_peak"
    multiplier = rule[f"{key}_multiplier"]
    if isinstance(multiplier, dict):
        multiplier = multiplier.get(name)
    if multiplier is None:
        return None
    hours: list[tuple[int, int]] = []
    for start, end in rule[f"{key}_hours_utc"]:
        first, last = _minute(start), _minute(end) or MINUTES_PER_DAY
        hours += [(first, last)] if first < last else [(first, MINUTES_PER_DAY), (0, last)]
    return Schedule(
        hours_utc=tuple(sorted(hours)),
        multiplier=_ratio(multiplier),
        weekdays_only=bool(rule.get("weekdays_only")),
        calendar=rule.get("holidays", ""),
    )


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _ratio(value: Decimal | int) -> Ratio:
    return Decimal(value).as_integer_ratio()
