"""The models that a caller may ask for: the virtual ones, the operator's aliases, and every concrete model allowed to its key."""

from __future__ import annotations

from suffice.decision.virtual import VIRTUAL
from suffice.gateway.auth import Principal
from suffice.gateway.state import State
from suffice.wire.listing import ListedModel


def listed(state: State, principal: Principal) -> list[ListedModel]:
    """Return the rows of every dialect's list, ours first, the rest sorted by id."""
    rows = [ListedModel(id=name) for name in (*VIRTUAL, *state.settings.aliases)]
    for name in sorted(state.models):
        if principal.allows(name):
            model = state.fleet.by_model[name][0].model
            rows.append(
                ListedModel(
                    id=name,
                    owner=name.partition("/")[0],
                    context_tokens=model.context_window,
                    output_tokens=model.max_output,
                    reasoning=bool(model.has("reasoning")),
                    embeddings=model.kind == "embedding",
                    retires_at=model.deprecated_at,
                    retired=state.fleet.by_model[name][0].facts.deprecated,
                )
            )
    return rows
