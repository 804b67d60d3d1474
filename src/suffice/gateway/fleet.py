"""The fleet: what the configuration and the catalogue together make available.

Each configured endpoint becomes a runtime `Endpoint`; each model that it serves becomes a `Served` row with the arm that names
it and the facts that constraints are checked against. Built once per configuration and swapped whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from suffice.catalog import overrides
from suffice.catalog.book import Catalog
from suffice.catalog.models import Model
from suffice.catalog.providers import Provider
from suffice.config.schema import Settings
from suffice.config.sections import EndpointSettings
from suffice.decision.policy import ArmFacts
from suffice.errors import ConfigError
from suffice.gateway.speech import Speaker, Speech
from suffice.upstream.endpoints import Endpoint
from suffice.upstream.health import Health
from suffice.values.plan import Arm

# What a model is taken to be able to do when nobody recorded it: refusing on a guess would be the worse error.
_ASSUMED = frozenset({"tools", "structured"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One model at one endpoint. `paths` maps a dialect or service to its full path at the endpoint; `speech` says for each
    operation of a client how it is spoken here, in which operations that are missing are not served."""

    arm: Arm
    endpoint: Endpoint
    provider: Provider
    model: Model
    facts: ArmFacts
    paths: Mapping[str, bytes]
    speech: Mapping[str, Speech]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All endpoints and everything they serve; `catalog` has the operator's overrides applied.

    `reference` is the model that savings are measured against, empty when none is configured. `services` says for each endpoint
    how what is no conversation is spoken there.
    """

    catalog: Catalog
    endpoints: Mapping[str, Endpoint]
    served: tuple[Served, ...]
    by_arm: Mapping[Arm, Served]
    by_model: Mapping[str, tuple[Served, ...]]
    reference: str = ""
    services: Mapping[str, Mapping[str, Speech]] = field(default_factory=dict)

    def find(self, name: str) -> tuple[Served, ...]:
        """Return where a concrete model name is served: a catalogue id, an endpoint's own spelling, or a bare name."""
        exact = self.by_model.get(name)
        if exact:
            return exact
        endpoint, _, rest = name.partition("/")
        at_endpoint = tuple(s for s in self.served if s.arm.endpoint == endpoint and s.model.name == rest)
        if at_endpoint:
            return at_endpoint
        known = self.catalog.model(name)
        if known is not None and known.id in self.by_model:
            return self.by_model[known.id]
        return tuple(s for s in self.served if s.model.name == name)


def build(settings: Settings, catalog: Catalog, today: str) -> Fleet:
    """Return the fleet; `today` (ISO date) decides what is past its retirement. Raises ConfigError naming the endpoint."""
    catalog = overrides.apply(catalog, _overrides(settings))
    endpoints: dict[str, Endpoint] = {}
    served: list[Served] = []
    services: dict[str, Mapping[str, Speech]] = {}
    for name, section in settings.endpoints.items():
        if not section.enabled:
            continue
        provider = catalog.provider(section.provider)
        if provider is None:
            raise ConfigError(
                f"endpoint {name!r}: no provider is called {section.provider!r}", hint="see `suffice models`"
            )
        speaker = Speaker(name, section, provider, settings)
        endpoint = endpoints[name] = speaker.endpoint
        paths = speaker.paths()
        services[name] = speaker.services()
        for model in _models(section, provider, catalog):
            if _disabled(settings, model):
                continue
            arm = Arm(model=model.id, endpoint=name)
            facts = _facts(arm, section, provider, model, today)
            served.append(
                Served(
                    arm=arm,
                    endpoint=endpoint,
                    provider=provider,
                    model=model,
                    facts=facts,
                    paths=paths,
                    speech=speaker.speech(model),
                )
            )
    by_model: dict[str, list[Served]] = {}
    for row in served:
        by_model.setdefault(row.model.id, []).append(row)
    return Fleet(
        catalog=catalog,
        endpoints=endpoints,
        served=tuple(served),
        by_arm={row.arm: row for row in served},
        by_model={model: tuple(rows) for model, rows in by_model.items()},
        reference=settings.routing.reference_model,
        services=services,
    )


def register(fleet: Fleet, health: Health) -> None:
    """Tell the health table which endpoints there are now, and what they depend on; what is gone rests no more."""
    for name, endpoint in fleet.endpoints.items():
        made = endpoint.authorizer.identity if endpoint.authorizer is not None else ""
        digest = hashlib.blake2b(repr((endpoint.auth, made)).encode(), digest_size=8).hexdigest()
        health.register(name, vendor=endpoint.provider, host=endpoint.host, credential=f"{name}:{digest}")
    for name in health.endpoints - fleet.endpoints.keys():
        health.forget(name)


def _models(section: EndpointSettings, provider: Provider, catalog: Catalog) -> Iterable[Model]:
    if not section.models:
        return [m for m in catalog.models() if m.provider == provider.id]
    return [_model(name, provider, catalog) for name in section.models]


def _model(name: str, provider: Provider, catalog: Catalog) -> Model:
    known = catalog.model(f"{provider.id}/{name}")
    if known is not None and known.provider == provider.id:
        return known
    return Model(id=f"{provider.id}/{name}", provider=provider.id, name=name, free=provider.local)


def _disabled(settings: Settings, model: Model) -> bool:
    section = settings.models.get(model.id)
    return section is not None and not section.enabled


def _facts(arm: Arm, section: EndpointSettings, provider: Provider, model: Model, today: str) -> ArmFacts:
    def attribute(name: str) -> str:
        own = section.attributes.get(name)
        if own is not None:
            return own
        found = model.attributes.get(name) or provider.attributes.get(name)
        return found.value if found is not None else ""

    unknown = {c for c in _ASSUMED if model.has(c) is None}
    region, retention, training = attribute("region"), attribute("retention_days"), attribute("training_use")
    return ArmFacts(
        arm=arm,
        capabilities=model.capabilities | unknown,
        context_tokens=model.context_window,
        max_output_tokens=model.max_output,
        regions=frozenset(r.strip() for r in region.split(",") if r.strip()),
        retention_days=int(retention) if retention.isdigit() else None,
        trains_on_data={"no": False, "never": False, "yes": True}.get(training),
        certificates=frozenset(c.strip() for c in attribute("certificates").split(",") if c.strip()),
        private=section.private or provider.local,
        deprecated=bool(model.deprecated_at) and model.deprecated_at < today,
    )


def _overrides(settings: Settings) -> dict[str, dict[str, object]]:
    """Return what the operator says of models, in the catalogue's words; an endpoint's own price wins for its models."""
    table = {model_id: dict(section.as_override()) for model_id, section in settings.models.items()}
    for endpoint in settings.endpoints.values():
        for name, price in endpoint.prices.items():
            row = table.setdefault(f"{endpoint.provider}/{name}", {})
            row["price"] = price.buckets()
            row["nominal"] = price.nominal
    return {model_id: row for model_id, row in table.items() if row}
