"""A model at a provider: what is sent upstream, what it can do, and its dated prices.

Rows are immutable and decoded from the generated table. A capability that nobody has recorded is unknown, not absent:
`Model.has` answers None for it. Invariant: `id` is `provider/name`, unless the operator gave the model another upstream name.
"""

from __future__ import annotations

import msgspec

from suffice.catalog.prices import Entry
from suffice.catalog.providers import Attribute

CAPABILITIES = frozenset(
    {"tools", "vision", "structured", "reasoning", "fim", "embeddings", "rerank", "audio", "image-output"}
)
"""The words that `capabilities` may hold."""


class Like(msgspec.Struct, frozen=True, kw_only=True):
    """The price is taken from the model with id `id` at another provider, and therefore an estimate; `why` says so."""

    id: str
    why: str


class Model(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of the catalogue.

    `name` is the string sent upstream. `context_window` and `max_output` are tokens, 0 when unknown. `canonical` is equal
    for one model at many providers. `reviewed` says that `capabilities` is a complete list, so that an absent one is a
    "no". `free` marks a declared price of zero. `deprecated_at` is the ISO date of the shutdown, `""` when none is known.
    `aliases` are spellings and snapshots that the provider itself accepts.
    """

    id: str
    provider: str
    name: str
    family: str = ""
    canonical: str = ""
    kind: str = "chat"
    context_window: int = 0
    max_output: int = 0
    capabilities: frozenset[str] = frozenset()
    reviewed: bool = False
    aliases: tuple[str, ...] = ()
    status: str = ""
    deprecated_at: str = ""
    free: bool = False
    like: Like | None = None
    prices: tuple[Entry, ...] = ()
    attributes: dict[str, Attribute] = {}

    def has(self, capability: str) -> bool | None:
        """Return whether the model has a capability; None when that is not known."""
        return True if capability in self.capabilities else (False if self.reviewed else None)
