"""`GET /v1/models`: the virtual models, the operator's aliases, and every concrete model that the caller may use."""

from __future__ import annotations

import msgspec

from suffice.decision.virtual import VIRTUAL
from suffice.errors import NotFoundError
from suffice.gateway.auth import Principal
from suffice.gateway.state import State


def model_list(state: State, principal: Principal) -> bytes:
    """Return the list in OpenAI's shape, ours first, the rest sorted by id."""
    names = [*VIRTUAL, *state.settings.aliases]
    rows = [_row(name, "suffice") for name in names]
    rows += [_row(m, m.partition("/")[0]) for m in sorted(state.models) if principal.allows(m)]
    return msgspec.json.encode({"object": "list", "data": rows})


def model_card(state: State, principal: Principal, name: str) -> bytes:
    """Return one model in OpenAI's shape. Raises NotFoundError for one that the caller may not use, known or not."""
    if name in VIRTUAL or name in state.settings.aliases:
        return msgspec.json.encode(_row(name, "suffice"))
    if name not in state.models or not principal.allows(name):
        raise NotFoundError(f"there is no model {name[:200]!r}", code="model_not_found", param="model")
    return msgspec.json.encode(_row(name, name.partition("/")[0]))


def _row(name: str, owner: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}
