"""The operator's word over the table: prices, capabilities, limits, attributes, and models that the table does not know.

Input are plain mappings, as the configuration holds them: `{"provider/model": {...}}`. Output is a new `Catalog`; the given one
is not changed. Invariants: an override is validated whole before it applies; a price of zero needs `nominal = true`, so that a
forgotten number can never become a free model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

import msgspec

from suffice.catalog.book import Catalog
from suffice.catalog.models import CAPABILITIES, Model
from suffice.catalog.names import canonical, family
from suffice.catalog.prices import BUCKETS, Card, Entry, Ratio, Service
from suffice.catalog.providers import Attribute
from suffice.errors import ConfigError

PICO_PER_USD_MTOK = 1_000_000
SERVICE_TIERS = ("batch", "flex", "priority", "fast")
FIELDS = (
    "price",
    "nominal",
    "services",
    "context_window",
    "max_output",
    "capabilities",
    "aliases",
    "name",
    "kind",
    "attributes",
)
KINDS = ("chat", "embedding", "rerank", "audio", "image", "other")

Override = Mapping[str, object]


def apply(catalog: Catalog, models: Mapping[str, Override], where: str = "suffice.toml") -> Catalog:
    """Return `catalog` with `models` laid over it. Raises ConfigError that begins with `where` and names the field.

    Each value may hold: `price` = {input, output, cache_read, cache_write, cache_write_1h, cache_write_12h} in $/Mtok (strings or
    numbers; input and output are required and the whole price is replaced), `nominal` = true for a price that is zero or made
    up, `services` = {batch: [1, 2]}, `context_window`, `max_output` (tokens), `capabilities`, `aliases`, `name` (sent upstream),
    `kind`, `attributes` = {region: "eu"}.
    """
    if not models:
        return catalog
    rows = {m.id: m for m in catalog.models()}
    for model_id, override in models.items():
        known = catalog.model(model_id)
        target = known.id if known is not None and known.name == rows[known.id].name else model_id
        rows[target] = _override(catalog, rows.get(target), target, override, f'{where}: models."{model_id}"')
    touched = _ids(models, rows)
    digest = hashlib.sha256(msgspec.json.encode([rows[k] for k in sorted(rows) if k in touched], order="sorted"))
    return Catalog(
        version=f"{catalog.version}+operator.{digest.hexdigest()[:8]}",
        providers=catalog.providers(),
        models=rows.values(),
        calendars=catalog.calendars,
        bare_order=catalog.bare_order,
    )


def _ids(models: Mapping[str, Override], rows: Mapping[str, Model]) -> frozenset[str]:
    """Return the ids that the overrides touched: those named, and those whose price the operator set."""
    own = {m.id for m in rows.values() if m.prices and m.prices[-1].source.startswith("operator")}
    return frozenset(own | set(models))


def _override(catalog: Catalog, row: Model | None, model_id: str, override: Override, at: str) -> Model:
    if not isinstance(override, Mapping):
        raise ConfigError(f"{at} is not a table", hint='write [models."provider/model"]')
    _known_keys(override, FIELDS, at)
    if row is None:
        provider, slash, name = model_id.partition("/")
        if (
            not slash
            or not name
            or catalog.provider(provider) is None
            or provider not in {p.id for p in catalog.providers()}
        ):
            near = get_close_matches(provider, [p.id for p in catalog.providers()], 1)
            hint = (
                f"did you mean {near[0]}/{name or '<model>'}?" if near else "write provider/model, as in vllm/my-model"
            )
            raise ConfigError(f"{at}: {provider!r} is not a provider of the catalogue", hint=hint)
        row = Model(id=model_id, provider=provider, name=name, family=family(name), canonical=canonical(name))
    changes: dict[str, object] = {}
    for key in ("context_window", "max_output"):
        if key in override:
            changes[key] = _tokens(override[key], f"{at}.{key}")
    if "capabilities" in override:
        changes["capabilities"] = frozenset(_words(override["capabilities"], CAPABILITIES, f"{at}.capabilities"))
        changes["reviewed"] = True
    if "aliases" in override:
        changes["aliases"] = tuple(_words(override["aliases"], None, f"{at}.aliases"))
    if "kind" in override:
        changes["kind"] = _words([override["kind"]], frozenset(KINDS), f"{at}.kind")[0]
    if "name" in override:
        changes["name"] = _words([override["name"]], None, f"{at}.name")[0]
    if "attributes" in override:
        changes["attributes"] = {**row.attributes, **_attributes(override["attributes"], f"{at}.attributes")}
    if "price" in override:
        changes["prices"] = (_entry(override, at),)
        changes["like"], changes["free"] = None, False
    elif "nominal" in override or "services" in override:
        raise ConfigError(
            f"{at}: nominal and services belong to a price", hint="add price = { input = ..., output = ... }"
        )
    return msgspec.structs.replace(row, **changes)


def _entry(override: Override, at: str) -> Entry:
    price, nominal = override["price"], override.get("nominal", False)
    if not isinstance(price, Mapping):
        raise ConfigError(f"{at}.price is not a table", hint='write price = { input = "1.25", output = "10" }')
    if not isinstance(nominal, bool):
        raise ConfigError(f"{at}.nominal is not true or false")
    _known_keys(price, BUCKETS, f"{at}.price")
    for needed in ("input", "output"):
        if needed not in price:
            raise ConfigError(f"{at}.price has no {needed}", hint="a price override replaces the whole price")
    card = Card(**{b: _pico(price[b], nominal, f"{at}.price.{b}") for b in BUCKETS if b in price})
    source = "operator (nominal)" if nominal else "operator"
    return Entry(source=source, card=card, services=_services(override.get("services", {}), f"{at}.services"))


def _services(value: object, at: str) -> dict[str, Service]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{at} is not a table", hint="write services = { batch = [1, 2] }")
    _known_keys(value, SERVICE_TIERS, at)
    return {name: Service(multiplier=_ratio(ratio, f"{at}.{name}")) for name, ratio in value.items()}


def _ratio(value: object, at: str) -> Ratio:
    if isinstance(value, list | tuple) and len(value) == 2 and all(type(v) is int and v > 0 for v in value):
        return (value[0], value[1])
    raise ConfigError(f"{at} is not a ratio of two whole numbers above 0: {value!r}", hint="half price is [1, 2]")


def _pico(value: object, nominal: bool, at: str) -> int:
    """Return $/Mtok as pico-dollars per token. Raises ConfigError when it is no number, negative, inexact or a bare zero."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ConfigError(f"{at} is not a price: {value!r}", hint='write dollars for a million tokens, as in "1.25"')
    try:
        scaled = Decimal(str(value).strip()) * PICO_PER_USD_MTOK
    except InvalidOperation:
        raise ConfigError(
            f"{at} is not a number: {value!r}", hint='write dollars for a million tokens, as in "1.25"'
        ) from None
    if not scaled.is_finite() or scaled < 0:
        raise ConfigError(f"{at} must be a finite price of at least 0, not {value!r}")
    if scaled != scaled.to_integral_value():
        raise ConfigError(f"{at} has more than six decimals: {value!r}", hint="round it up to a millionth of a dollar")
    if scaled == 0 and not nominal:
        raise ConfigError(f"{at} is 0", hint="set nominal = true when the model costs nothing, or leave the price out")
    return int(scaled)


