"""Choose: the arm with the lowest expected cost of a successful completion, and what to try after it.

First version behind the final interface: success from a prior table, no verifier in the mathematics, so the rule is the
plug-in J = C + (1 - p) H (ROUTING 3.2). It must not read a clock or send anything. docs/routing.md explains it.

Invariant: only arms that the policy kept are ever in a plan; equal inputs give equal plans.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from suffice.decision.attempt_price import Warmth, attempt_cost
from suffice.decision.policy import ArmFacts, DataClass, Feasible, PolicyContext, feasible
from suffice.decision.priors import PriorTable
from suffice.decision.sessions import Session
from suffice.decision.verdict_free import Scored, choose, describe, flips, follow_ups
from suffice.decision.virtual import Rule, Target
from suffice.errors import BudgetError, NotFoundError, RequestError, UpstreamError
from suffice.values.money import Estimated, Known, NanoUsd, Price, Rates
from suffice.values.plan import Arm, Candidate, Plan, Step
from suffice.values.task import TASK_TYPES, Features, TaskType

# What a person's repair costs when the answer is wrong, in nano-dollars (ROUTING 3.2; at 1.25 $ a minute).
_CHAT, _EDIT = NanoUsd(600_000_000), NanoUsd(3_000_000_000)
REPAIR: dict[TaskType, NanoUsd] = {
    **dict.fromkeys(TASK_TYPES, _EDIT),
    TaskType.COMPLETE: NanoUsd(30_000_000),
    TaskType.EXPLAIN: _CHAT,
    TaskType.DOCSTRING: _CHAT,
    TaskType.REVIEW: _CHAT,
}
SECURITY_FACTOR, UNFAMILIAR_FACTOR = 3, 1.5
# At full budget pressure a dollar of spend weighs as five.
PRESSURE_WEIGHT = 4.0
MAX_STEPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One arm on offer: its facts, its price, and the expected seconds of an answer (0 when unknown)."""

    facts: ArmFacts
    price: Price
    latency_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRequest:
    """Everything that one decision depends on, as plain values.

    `pressure` in [0, 1] is the ledger's; `repair` overrides H; `down` gives the reason for each arm that is out of order;
    `now_s` is Env.monotonic(). `floors` are lower bounds of success, strictest first.
    """

    features: Features
    target: Target
    now_s: float = 0.0
    session: Session | None = None
    down: Mapping[Arm, str] = field(default_factory=dict)
    allowed_models: frozenset[str] | None = None
    data: DataClass = field(default_factory=DataClass)
    remaining_nano: int | None = None
    pressure: float = 0.0
    repair: NanoUsd | None = None
    floors: tuple[float, ...] = (0.0,)
    allow_prior_only: bool = True
    min_effort: str = ""


class Router:
    """Plans requests over a fixed set of offers; a change of configuration makes a new router."""

    __slots__ = ("_facts", "_offers", "_priors", "_rates", "_success", "_worst")

    def __init__(self, offers: Sequence[Offer], priors: PriorTable) -> None:
        self._offers = tuple(offers)
        self._priors = priors
        self._rates = tuple(_rates(offer.price) for offer in self._offers)
        known = [rates for rates in self._rates if rates is not None]
        # An unknown price is never 0: where such a model is allowed at all it is counted as the dearest known one.
        self._worst = max(known, key=lambda r: (r.output, r.input), default=_DEAREST)
        self._facts: dict[TaskType, tuple[ArmFacts, ...]] = {}
        self._success: dict[TaskType, tuple[tuple[float, float, str], ...]] = {}

    def plan(self, request: RouteRequest) -> Plan:
        """Return the plan. Raises NotFoundError (404), RequestError (400), BudgetError (402) or UpstreamError (503) when
        no arm may be used; the message gives the reasons."""
        result = self._feasible(request)
        if not result.kept:
            raise _nothing_left(request, result)
        repair = _repair(request)
        scored = self._score(request, result, repair)
        chosen, binding = choose(scored, request.target.rule, request.session, request.now_s)
        further = follow_ups(chosen, scored, repair, MAX_STEPS - 1 if not request.features.stream else 0)
        steps, reach = [], 1.0
        for one in (chosen, *further):
            steps.append(Step(arm=one.arm, reach=reach, p_success=one.p, cost=one.cost.total))
            reach *= 1.0 - one.p
        rivals = sorted((s for s in scored if s is not chosen), key=lambda s: s.total)
        return Plan(
            steps=tuple(steps),
            expected_total=NanoUsd(round(chosen.total)),
            # Failures go together; counting them as independent would flatter every cascade.
            p_complete=max(step.p_success for step in steps),
            repair=repair,
            propensity=1.0,
            reason=describe(chosen, request.target, request.features, binding),
            candidates=_candidates(scored, chosen, result),
            binding=(*binding, *(f"relaxed: {what}" for what in result.relaxed)),
            contributions=(("spend", chosen.cost.total / 1e9), ("risk of repair", (1 - chosen.p) * repair / 1e9)),
            flips=flips(chosen, rivals[0], repair) if rivals and request.target.rule is Rule.AUTO else (),
            versions=(("priors", self._priors.version),),
        )

    def _feasible(self, request: RouteRequest) -> Feasible:
        target, features = request.target, request.features
        allowed = request.allowed_models
        facts = self._facts_for(features.task)
        if target.models is not None:
            facts = tuple(f for f in facts if f.arm.model in target.models)
            if not facts:
                raise NotFoundError(
                    f"no configured endpoint serves {', '.join(target.models)}", code="model_not_found", param="model"
                )
        if request.down:
            facts = tuple(replace(f, down=request.down[f.arm]) if f.arm in request.down else f for f in facts)
        pinned = target.rule is Rule.PIN
        context = PolicyContext(
            features=features,
            allowed_models=allowed,
            pinned=target.models[0] if pinned and target.models is not None and len(target.models) == 1 else "",
            data=request.data,
            remaining_nano=request.remaining_nano,
            floors=(0.0,) if pinned else request.floors,
            allow_prior_only=pinned or request.allow_prior_only,
            min_effort=request.min_effort,
        )
        return _without_tried(_without_unknown_prices(feasible(facts, context), target), request.session, pinned)

    def _facts_for(self, task: TaskType) -> tuple[ArmFacts, ...]:
        if task not in self._facts:
            found = []
            success = []
            for offer, rates in zip(self._offers, self._rates, strict=True):
                price = rates.output / 1e6 if rates is not None else None
                prior = self._priors.lookup(offer.facts.arm.model, task, output_usd_per_mtok=price)
                success.append((prior.p, prior.p_low, prior.source))
                found.append(
                    replace(offer.facts, p_low=prior.p_low, prior_only=prior.declared, price_known=rates is not None)
                )
            self._success[task] = tuple(success)
            self._facts[task] = tuple(found)
        return self._facts[task]

    def _score(self, request: RouteRequest, result: Feasible, repair: NanoUsd) -> list[Scored]:
        features, session = request.features, request.session
        kept = {facts.arm for facts in result.kept}
        weight = 1.0 + PRESSURE_WEIGHT * _unit(request.pressure)
        warm = self._warmth(session, request.now_s)
        scored = []
        for at, offer in enumerate(self._offers):
            arm = offer.facts.arm
            if arm not in kept:
                continue
            p, p_low, source = self._success[features.task][at]
            held = session is not None and session.warm(arm, request.now_s)
            moved = warm if warm is not None and session is not None and arm != session.pinned else None
            cost = attempt_cost(
                features,
                self._rates[at] or self._worst,
                warm_tokens=session.prompt_tokens if held and session is not None else 0,
                moved_from=moved,
            )
            total = weight * cost.total + (1.0 - p) * repair
            scored.append(
                Scored(
                    arm=arm, p=p, p_low=p_low, cost=cost, total=total, source=source, latency_s=offer.latency_s,
                    priced=self._rates[at] is not None,
                )
            )  # fmt: skip
        return scored

    def _warmth(self, session: Session | None, now_s: float) -> Warmth | None:
        if session is None or session.pinned is None or not session.warm(session.pinned, now_s):
            return None
        for offer, rates in zip(self._offers, self._rates, strict=True):
            if offer.facts.arm == session.pinned:
                return Warmth(prefix_tokens=session.prompt_tokens, rates=rates or self._worst)
        return None


