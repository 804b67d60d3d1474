"""Who is calling: credentials in, a `Principal` out.

Two modes. With keys: every data route needs a virtual key, checked in constant time by the key store. Without any key
configured: the listener is on loopback (the composition root sees to it) and everything that a web page could send is
refused, so that no page in a browser can spend the user's provider keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from suffice.config.schema import Settings
from suffice.ledger.keys import KeyRecord
from suffice.values.money import NanoUsd, nano


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who pays and what is allowed. An empty `allowed_models` allows every model."""

    key_id: str
    owner: str = ""
    team: str = ""
    tenant: str = ""
    allowed_models: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ()
    data_class: str = ""
    repair_nano: int = 0
    record: object = field(default=None, repr=False, compare=False)

    @staticmethod
    def anonymous() -> Principal:
        """The caller of an open route, or of a gateway without keys."""
        return Principal(key_id="", tenant="local")

    def allows(self, model: str) -> bool:
        """True when one of the patterns matches the catalogue id `model`."""
        return not self.allowed_models or any(fnmatchcase(model, pattern) for pattern in self.allowed_models)


def principal_of(record: KeyRecord, settings: Settings) -> Principal:
    """Return who a key speaks for, with what its team allows."""
    grant = record.grant
    team = settings.teams.get(grant.team)
    models = tuple(m for m in grant.allowed_models if m != "*")
    if team is not None and team.models:
        models = tuple(m for m in models if m in team.models) or team.models
    return Principal(
        key_id=record.id,
        owner=grant.owner,
        team=grant.team,
        tenant=grant.team or record.id,
        allowed_models=models,
        budgets=tuple(dict.fromkeys((*grant.budgets, *(team.budgets if team else ())))),
        data_class=grant.data_class,
        repair_nano=nano(grant.repair_usd) if grant.repair_usd else NanoUsd(0),
        record=record,
    )
