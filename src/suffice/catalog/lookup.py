"""Finding models by what a person types, and telling everything known of one: for `suffice models`.

It reads the catalogue only. Invariant: a price is told with its kind, an unknown one with its reason and no number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fnmatch import fnmatchcase

from suffice.catalog.book import Catalog
from suffice.catalog.models import CAPABILITIES, Model
from suffice.catalog.names import normal
from suffice.catalog.prices import BUCKETS, Entry
from suffice.catalog.providers import Attribute
from suffice.values.money import Known, Price, Unknown

PICO_PER_USD_MTOK = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One model as it is shown. `usd_per_mtok` has the buckets in the book's order; empty when the price is unknown.

    `kind` is known, estimated or unknown; `basis` is the source of a known price and the reason of another.
    """

    model: Model
    kind: str
    basis: str
    usd_per_mtok: dict[str, Decimal]
    per_request_nano: int
    version: str


def find(catalog: Catalog, pattern: str) -> tuple[Model, ...]:
    """Return the models that `pattern` means, sorted by id.

    A name or alias is that model; a pattern with `*` or `?` is compared with ids; other text is looked for in ids and
    aliases. An empty pattern means every model.
    """
    if not pattern:
        return tuple(catalog.models())
    exact = catalog.model(pattern)
    if exact is not None:
        return (exact,)
    if any(c in pattern for c in "*?["):
        wanted = pattern.lower()
        return tuple(m for m in catalog.models() if fnmatchcase(m.id.lower(), wanted))
    key = normal(pattern)
    return tuple(m for m in catalog.models() if any(key in normal(word) for word in (m.id, *m.aliases)))


def nearest(catalog: Catalog, pattern: str, n: int = 3) -> tuple[str, ...]:
    """Return up to `n` ids that resemble `pattern`, the closest first."""
    models = catalog.models()
    ids = {normal(m.name): m.id for m in models} | {normal(m.id): m.id for m in models}
    close = get_close_matches(normal(pattern), ids, n=n, cutoff=0.6)
    return tuple(dict.fromkeys(ids[key] for key in close))


def listing(catalog: Catalog, model: Model, at_s: float) -> Listing:
    """Return a model with its price at `at_s` (epoch seconds), at the lowest context tier and the standard service."""
    price = catalog.price(model.id, at_s)
    rates = {} if isinstance(price, Unknown) else {b: dollars(getattr(price.rates, b)) for b in BUCKETS}
    return Listing(
        model=model,
        kind=kind_of(price),
        basis=price.source if isinstance(price, Known) else price.why,
        usd_per_mtok=rates,
        per_request_nano=0 if isinstance(price, Unknown) else price.rates.per_request_nano,
        version=price.version,
    )


def kind_of(price: Price) -> str:
    """Return known, estimated or unknown."""
    return type(price).__name__.lower()


def dollars(pico_per_token: int) -> Decimal:
    """Return pico-dollars per token as dollars per million tokens, exactly."""
    return Decimal(pico_per_token) / PICO_PER_USD_MTOK


def capabilities(model: Model) -> dict[str, bool | None]:
    """Return what the model can do: yes, no, or None where nobody has recorded it."""
    return {name: model.has(name) for name in sorted(CAPABILITIES)}


def attributes(catalog: Catalog, model: Model) -> dict[str, Attribute]:
    """Return the compliance facts that hold for a model: its provider's, and its own over them."""
    provider = catalog.provider(model.provider)
    return {**(provider.attributes if provider else {}), **model.attributes}


def conditions(entry: Entry) -> Iterable[str]:
    """Yield, for people, when another price than the basic one holds."""
    for tier in entry.tiers:
        given = {b: getattr(tier, b) for b in BUCKETS if getattr(tier, b) is not None}
        yield f"above {tier.above:,} prompt tokens: " + ", ".join(f"{b} ${dollars(v):f}" for b, v in given.items())
    for name, service in sorted(entry.services.items()):
        if service.multiplier:
            yield f"service tier {name}: times {service.multiplier[0]}/{service.multiplier[1]}"
        elif service.card:
            card = {b: getattr(service.card, b) for b in BUCKETS if getattr(service.card, b) is not None}
            yield f"service tier {name}: " + ", ".join(f"{b} ${dollars(v):f}" for b, v in card.items())
    if entry.schedule is not None:
        hours = ", ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in entry.schedule.hours_utc)
        days = " on working days" if entry.schedule.weekdays_only else ""
        yield f"{hours} UTC{days}: times {entry.schedule.multiplier[0]}/{entry.schedule.multiplier[1]}"
