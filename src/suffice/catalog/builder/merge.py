"""Merges the sources into rows: our corrections first, then the preferred source, and a finding for every disagreement.

Which source wins: an entry of `own.toml`; else genai-prices (newest, checked against the vendors' pages), unless `own.toml`
prefers model-prices for that provider. Where both agree on today's price, the row keeps model-prices' dated history and the
service tiers of both. Invariant: the result depends only on the inputs, not on their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from suffice.catalog.builder.sources import Exact, Finding, SourceModel
from suffice.catalog.models import Like, Model
from suffice.catalog.names import canonical, family, is_snapshot_of, normal
from suffice.catalog.prices import BUCKETS, Card, Entry

_C = TypeVar("_C", bound=Card)


def merge(genai: list[SourceModel], history: list[SourceModel], own: dict[str, Any], exact: Exact) -> list[Model]:
    """Return all rows, sorted by id."""
    rows: dict[str, SourceModel] = {}
    for row in split_aliases(genai):
        rows.setdefault(row.id, row)
    dated = {row.id: row for row in history}
    by_alias = {f"{r.provider}/{normal(a)}": r.id for r in rows.values() for a in (r.name, *r.aliases)}
    for key in sorted(dated):
        theirs = dated[key]
        base = rows.get(key) or rows.get(by_alias.get(f"{theirs.provider}/{normal(theirs.name)}", ""))
        if base is None:
            rows[key] = theirs
            continue
        prefer = own["prefer"].get(theirs.provider) == "model-prices"
        if base.id != key:  # a snapshot that the other source folds into its base: only check it
            compare(base, theirs, prefer, own["as_of"], exact)
            continue
        rows[key] = join(base, theirs, prefer, own["as_of"], exact)
    models = [finish(row, own, exact) for row in rows.values()]
    models += mirrors(models, own) + routed(models, own)
    unique: dict[str, Model] = {}
    for model in models:
        unique.setdefault(model.id, model)
    return [unique[key] for key in sorted(unique)]


def split_aliases(rows: Iterable[SourceModel]) -> list[SourceModel]:
    """Give every alias that is a model of its own (`gpt-5.1-codex` under `gpt-5.1`) a row with the same prices.

    A snapshot or another spelling stays an alias: the provider accepts the one, and `normal` finds the other.
    """
    out = []
    taken = {row.id for row in rows}
    for row in rows:
        kept, seen = [], {normal(row.name)}
        for alias in sorted(row.aliases, key=lambda a: ("." not in a, a)):
            if normal(alias) in seen or ("/" in alias and "/" not in row.name):
                continue
            seen.add(normal(alias))
            if is_snapshot_of(alias, row.name):
                kept.append(alias)
            elif f"{row.provider}/{alias}" not in taken:
                taken.add(f"{row.provider}/{alias}")
                out.append(SourceModel(provider=row.provider, name=alias, source=row.source, entries=row.entries,
                                       context_window=row.context_window, status=row.status))  # fmt: skip
        row.aliases = sorted(kept)
        out.append(row)
    return sorted(out, key=lambda r: r.id)


def in_force(entries: list[Entry], today: str) -> int:
    """Return the index of the entry that holds on the ISO date `today`."""
    return max([i for i, e in enumerate(entries) if e.since[:10] <= today], default=0)


def compare(base: SourceModel, theirs: SourceModel, prefer: bool, today: str, exact: Exact) -> bool:
    """Return whether both list the same price today; record a finding for each bucket in which they differ."""
    if not base.entries or not theirs.entries:
        return not theirs.entries
    left, right = base.entries[in_force(base.entries, today)], theirs.entries[in_force(theirs.entries, today)]
    same = True
    for label, one, two in [("", left.card, right.card), *_tier_pairs(left, right)]:
        for bucket in BUCKETS:
            a, b = getattr(one, bucket), getattr(two, bucket)
            if a is not None and b is not None and a != b:
                same = False
                winner = "model-prices" if prefer else "genai-prices"
                detail = f"genai-prices {dollars(a)}, model-prices {dollars(b)} $/Mtok; {winner} wins"
                exact.findings.append(
                    Finding(kind="conflict", model=theirs.id, field=f"{bucket}{label}", detail=detail)
                )
    return same and [t.above for t in left.tiers] == [t.above for t in right.tiers]


def _tier_pairs(left: Entry, right: Entry) -> list[tuple[str, Card, Card]]:
    theirs = {t.above: t for t in right.tiers}
    return [(f" above {t.above}", t, theirs[t.above]) for t in left.tiers if t.above in theirs]


def join(base: SourceModel, theirs: SourceModel, prefer: bool, today: str, exact: Exact) -> SourceModel:
    """Return one row of two: the preferred prices, the history where both agree on today, status and context of both."""
    agree = compare(base, theirs, prefer, today, exact)
    entries = base.entries or theirs.entries
    if theirs.entries and prefer:
        entries = theirs.entries
    elif theirs.entries and base.entries and agree:
        now, then = in_force(base.entries, today), in_force(theirs.entries, today)
        current, old = base.entries[now], theirs.entries[then]
        services = {**old.services, **current.services}
        merged = msgspec.structs.replace(
            completed(current, old), since=old.since, services=services, schedule=old.schedule
        )
        # The longer past wins; a future that only one source announces is kept.
        past = theirs.entries[:then] if then >= now else base.entries[:now]
        if then < now:
            merged = msgspec.structs.replace(merged, since=current.since)
        entries = [*past, merged, *base.entries[now + 1 :]]
    return SourceModel(
        provider=base.provider, name=base.name, source=base.source, entries=entries, aliases=base.aliases,
        context_window=base.context_window, status=theirs.status or base.status, free=base.free,
    )  # fmt: skip


def completed(entry: Entry, other: Entry) -> Entry:
    """Return `entry` with the buckets that only `other` lists, in the base card and in equal context tiers."""
    extra = {t.above: t for t in other.tiers}
    tiers = tuple(_filled(t, extra[t.above]) if t.above in extra else t for t in entry.tiers)
    return msgspec.structs.replace(entry, card=_filled(entry.card, other.card), tiers=tiers)


def _filled(card: _C, other: Card) -> _C:
    missing = {b: getattr(other, b) for b in BUCKETS if getattr(card, b) is None and getattr(other, b) is not None}
    return msgspec.structs.replace(card, **missing)


def finish(row: SourceModel, own: dict[str, Any], exact: Exact) -> Model:
    """Return the catalogue row: own corrections, capabilities, limits, shutdown dates."""
    key = canonical(row.name)
    rule: dict[str, Any] = first_match(own["capabilities"], key) or {}
    correction = own["correction"].get(row.id)
    entries = tuple(row.entries)
    if correction is not None:
        prices = {b: exact.pico(correction[b], row.id, b) for b in BUCKETS if b in correction}
        entries = (Entry(source=correction["source"], since=correction.get("since", ""), card=Card(**prices)),)
        exact.findings.append(Finding(kind="conflict", model=row.id, field="all", detail="own correction wins"))
    if row.id in own["untiered"]:
        entries = tuple(untiered(e) for e in entries)
    limit, window = first_match(own["max_output"], key), first_match(own["context"], key)
    return Model(
        id=row.id,
        provider=row.provider,
        name=row.name,
        family=family(row.name),
        canonical=key,
        kind=rule.get("kind", "chat"),
        context_window=row.context_window or (window["tokens"] if window else 0),
        max_output=limit["tokens"] if limit and rule.get("kind", "chat") == "chat" else 0,
        capabilities=frozenset(rule.get("capabilities", ())),
        reviewed=bool(rule.get("reviewed")),
        aliases=tuple(row.aliases),
        status=row.status,
        deprecated_at=own["shutdown"].get(row.id, ""),
        free=row.free,
        prices=entries,
    )


def untiered(entry: Entry) -> Entry:
    """Return an entry without context tiers, its service tiers included."""
    services = {k: msgspec.structs.replace(s, tiers=()) for k, s in entry.services.items()}
    return msgspec.structs.replace(entry, tiers=(), services=services)


def first_match(rules: list[dict[str, Any]], key: str) -> dict[str, Any] | None:
    """Return the first rule whose `match` is found in a canonical name."""
    return next((r for r in rules if re.search(r["match"], key)), None)


def mirrors(models: list[Model], own: dict[str, Any]) -> list[Model]:
    """Return rows at providers that charge another provider's list price: without prices of their own, so estimates."""
    out = []
    for rule in own["mirror"]:
        for model in models:
            if model.provider == rule["from"] and re.search(rule["match"], model.name) and model.prices:
                out.append(_like(model, rule["provider"], rule.get("prefix", "") + model.name, rule["why"]))
    return out


def routed(models: list[Model], own: dict[str, Any]) -> list[Model]:
    """Return rows of providers whose prices are known only through the Hugging Face router, as estimates."""
    out = []
    for source, provider in own["genai_routed"].items():
        suffix = ":" + source.removeprefix("huggingface_")
        for model in models if provider else ():
            if model.provider == "huggingface" and model.name.endswith(suffix) and model.prices:
                why = "priced as through the Hugging Face router, which passes the provider's price on"
                out.append(_like(model, provider, model.name.removesuffix(suffix), why))
    return out


def _like(model: Model, provider: str, name: str, why: str) -> Model:
    like = Like(id=model.id, why=why)
    return msgspec.structs.replace(
        model, id=f"{provider}/{name}", provider=provider, name=name, prices=(), like=like, aliases=()
    )


def dollars(pico: int) -> str:
    """Return pico-dollars per token as dollars per million tokens."""
    text = f"{pico // 1_000_000}.{pico % 1_000_000:06d}".rstrip("0")
    return text.rstrip(".")
