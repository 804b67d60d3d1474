"""The price book: providers, models and prices by name, in constant time, without ever raising.

It must not fetch or write anything. Invariant: a price of zero is returned only for a model that is declared free, that
runs on the operator's own machine, or whose operator said so; whatever is not known is `Unknown`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from suffice.catalog.models import Model
from suffice.catalog.names import VENDORS, is_snapshot_of, normal, undated
from suffice.catalog.prices import Calendar, Choice, Entry, card_of, choose, epoch_s, fill
from suffice.catalog.providers import Provider
from suffice.values.money import Estimated, Known, Price, Rates, Unknown
from suffice.values.usage import Usage

FREE_RATES = Rates(input=0, output=0, cache_read=0, cache_write=0, cache_write_1h=0, cache_write_12h=0)
CACHE_BUCKETS = ("cache_read", "cache_write", "cache_write_1h", "cache_write_12h")

_Priced = tuple[Rates, frozenset[str], Known]


class Catalog:
    """A frozen table with lazily built indices. Safe to share; two lookups of one name give the same answer."""

    def __init__(
        self,
        *,
        version: str,
        providers: Iterable[Provider],
        models: Iterable[Model],
        calendars: dict[str, Calendar],
        bare_order: Sequence[str] = (),
    ) -> None:
        self.version = version
        self.calendars = calendars
        self.bare_order = tuple(bare_order)
        self._providers = {p.id: p for p in providers}
        self._models = {m.id: m for m in models}
        self._names: dict[str, tuple[str, str]] | None = None
        self._same: dict[str, tuple[str, ...]] | None = None
        self._starts: dict[str, list[float]] = {}
        self._priced: dict[tuple[str, int, Choice], _Priced | None] = {}

    def providers(self) -> Sequence[Provider]:
        """Return all providers, sorted by id."""
        return tuple(self._providers[k] for k in sorted(self._providers))

    def models(self) -> Sequence[Model]:
        """Return all models, sorted by id."""
        return tuple(self._models[k] for k in sorted(self._models))

    def provider(self, provider_id: str) -> Provider | None:
        """Return a provider by its id or by a vendor's usual spelling (`google`, `x-ai`), or None."""
        found = self._providers.get(provider_id)
        return found if found is not None else self._providers.get(VENDORS.get(provider_id, ""))

    def model(self, name: str) -> Model | None:
        """Return a model by id, alias, bare name, dated name or reseller's spelling, or None.

        A dated snapshot or another name that the provider accepts keeps that name as `name`, so that a pin is honoured.
        """
        exact = self._models.get(name)
        if exact is not None:
            return exact
        found = self._resolve(name)
        if found is None:
            return None
        row, alias, _ = found
        return msgspec.structs.replace(row, name=alias) if alias and alias != row.name else row

    def same_model(self, name: str) -> tuple[str, ...]:
        """Return the sorted ids of one model at all providers, this one included; empty when it is not known."""
        row = self.model(name)
        if row is None or not row.canonical:
            return () if row is None else (row.id,)
        if self._same is None:
            groups: dict[str, list[str]] = {}
            for other in self._models.values():
                groups.setdefault(other.canonical, []).append(other.id)
            self._same = {key: tuple(sorted(ids)) for key, ids in groups.items()}
        return self._same.get(row.canonical, (row.id,))

    def price(
        self, model_id: str, at: float, prompt_tokens: int = 0, service_tier: str = "", usage: Usage | None = None
    ) -> Price:
        """Return the price of one call of `model_id` at `at` (epoch seconds; for DeepSeek the time of completion).

        `prompt_tokens` (all of the prompt, cached or not) selects the context tier; `usage`, when given, takes its place
        and makes the price `Estimated` if the call used a bucket that the source does not list and that was derived.
        `service_tier` is `""`, `batch`, `flex`, `priority` or `fast`. Never raises; O(1).
        """
        row, doubt = self._models.get(model_id), ""
        if row is None:
            found = self._resolve(model_id)
            if found is None:
                return self._unlisted(model_id)
            row, _, doubt = found
        if row.free:
            return Known(rates=FREE_RATES, source="declared free by the provider", version=self.version)
        like = row.like
        if like is not None:
            target = self._models.get(like.id)
            if target is None or target.like is not None:
                why = f"the price of {row.id} rests on {like.id}, which is not known"
                return Unknown(why=why, version=self.version)
            row, doubt = target, like.why
        if not math.isfinite(at):
            return Unknown(why="the time of the call is not a finite number", version=self.version)
        return self._listed(row, at, usage.prompt_tokens if usage else prompt_tokens, service_tier, usage, doubt)

    def _listed(
        self, row: Model, at: float, prompt_tokens: int, service_tier: str, usage: Usage | None, doubt: str
    ) -> Price:
        index = self._entry_index(row, at)
        if index < 0:
            return Unknown(why=f"no price is listed for {row.id}", version=self.version)
        entry = row.prices[index]
        choice = choose(entry, at, prompt_tokens, service_tier, self.calendars)
        if choice is None:
            return Unknown(
                why=f"no price is listed for {row.id} in service tier {service_tier!r}", version=self.version
            )
        priced = self._rates(row, index, entry, choice)
        if priced is None:
            return Unknown(why=f"{row.id} is not priced by token", version=self.version)
        rates, derived, known = priced
        doubt = doubt or choice.doubt or (_used(derived, usage) if usage is not None and derived else "")
        if doubt:
            return Estimated(rates=rates, why=doubt, version=self.version)
        return known

    def _entry_index(self, row: Model, at: float) -> int:
        """Return the index of the entry in force at `at`; the first one also covers the time before it."""
        if len(row.prices) <= 1:
            return len(row.prices) - 1
        starts = self._starts.get(row.id)
        if starts is None:
            starts = self._starts[row.id] = [epoch_s(entry.since) for entry in row.prices]
        return max(0, bisect_right(starts, at) - 1)

    def _rates(self, row: Model, index: int, entry: Entry, choice: Choice) -> _Priced | None:
        key = (row.id, index, choice)
        if key in self._priced:
            return self._priced[key]
        provider = self._providers.get(row.provider)
        card = card_of(entry, choice)
        if row.kind == "embedding" and card.output is None:
            card = msgspec.structs.replace(card, output=0)  # an embedding has no output tokens to bill
        filled = fill(card, provider.cache.write_multipliers if provider else {}, entry.per_request_nano)
        priced = None
        if filled is not None:
            priced = (filled[0], filled[1], Known(rates=filled[0], source=entry.source, version=self.version))
        self._priced[key] = priced
        return priced

    def _unlisted(self, name: str) -> Price:
        provider_id, slash, rest = name.partition("/")
        provider = self.provider(provider_id) if slash and rest else None
        if provider is not None and provider.local and not rest.endswith(("-cloud", ":cloud")):
            return Known(rates=FREE_RATES, source="runs on the operator's own machine", version=self.version)
        return Unknown(why="the model is not in the catalogue and has no configured price", version=self.version)

    def _resolve(self, name: str) -> tuple[Model, str, str] | None:
        """Return the row for a name that is no id, the provider's own spelling if it is one, and a doubt or `""`."""
        if self._names is None:
            self._names = self._index()
        for provider_id, rest in self._readings(name):
            key = normal(rest)
            hit = self._names.get(f"{provider_id}/{key}")
            if hit is not None:
                return self._models[hit[0]], hit[1], ""
            base = undated(key)
            hit = self._names.get(f"{provider_id}/{base}") if base != key else None
            if hit is not None:
                row = self._models[hit[0]]
                return row, rest, f"{rest} is not listed; priced as {row.id}"
        return None

    def _readings(self, name: str) -> Iterable[tuple[str, str]]:
        """Yield the ways to read a name as (provider, model): provider prefix, vendor prefix, bare."""
        prefix, slash, rest = name.partition("/")
        if slash and rest:
            lowered = prefix.strip().lower()
            provider = lowered if lowered in self._providers else VENDORS.get(lowered, "")
            if provider:
                yield provider, rest
                if lowered in self._providers and lowered not in VENDORS:
                    # A pinned provider: a row of somebody else would carry somebody else's price.
                    inner_only, _, last = rest.partition("/")
                    if last and VENDORS.get(inner_only.lower(), inner_only.lower()) == provider:
                        yield provider, last
                    return
                inner, deeper, last = rest.partition("/")
                if deeper and VENDORS.get(inner.lower(), inner.lower()) == provider:
                    yield provider, last
        yield "", name

    def _index(self) -> dict[str, tuple[str, str]]:
        """Build the map of normalised names to (model id, upstream name when it is not the row's own)."""
        names: dict[str, tuple[str, str]] = {}
        rank = {p: i for i, p in enumerate(self.bare_order)}
        rows = sorted(self._models.values(), key=lambda m: (rank.get(m.provider, len(rank)), m.id))
        for row in rows:
            key = normal(row.name)
            names.setdefault(f"{row.provider}/{key}", (row.id, row.name))
        for row in rows:
            for alias in row.aliases:
                # A listed alias is accepted upstream only if it is a snapshot; a mere spelling is sent as the row's name.
                sent = alias if normal(alias) != normal(row.name) and is_snapshot_of(alias, row.name) else row.name
                names.setdefault(f"{row.provider}/{normal(alias)}", (row.id, sent))
        for row in rows:
            names.setdefault(f"{row.provider}/{undated(normal(row.name))}", (row.id, row.name))
        for row in rows:
            names.setdefault("/" + normal(row.name), (row.id, row.name))
        for row in rows:
            for alias in row.aliases:
                names.setdefault("/" + normal(alias), names[f"{row.provider}/{normal(alias)}"])
        return names


def _used(derived: frozenset[str], usage: Usage) -> str:
    """Return why the price is an estimate for `usage`: the derived cache buckets that it used, or `""`."""
    used = [b for b in CACHE_BUCKETS if b in derived and getattr(usage, f"{b}_tokens") > 0]
    return f"no listed price for {', '.join(used)}; derived by rule" if used else ""
