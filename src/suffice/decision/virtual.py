"""The names that a client may ask for: virtual models, the operator's aliases, and models pinned by their own name.

A name resolves to a rule and a set of models. A concrete model is a pin: that model or a clear refusal, never a silent swap.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum

import msgspec

from suffice.errors import NotFoundError


class Rule(StrEnum):
    """How one arm is chosen from those that may be used."""

    AUTO = "auto"
    FAST = "fast"
    BEST = "best"
    CHEAP = "cheap"
    PIN = "pin"


class Target(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a name means. `models` is None for all; for an alias it keeps the operator's order."""

    name: str
    rule: Rule
    models: tuple[str, ...] | None = None


VIRTUAL = ("auto", "fast", "best", "cheap")


def resolve(name: str, aliases: Mapping[str, Sequence[str]], models: Collection[str]) -> Target:
    """Return the target of `name`: the operator's alias first, then virtual models, then `provider/model` or a bare model.

    `suffice/auto` is `auto`. A bare name pins when exactly one provider serves it, and is a choice between the same model's
    providers otherwise. Raises NotFoundError (404) with the nearest names.
    """
    short = name.removeprefix("suffice/")
    for known in (name, short):
        if known in aliases:
            return Target(name=name, rule=Rule.AUTO, models=tuple(aliases[known]))
    if short in VIRTUAL:
        return Target(name=name, rule=Rule(short))
    if name in models:
        return Target(name=name, rule=Rule.PIN, models=(name,))
    if "/" not in name and name:
        same = tuple(sorted(model for model in models if model.partition("/")[2] == name))
        if same:
            return Target(name=name, rule=Rule.PIN, models=same)
    near = get_close_matches(name, [*aliases, *VIRTUAL, *models], n=3, cutoff=0.5)
    raise NotFoundError(
        f"there is no model {name[:200]!r}",
        code="model_not_found",
        hint=f"did you mean {', '.join(near)}?" if near else "ask GET /v1/models, or use auto",
        param="model",
    )
