"""Price rows as they are stored, and the choice of the row that applies to one call.

Every number is an integer of pico-dollars per token (1 $/Mtok = 1,000,000), so nothing is ever rounded before the booked
row. A bucket that a source does not list is `None`, never 0. What is missing is derived by `fill` with the rule below, and
the derived buckets are named, so that a price can be called estimated when one of them was used.

Rule for a missing cache price (never below what a provider may charge, as far as is documented):
cache read = fresh input; cache write = fresh input times the provider's documented write multiplier, else fresh input;
one-hour write = fresh input times the documented one-hour multiplier, else the plain write; twelve-hour write likewise,
else the one-hour write.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import NamedTuple

import msgspec

from suffice.values.money import Rates

BUCKETS = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "cache_write_12h")
"""The priced buckets, in the order in which they are shown."""

DISCOUNTED = frozenset({"batch", "flex"})
"""Service tiers that are cheaper than the standard one, so that the standard price is a safe bound."""

STANDARD = frozenset({"", "default", "standard", "auto", "on_demand"})
"""Service tiers that mean the standard price."""

DAY_S = 86_400

Ratio = tuple[int, int]


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Prices of the buckets in pico-dollars per token; `None` where the source lists none."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    cache_write_12h: int | None = None


class Tier(Card, frozen=True, kw_only=True, omit_defaults=True):
    """Prices of the whole call when its prompt has more than `above` tokens; unlisted buckets keep the base price."""

    above: int


class Service(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A service tier: one exact multiplier for all buckets, or a card (and tiers) of its own."""

    multiplier: Ratio | None = None
    card: Card | None = None
    tiers: tuple[Tier, ...] = ()


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hours of the day at another price: `multiplier` applies within `hours_utc`.

    `hours_utc` are half-open ranges in minutes after midnight UTC. `weekdays_only` leaves out Saturdays and Sundays,
    `calendar` names the list of holidays that are left out too.
    """

    hours_utc: tuple[tuple[int, int], ...]
    multiplier: Ratio
    weekdays_only: bool = False
    calendar: str = ""


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Public holidays as ISO dates; nothing is known after `through`."""

    dates: frozenset[str]
    through: str
    source: str


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The prices of one model from `since` (ISO time UTC, `""` = always) until the next entry."""

    source: str
    card: Card
    since: str = ""
    tiers: tuple[Tier, ...] = ()
    services: dict[str, Service] = {}
    schedule: Schedule | None = None
    per_request_nano: int = 0


class Choice(NamedTuple):
    """Which part of an entry applies: all small integers or names, so that it can be a cache key."""

    tier: int  # index into the tiers, -1 for the base card
    service: str
    peak: bool
    doubt: str  # why the choice itself is uncertain, "" when it is not


def epoch_s(iso: str) -> float:
    """Return an ISO 8601 time or date (UTC when it names no zone) as seconds since the epoch; `""` is minus infinity."""
    if not iso:
        return -math.inf
    stamp = datetime.fromisoformat(iso)
    if stamp.tzinfo is None:
        stamp = datetime.fromisoformat(iso + ("T00:00:00+00:00" if len(iso) == 10 else "+00:00"))
    return stamp.timestamp()


def in_peak(schedule: Schedule, at: float, calendars: dict[str, Calendar]) -> tuple[bool, str]:
    """Return whether the schedule's multiplier applies at `at` (epoch seconds), and a doubt or `""`."""
    day, second = divmod(int(at), DAY_S)
    minute = second // 60
    if not any(start <= minute < end for start, end in schedule.hours_utc):
        return False, ""
    if schedule.weekdays_only and (day + 3) % 7 >= 5:  # 1970-01-01 was a Thursday
        return False, ""
    if not schedule.calendar:
        return True, ""
    calendar = calendars.get(schedule.calendar)
    date = _iso_date(day)
    if calendar is None or date > calendar.through:
        return True, f"no holidays known for {date}"
    return date not in calendar.dates, ""


def _iso_date(day: int) -> str:
    """Return the ISO date `day` days after 1970-01-01, for any integer (civil-from-days by era arithmetic)."""
    day += 719_468
    era, doe = divmod(day, 146_097)
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    return f"{yoe + era * 400 + (month <= 2):04d}-{month:02d}-{doy - (153 * mp + 2) // 5 + 1:02d}"


def choose(
    entry: Entry, at: float, prompt_tokens: int, service_tier: str, calendars: dict[str, Calendar]
) -> Choice | None:
    """Return what applies to a call, or None when the entry lists no price for that service tier.

    A discounted tier that is not listed is priced as standard, with a doubt: never too low.
    """
    service, doubt = ("" if service_tier in STANDARD else service_tier), ""
    if service and service not in entry.services:
        if service not in DISCOUNTED:
            return None
        service, doubt = "", f"no {service} price listed; the standard price is assumed"
    peak = False
    if entry.schedule is not None:
        peak, unsure = in_peak(entry.schedule, at, calendars)
        doubt = doubt or unsure
    special = entry.services[service] if service else None
    tiers = special.tiers if special is not None and special.card is not None else entry.tiers
    tier = -1
    for index, row in enumerate(tiers):
        if prompt_tokens > row.above:
            tier = index
    return Choice(tier, service, peak, doubt)


def card_of(entry: Entry, choice: Choice) -> Card:
    """Return the card of a choice, with tier, service tier and schedule applied; unlisted buckets stay `None`."""
    special = entry.services[choice.service] if choice.service else None
    own = special is not None and special.card is not None
    base = special.card if special is not None and special.card is not None else entry.card
    tiers = special.tiers if special is not None and own else entry.tiers
    card = _over(base, tiers[choice.tier]) if choice.tier >= 0 else base
    if special is not None and special.multiplier is not None:
        card = scaled(card, special.multiplier)
    if choice.peak and entry.schedule is not None:
        card = scaled(card, entry.schedule.multiplier)
    return card


def _over(base: Card, tier: Tier) -> Card:
    merged = {b: getattr(tier, b) if getattr(tier, b) is not None else getattr(base, b) for b in BUCKETS}
    return Card(**merged)


def scaled(card: Card, ratio: Ratio) -> Card:
    """Return the card times an exact ratio; a fraction of a pico-dollar is rounded up."""
    num, den = ratio

    def times(value: int | None) -> int | None:
        return None if value is None else -(-value * num // den)

    return Card(**{b: times(getattr(card, b)) for b in BUCKETS})


def fill(
    card: Card, write_multipliers: dict[str, Ratio], per_request_nano: int = 0
) -> tuple[Rates, frozenset[str]] | None:
    """Return complete rates and the names of the derived buckets; None when input or output is not listed.

    `write_multipliers` maps `default`, `1h` and `12h` to documented multiples of the fresh input price.
    """
    if card.input is None or card.output is None:
        return None
    derived = frozenset(b for b in BUCKETS if getattr(card, b) is None)

    def multiple(key: str, otherwise: int) -> int:
        ratio = write_multipliers.get(key)
        return otherwise if ratio is None or card.input is None else -(-card.input * ratio[0] // ratio[1])

    read = card.input if card.cache_read is None else card.cache_read
    write = multiple("default", card.input) if card.cache_write is None else card.cache_write
    hour = multiple("1h", write) if card.cache_write_1h is None else card.cache_write_1h
    half_day = multiple("12h", hour) if card.cache_write_12h is None else card.cache_write_12h
    rates = Rates(
        input=card.input,
        output=card.output,
        cache_read=read,
        cache_write=write,
        cache_write_1h=hour,
        cache_write_12h=half_day,
        per_request_nano=per_request_nano,
    )
    return rates, derived
