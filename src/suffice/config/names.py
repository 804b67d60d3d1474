"""The second stage of validation: names that only the catalogue knows (providers and models).

Pure: the known names come in as collections, the problems go out. Run before settings are put to use, by `serve` and `check`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from suffice.config.locate import Path
from suffice.config.origin import dotted
from suffice.config.problem import Problem, did_you_mean
from suffice.config.schema import Settings

BUILT_IN_ALIASES = ("auto", "fast", "best", "cheap")


def check_names(settings: Settings, known_providers: Collection[str], known_models: Collection[str]) -> list[Problem]:
    """Return a problem for every name that leads nowhere.

    `known_models` are ids `provider/model` of the catalogue. A model also counts as known when [models] describes it or an
    endpoint lists it. An unknown model in a place that only adds knowledge is a warning: it may be newer than the catalogue.
    """
    models = {*known_models, *settings.models}
    for endpoint in settings.endpoints.values():
        models.update(f"{endpoint.provider}/{name}" for name in endpoint.models)
    return [
        *_providers(settings, known_providers),
        *_descriptions(settings, known_providers, known_models),
        *_uses(settings, models),
    ]


def model_names(settings: Settings) -> frozenset[str]:
    """Return every model that the settings name anywhere, so that a caller can look up spellings that are no catalogue ids."""
    named = {settings.routing.reference_model, settings.routing.default_model, *settings.models}
    named.update(model for targets in settings.aliases.values() for model in targets)
    named.update(settings.routing.cascade)
    named.update(model for team in settings.teams.values() for model in team.models)
    return frozenset(named - {""})


def _providers(settings: Settings, known: Collection[str]) -> Iterator[Problem]:
    for name, endpoint in settings.endpoints.items():
        if endpoint.provider not in known:
            hint = did_you_mean(endpoint.provider, known) or "see `suffice models --providers`"
            path = ("endpoints", name, "provider")
            yield settings.origin.problem(path, f"unknown provider {endpoint.provider!r}", hint)


def _descriptions(settings: Settings, providers: Collection[str], known: Collection[str]) -> Iterator[Problem]:
    """Yield problems with [models], which may name models that the catalogue has not."""
    for model in settings.models:
        provider = model.partition("/")[0]
        if provider not in providers:
            hint = did_you_mean(provider, providers) or "see `suffice models --providers`"
            yield settings.origin.problem(
                ("models", model), f"unknown provider {provider!r} in {model!r}", hint, at_key=True
            )
        elif model not in known and (close := did_you_mean(model, known)):
            said = f"{model!r} is not in the catalogue; it is taken as a new model"
            yield settings.origin.problem(("models", model), said, close, warning=True, at_key=True)


def _uses(settings: Settings, models: Collection[str]) -> Iterator[Problem]:
    served = {endpoint.provider for endpoint in settings.endpoints.values()}
    aliases = {*settings.aliases, *BUILT_IN_ALIASES}
    uses: list[tuple[Path, str, bool]] = []
    uses += [(("routing", n), getattr(settings.routing, n), False) for n in ("reference_model", "default_model")]
    uses += [(("routing", "cascade", i), m, False) for i, m in enumerate(settings.routing.cascade)]
    uses += [(("aliases", a, i), m, False) for a, names in settings.aliases.items() for i, m in enumerate(names)]
    uses += [
        (("teams", t, "models", i), m, True) for t, team in settings.teams.items() for i, m in enumerate(team.models)
    ]
    for path, model, alias_too in uses:
        if not model or (alias_too and model in aliases):
            continue
        if model not in models:
            known = [*models, *aliases] if alias_too else models
            hint = did_you_mean(model, known) or 'describe a new model in a section [models."provider/model"]'
            yield settings.origin.problem(path, f"unknown model {model!r}", hint)
        elif model.partition("/")[0] not in served and settings.endpoints:
            said = f"no endpoint serves {model!r}"
            hint = f"add an endpoint with provider = {model.partition('/')[0]!r}, or change `{dotted(path)}`"
            # Only the default must work without fail; a reference is priced, never called.
            yield settings.origin.problem(path, said, hint, warning=path != ("routing", "default_model"))