def _tokens(value: object, at: str) -> int:
    if type(value) is not int or value <= 0:
        raise ConfigError(f"{at} is not a number of tokens above 0: {value!r}")
    return value


def _words(value: object, allowed: frozenset[str] | None, at: str) -> list[str]:
    if not isinstance(value, Iterable) or isinstance(value, str | Mapping):
        raise ConfigError(f"{at} is not a list of strings: {value!r}")
    out: list[str] = []
    for word in value:
        if not isinstance(word, str) or not word:
            raise ConfigError(f"{at} holds {word!r}, which is not a string")
        if allowed is not None and word not in allowed:
            raise ConfigError(f"{at} holds {word!r}", hint=_suggest(word, allowed))
        out.append(word)
    return out


def _attributes(value: object, at: str) -> dict[str, Attribute]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{at} is not a table", hint='write attributes = { region = "eu" }')
    out = {}
    for key, text in value.items():
        if not isinstance(text, str) or not text:
            raise ConfigError(f"{at}.{key} is not a string: {text!r}")
        out[str(key)] = Attribute(value=text, source="operator", date="", confidence="operator")
    return out


def _known_keys(table: Mapping[str, object], allowed: Iterable[str], at: str) -> None:
    names = list(allowed)
    for key in table:
        if key not in names:
            raise ConfigError(f"{at} has an unknown key {key!r}", hint=_suggest(str(key), names))


def _suggest(word: str, allowed: Iterable[str]) -> str:
    names = sorted(allowed)
    near = get_close_matches(word, names, 1)
    return f"did you mean {near[0]}?" if near else "known: " + ", ".join(names)
