"""The items of a Responses answer, and the state in those of a request that is otherwise passed through byte for byte.

What the gateway sealed is opened for its issuer, what belongs to another provider is taken out, and what nobody knows stays: it
then comes from the one provider that the session has had. Everything else in the items is left as it is.
"""

from __future__ import annotations

from typing import Any

from suffice.wire.reasoning import SEAL
from suffice.wire.responses_request import COMPACTION
from suffice.wire.sealed import Sealer

_FIELD = b'"encrypted_content"'


def holds_state(body: bytes) -> bool:
    """True when a body may hold opaque state, so that `for_provider` must look at its items."""
    return _FIELD in body


def items_of(response: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the output items of a response object; what is none is passed over."""
    output = response.get("output")
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []


def for_provider(items: list[dict[str, Any]], sealer: Sealer, issuer: str) -> tuple[list[dict[str, Any]], int]:
    """Return the items as `issuer` may see them, and how many were taken out. Unchanged items are the same objects."""
    out: list[dict[str, Any]] = []
    lost = 0
    for item in items:
        state = item.get("encrypted_content")
        if item.get("type") not in ("reasoning", "compaction") or not isinstance(state, str) or not state:
            out.append(item)
            continue
        seen = _seen(item, state, sealer, issuer)
        if seen is None:
            lost += 1
        else:
            out.append(seen)
    return out, lost


def _seen(item: dict[str, Any], state: str, sealer: Sealer, issuer: str) -> dict[str, Any] | None:
    block = sealer.unseal(state)
    if block is None and state.startswith(SEAL):
        return None  # ours, but damaged, forged or of another tenant
    if block is None:
        return item if sealer.issuer_of(state) in ("", issuer) else None
    if block.issuer == COMPACTION:
        if item["type"] != "compaction":
            return None
        return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": block.text}]}
    if block.issuer != issuer or not block.encrypted:
        return None
    # Under the id that its issuer gave it; ours means nothing there.
    rest = {key: value for key, value in item.items() if key != "id"}
    return rest | {"encrypted_content": block.encrypted} | ({"id": block.item_id} if block.item_id else {})
