"""What is left of the feasible arms for one request, and the refusal when nothing is.

Does: leave out what cannot be priced, what was rejected on this task, what lies below an escalation. Does not: score. Invariant: an arm
leaves with its reason, and none comes in.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from suffice.decision.policy import Feasible
from suffice.decision.sessions import Session
from suffice.decision.virtual import Target
from suffice.errors import LASTING, BudgetError, NotFoundError, RequestError, UpstreamError
from suffice.values.plan import Arm


def without_unknown_prices(result: Feasible, target: Target) -> Feasible:
    """A virtual model does not choose what cannot be priced while anything else is left; a pin or an alias may name it."""
    unknown = [facts for facts in result.kept if not facts.price_known]
    if target.models is not None or not unknown or len(unknown) == len(result.kept):
        return result
    return msgspec.structs.replace(
        result,
        kept=tuple(facts for facts in result.kept if facts.price_known),
        masked=(*result.masked, *((f, "price: unknown, so it cannot be compared") for f in unknown)),
    )


def without_tried(result: Feasible, session: Session | None, pinned: bool) -> Feasible:
    """Arms rejected on this task are not asked again, and after an escalation no arm below the latched one is."""
    if session is None or pinned:
        return result
    floor = next((f.p_low for f in result.kept if session.latched and f.arm == session.pinned), 0.0)
    masked = []
    kept = []
    for facts in result.kept:
        if facts.arm in session.tried:
            masked.append((facts, "tried: rejected on this task"))
        elif facts.p_low < floor:
            masked.append((facts, "latched: the conversation was escalated"))
        else:
            kept.append(facts)
    if not kept or not masked:
        return result
    return msgspec.structs.replace(result, kept=tuple(kept), masked=(*result.masked, *masked))


def without_late(result: Feasible, late: Mapping[Arm, str], pinned: bool) -> Feasible:
    """Arms that miss the latency objective leave while others are left; else the objective gives way, and the plan says so."""
    slow = [facts for facts in result.kept if facts.arm in late]
    if pinned or not slow:
        return result
    if len(slow) == len(result.kept):
        return msgspec.structs.replace(result, relaxed=(*result.relaxed, "latency"))
    return msgspec.structs.replace(
        result,
        kept=tuple(facts for facts in result.kept if facts.arm not in late),
        masked=(*result.masked, *((facts, late[facts.arm]) for facts in slow)),
    )


def nothing_left(name: str, result: Feasible) -> NotFoundError | RequestError | BudgetError | UpstreamError:
    """Return the error for `name` when no arm is left: 404, 402, 503 or 400, with the reasons."""
    whys = list(dict.fromkeys(why for _, why in result.masked))
    said = "; ".join(f"{facts.arm.model}: {why}" for facts, why in result.masked[:4])
    if not whys:
        return NotFoundError("no model is configured", code="model_not_found", hint="add an endpoint", param="model")
    down = [why.rpartition(": ")[2] for why in whys if why.startswith("down:")]
    if down:
        # Where each waits for the operator it is told as the first refusal was.
        code = down[0] if all(cause in LASTING for cause in down) else None
        return UpstreamError(f"no endpoint for {name!r} is available now ({said})", status=503, code=code)
    if all(why.startswith("budget:") for why in whys):
        return BudgetError(f"the budget does not allow {name!r} ({said})")
    if all(why.startswith(("budget:", "price:")) for why in whys):
        hint = "set its price under [models], or use a key without a budget"
        return BudgetError(f"no price is known for {name!r} ({said})", code="price_unknown", hint=hint)
    return RequestError(f"no model may serve this request as {name!r}: {said}", code="no_feasible_model", param="model")