_DEAREST = Rates(
    input=60_000_000, output=300_000_000, cache_read=60_000_000, cache_write=60_000_000, cache_write_1h=60_000_000,
    cache_write_12h=60_000_000,
)  # fmt: skip


def _rates(price: Price) -> Rates | None:
    return price.rates if isinstance(price, Known | Estimated) else None


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 1.0


def _repair(request: RouteRequest) -> NanoUsd:
    features = request.features
    amount: float = request.repair if request.repair is not None else REPAIR[features.task]
    if features.security_sensitive:
        amount *= SECURITY_FACTOR
    if features.unfamiliar_library:
        amount *= UNFAMILIAR_FACTOR
    return NanoUsd(max(0, round(amount)))


def _without_unknown_prices(result: Feasible, target: Target) -> Feasible:
    """A virtual model does not choose what cannot be priced while anything else is left; a pin or an alias may name it."""
    unknown = [facts for facts in result.kept if not facts.price_known]
    if target.models is not None or not unknown or len(unknown) == len(result.kept):
        return result
    return replace(
        result,
        kept=tuple(facts for facts in result.kept if facts.price_known),
        masked=(*result.masked, *((f, "price: unknown, so it cannot be compared") for f in unknown)),
    )


def _without_tried(result: Feasible, session: Session | None, pinned: bool) -> Feasible:
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
    return replace(result, kept=tuple(kept), masked=(*result.masked, *masked))


def _candidates(scored: list[Scored], chosen: Scored, result: Feasible) -> tuple[Candidate, ...]:
    kept = tuple(
        Candidate(
            arm=one.arm,
            p_success=one.p,
            p_low=one.p_low,
            cost=one.cost,
            expected_total=NanoUsd(round(one.total)),
            propensity=1.0 if one is chosen else 0.0,
            source=one.source,
        )
        for one in sorted(scored, key=lambda s: s.total)
    )
    return (*kept, *(Candidate(arm=facts.arm, masked_by=why, p_low=facts.p_low) for facts, why in result.masked))


def _nothing_left(
    request: RouteRequest, result: Feasible
) -> NotFoundError | RequestError | BudgetError | UpstreamError:
    name = request.target.name
    whys = list(dict.fromkeys(why for _, why in result.masked))
    said = "; ".join(f"{facts.arm.model}: {why}" for facts, why in result.masked[:4])
    if not whys:
        return NotFoundError("no model is configured", code="model_not_found", hint="add an endpoint", param="model")
    if any(why.startswith("down:") for why in whys):
        return UpstreamError(f"no endpoint for {name!r} is available now ({said})", status=503)
    if all(why.startswith("budget:") for why in whys):
        return BudgetError(f"the budget does not allow {name!r} ({said})")
    return RequestError(f"no model may serve this request as {name!r}: {said}", code="no_feasible_model", param="model")
