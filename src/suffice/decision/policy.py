"""Remove what may not be used, each with its reason, before anything is scored.

Hard constraints come from the caller's key, the data, the request and the state of the world; they are never relaxed. The
quality floor is the one soft constraint: when it leaves nothing, it is relaxed in a declared order, and the result says so.

Invariant: a candidate is either kept or masked with one reason, never both, never neither; order is that of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from suffice.values.plan import Arm
from suffice.values.task import Features

EFFORTS = ("", "none", "minimal", "low", "medium", "high", "xhigh", "max")


class ArmFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one arm when a request arrives; plain values, so that a decision can be replayed.

    `context_tokens` and `max_output_tokens` are 0 when unknown. `regions` are where the endpoint processes data (empty:
    unknown). `retention_days` is None when unknown. `down` is the reason why the endpoint is not available, or empty.
    `p_low` is the lower bound of the success probability, `price_known` false for an unknown price.
    """

    arm: Arm
    capabilities: frozenset[str] = frozenset()
    context_tokens: int = 0
    max_output_tokens: int = 0
    regions: frozenset[str] = frozenset()
    retention_days: int | None = None
    trains_on_data: bool | None = None
    certificates: frozenset[str] = frozenset()
    private: bool = False
    down: str = ""
    deprecated: bool = False
    price_known: bool = True
    p_low: float = 0.0
    prior_only: bool = False


