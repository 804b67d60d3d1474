"""Reads `genai_prices.data.providers`: current list prices of many providers, with context tiers and service tiers.

The package is only touched through the attributes named here, so that a test can pass plain objects of the same shape.
Entries that hold at certain hours of the day are not read: such schedules come from model-prices or from our own table.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from suffice.catalog.builder.sources import Exact, Finding, SourceModel, service_of
from suffice.catalog.prices import Card, Entry, Service, Tier

FIELDS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
}
NANO_PER_USD_KCOUNT = 1_000_000  # a price for 1,000 requests in dollars is a million nano-dollars for one
SERVICES = {("processing", "batch"): "batch", ("service_tier", "flex"): "flex", ("service_tier", "priority"): "priority",
            ("service_tier", "fast"): "fast", ("speed", "fast"): "fast"}  # fmt: skip


def read(
    providers: Iterable[Any], ours: dict[str, list[str]], routed: dict[str, str], exact: Exact
) -> list[SourceModel]:
    """Return the models of the providers named in `ours` (direct) and `routed` (listed by the Hugging Face router)."""
    out: list[SourceModel] = []
    for provider in providers:
        for model in provider.models:
            if provider.id in routed:
                suffix = provider.id.removeprefix("huggingface_")
                row = _model(model, "huggingface", f"genai-prices:{provider.id}", exact)
                row.name, row.aliases = f"{model.id}:{suffix}", []
                out.append(row)
                continue
            for target in ours.get(provider.id, ()):
                if target == "google-gemini" and model.id.startswith("claude-"):
                    continue
                out.append(_model(model, target, f"genai-prices:{provider.id}", exact))
        if provider.id not in ours and provider.id not in routed:
            detail = f"{len(provider.models)} models of a provider that is not in our table"
            exact.findings.append(Finding(kind="skipped", model=provider.id, field="", detail=detail))
    return out


def _model(model: Any, provider: str, source: str, exact: Exact) -> SourceModel:
    row = SourceModel(provider=provider, name=model.id, source=source, context_window=model.context_window or 0)
    row.aliases = sorted({a for a in equals(model.match) if a != model.id})
    row.status = "deprecated" if model.deprecated else ""
    conditional = model.prices if isinstance(model.prices, list) else None
    pairs = [("", model.prices)] if conditional is None else []
    for item in conditional or ():
        if item.constraint is None:
            pairs.append(("", item.prices))
        elif hasattr(item.constraint, "start_date"):
            pairs.append((item.constraint.start_date.isoformat(), item.prices))
    for since, prices in pairs:
        entry = _entry(prices, since, source, row.id, exact)
        if entry is not None:
            row.entries.append(_with_services(entry, prices, model.price_variants or (), row.id, exact))
    row.free = model.id.endswith(":free") and not row.entries
    return row


def _entry(prices: Any, since: str, source: str, model: str, exact: Exact) -> Entry | None:
    """Return an entry, or None when nothing in it is priced by text token."""
    values = {field: getattr(prices, field, None) for field in FIELDS}
    if values["input_mtok"] is None:
        return None
    image = getattr(prices, "output_image_mtok", None)
    if isinstance(image, Decimal) and isinstance(values["output_mtok"], Decimal):
        # Usage does not say which output tokens were image tokens: the dearer price never charges too little.
        values["output_mtok"] = max(image, values["output_mtok"])
    card, tiers = _cards(values, model, exact)
    requests = getattr(prices, "requests_kcount", None)
    nano = int(Decimal(requests) * NANO_PER_USD_KCOUNT) if isinstance(requests, Decimal) else 0
    return Entry(source=source, since=since, card=card, tiers=tiers, per_request_nano=nano)


def _cards(values: dict[str, Any], model: str, exact: Exact) -> tuple[Card, tuple[Tier, ...]]:
    base: dict[str, int | None] = {}
    steps: dict[int, dict[str, int | None]] = {}
    for field, value in values.items():
        bucket = FIELDS[field]
        if value is None:
            continue
        tiered = hasattr(value, "tiers")
        base[bucket] = exact.pico(value.base if tiered else value, model, bucket)
        for tier in value.tiers if tiered else ():
            steps.setdefault(tier.start, {})[bucket] = exact.pico(tier.price, model, bucket)
    return Card(**base), tuple(Tier(above=start, **steps[start]) for start in sorted(steps))


def _with_services(entry: Entry, base: Any, variants: Iterable[Any], model: str, exact: Exact) -> Entry:
    """Return the entry with its service tiers; a bucket that a variant leaves out keeps the standard price.

    A variant's start date is mostly the day of its verification, so the first one also stands for the time before it.
    """
    dated: dict[str, list[tuple[str, Any]]] = {}
    for variant in variants:
        name = SERVICES.get(next(iter(variant.when.items()), ("", ""))) if len(variant.when) == 1 else None
        start = getattr(variant.constraint, "start_date", None)
        if name is not None:
            dated.setdefault(name, []).append((start.isoformat() if start is not None else "", variant.prices))
    services: dict[str, Service] = {}
    for name, choices in dated.items():
        begun = [c for c in choices if c[0] <= entry.since]
        own = max(begun, key=lambda c: c[0])[1] if begun else min(choices, key=lambda c: c[0])[1]
        values = {f: getattr(own, f, None) or getattr(base, f, None) for f in FIELDS}
        services[name] = service_of(entry, *_cards(values, model, exact))
    return msgspec.structs.replace(entry, services=services)


def equals(match: Any) -> Iterable[str]:
    """Yield the exact names in a match clause; prefixes and patterns are left out, for they name no model."""
    if hasattr(match, "equals"):
        yield match.equals
    for inner in getattr(match, "or_", ()):
        yield from equals(inner)
