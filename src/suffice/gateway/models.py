"""`GET /v1/models`: the virtual models, the operator's aliases, and every concrete model that the caller may use."""

from __future__ import annotations

import msgspec

from suffice.decision.virtual import VIRTUAL
from suffice.gateway.auth import Principal
from suffice.gateway.state import State


def model_list(state: State, principal: Principal) -> bytes:
    """Return the list in OpenAI's shape, ours first, the rest sorted by id."""
    names = [*VIRTUAL, *state.settings.aliases]
    rows = [_row(name, "suffice") for name in names]
    rows += [_row(m, m.partition("/")[0]) for m in sorted(state.models) if principal.allows(m)]
    return msgspec.json.encode({"object": "list", "data": rows})


def _row(name: str, owner: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}