class DataClass(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an endpoint must promise for this data. A private endpoint (the operator's own) meets every promise."""

    name: str = "public"
    regions: frozenset[str] = frozenset()
    max_retention_days: int | None = None
    forbid_training: bool = False
    certificates: frozenset[str] = frozenset()

    @property
    def restricted(self) -> bool:
        """Tell whether anything is asked of the endpoint: such data is never experimented with."""
        asked = self.regions or self.certificates or self.forbid_training or self.max_retention_days is not None
        return bool(asked) or self.name not in ("public", "configured")


class PolicyContext(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The constraints of one request.

    `allowed_models` is None when the key allows all; a trailing `*` matches a prefix. `pinned` is a model that must be used.
    `remaining_nano` is None without a budget. `floors` are lower bounds of success, strictest first: each next one is a
    declared relaxation, and a last 0.0 lets everything pass. `allow_prior_only` false asks for evidence of one's own.
    """

    features: Features
    allowed_models: frozenset[str] | None = None
    pinned: str = ""
    data: DataClass = msgspec.field(default_factory=DataClass)
    remaining_nano: int | None = None
    floors: tuple[float, ...] = (0.0,)
    allow_prior_only: bool = True
    min_effort: str = ""


class Feasible(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The result: arms that may be used, the others with their reasons, and what was relaxed to get there."""

    kept: tuple[ArmFacts, ...]
    masked: tuple[tuple[ArmFacts, str], ...]
    relaxed: tuple[str, ...] = ()


def feasible(candidates: Sequence[ArmFacts], ctx: PolicyContext) -> Feasible:
    """Split `candidates` by the constraints of `ctx`; the first constraint that an arm fails is its reason."""
    fits: list[ArmFacts] = []
    reasons: dict[int, str] = {}
    for at, facts in enumerate(candidates):
        reason = mask_reason(facts, ctx)
        if reason:
            reasons[at] = reason
        else:
            fits.append(facts)
    kept, relaxed, floor_reason = _above_floor(fits, ctx)
    if len(kept) == len(candidates):
        return Feasible(kept=tuple(kept), masked=(), relaxed=relaxed)
    chosen = {id(facts) for facts in kept}
    masked = tuple(
        (facts, reasons.get(at) or floor_reason(facts))
        for at, facts in enumerate(candidates)
        if at in reasons or id(facts) not in chosen
    )
    return Feasible(kept=tuple(kept), masked=masked, relaxed=relaxed)


def mask_reason(facts: ArmFacts, ctx: PolicyContext) -> str:
    """Return why a hard constraint removes the arm, or an empty string. The order of checks is part of the contract."""
    return _not_allowed(facts, ctx) or _data_forbids(facts, ctx.data) or _cannot(facts, ctx) or _not_now(facts, ctx)


def _not_allowed(facts: ArmFacts, ctx: PolicyContext) -> str:
    model = facts.arm.model
    if ctx.pinned and model != ctx.pinned:
        return f"pinned: the request names {ctx.pinned}"
    if ctx.allowed_models is not None and not _listed(model, ctx.allowed_models):
        return "key: the key does not allow this model"
    if facts.deprecated and not ctx.pinned:
        return "deprecated: the model is past its retirement date"
    return ""


def _listed(model: str, allowed: frozenset[str]) -> bool:
    return model in allowed or any(name.endswith("*") and model.startswith(name[:-1]) for name in allowed)


def _data_forbids(facts: ArmFacts, data: DataClass) -> str:
    if facts.private:
        return ""
    if data.regions and not (facts.regions and facts.regions <= data.regions):
        where = ", ".join(sorted(facts.regions)) or "unknown"
        return f"region: data class {data.name} allows {', '.join(sorted(data.regions))}, the endpoint is in {where}"
    if data.max_retention_days is not None and (
        facts.retention_days is None or facts.retention_days > data.max_retention_days
    ):
        kept = "an unknown time" if facts.retention_days is None else f"{facts.retention_days} days"
        return (
            f"retention: data class {data.name} allows {data.max_retention_days} days, the endpoint keeps data {kept}"
        )
    if data.forbid_training and facts.trains_on_data is not False:
        return f"training: data class {data.name} forbids training, the endpoint does not exclude it"
    missing = data.certificates - facts.certificates
    if missing:
        return f"certificate: data class {data.name} asks for {', '.join(sorted(missing))}"
    return ""


def _cannot(facts: ArmFacts, ctx: PolicyContext) -> str:
    features = ctx.features
    needed: list[str] = []
    if features.needs_tools or features.needs_vision or features.needs_structured:
        wanted = (
            ("tools", features.needs_tools),
            ("vision", features.needs_vision),
            ("structured", features.needs_structured),
        )
        needed = [name for name, need in wanted if need and name not in facts.capabilities]
    if needed:
        return f"capability: the model lacks {', '.join(needed)}"
    room = features.prompt_tokens + features.max_output_tokens
    if facts.context_tokens and room > facts.context_tokens:
        return f"context: about {room} tokens are needed, the window has {facts.context_tokens}"
    if facts.max_output_tokens and features.max_output_tokens > facts.max_output_tokens:
        return f"output: {features.max_output_tokens} tokens are asked for, the model gives {facts.max_output_tokens}"
    if ctx.min_effort and facts.arm.effort and _rank(facts.arm.effort) < _rank(ctx.min_effort):
        return f"effort: {facts.arm.effort} is below {ctx.min_effort}"
    return ""


def _rank(effort: str) -> int:
    return EFFORTS.index(effort) if effort in EFFORTS else EFFORTS.index("medium")


def _not_now(facts: ArmFacts, ctx: PolicyContext) -> str:
    if facts.down:
        return f"down: {facts.down}"
    if ctx.remaining_nano is not None:
        if not facts.price_known:
            return "price: unknown, and the key has a budget"
        if ctx.remaining_nano <= 0:
            return "budget: exhausted"
    return ""


def _above_floor(
    fits: list[ArmFacts], ctx: PolicyContext
) -> tuple[list[ArmFacts], tuple[str, ...], Callable[[ArmFacts], str]]:
    """Apply the strictest floor that leaves something. A pinned model has no floor: the caller has chosen."""
    relaxed: list[str] = []
    if ctx.pinned or not fits:
        return fits, (), lambda _: ""
    evidence = [ctx.allow_prior_only] if ctx.allow_prior_only else [False, True]
    for prior_allowed in evidence:
        for floor in ctx.floors or (0.0,):
            kept = [f for f in fits if f.p_low >= floor and (prior_allowed or not f.prior_only)]
            if kept:
                return kept, tuple(relaxed), _floor_reason(floor, prior_allowed)
            relaxed.append(f"floor {floor:g}" + ("" if prior_allowed else " on evidence"))
    return fits, tuple(relaxed), lambda _: ""


def _floor_reason(floor: float, prior_allowed: bool) -> Callable[[ArmFacts], str]:
    def reason(facts: ArmFacts) -> str:
        if facts.prior_only and not prior_allowed:
            return "prior: only a declared prior is known of it, and the floor asks for evidence"
        return f"floor: success is at least {facts.p_low:.2f}, {floor:.2f} is asked for"

    return reason
