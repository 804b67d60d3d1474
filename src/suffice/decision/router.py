"""Choose: the arm with the lowest expected cost of a successful completion, and what to try after it.

Without a check the rule is the plug-in J = C + (1 - p) H (ROUTING 3.2), with one it is the plan of `plan.py`. It must not read
a clock or send anything. Invariant: only arms that the policy kept are ever in a plan; equal inputs give equal plans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from suffice.decision.attempt_price import DEAREST, Warmth, attempt_cost, rates_of, spend_weight
from suffice.decision.belief import Belief, Onward, Shown, Tried
from suffice.decision.core import NANO, Core, cell_of
from suffice.decision.explore import Drawn, first_arm
from suffice.decision.grid import Floats
from suffice.decision.layout import candidates, contributions, staging, steps, why_on
from suffice.decision.narrowing import nothing_left, without_late, without_tried, without_unknown_prices
from suffice.decision.plan import SHORTLIST, shortlist
from suffice.decision.policy import ArmFacts, DataClass, Feasible, PolicyContext, feasible
from suffice.decision.priors import PriorTable
from suffice.decision.repair import repair_cost
from suffice.decision.retries import after, again_costs, in_order
from suffice.decision.sessions import Session
from suffice.decision.skill import SkillPosterior
from suffice.decision.verdict_free import Scored, cheaper_first, choose, describe, flips, follow_ups
from suffice.decision.virtual import Rule, Target
from suffice.errors import NotFoundError
from suffice.values.money import NanoUsd, Price
from suffice.values.plan import Arm, Plan, Step
from suffice.values.task import Features, TaskType

MAX_STEPS = 3
# What is believed of so many cells and repositories is kept between requests.
MAX_BELIEFS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One arm on offer: its facts, its price, and the expected seconds of an answer (0 when unknown)."""

    facts: ArmFacts
    price: Price
    latency_s: float = 0.0


class RouteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one decision depends on, as plain values.

    `pressure` in [0, 1] is the ledger's; `repair` overrides H; `down` gives the reason for each arm that is out of order;
    `now_s` is Env.monotonic(). `floors` are lower bounds of success, strictest first. `gate` names what will judge the
    answers before they are given (empty: nothing), `attempts` how many may be tried. `explore` is the share of sessions in
    which `auto` may go first to an arm that is not the best; it needs `session_key` and data without restrictions. `repo` is the
    repository's key (`repository.py`). `late` gives the
    reason for each arm that is known to miss the latency objective, `latency_s` the seconds
    that arms were seen to take, for `fast`.
    """

    features: Features
    target: Target
    now_s: float = 0.0
    session: Session | None = None
    down: Mapping[Arm, str] = msgspec.field(default_factory=dict)
    allowed_models: frozenset[str] | None = None
    data: DataClass = msgspec.field(default_factory=DataClass)
    remaining_nano: int | None = None
    pressure: float = 0.0
    repair: NanoUsd | None = None
    floors: tuple[float, ...] = (0.0,)
    allow_prior_only: bool = True
    min_effort: str = ""
    gate: str = ""
    attempts: int = 1
    explore: float = 0.0
    session_key: str = ""
    repo: str = ""
    late: Mapping[Arm, str] = msgspec.field(default_factory=dict)
    latency_s: Mapping[Arm, float] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What goes first, what follows, the success of it all, and every arm with the totals that were compared."""

    drawn: Drawn
    further: Sequence[Scored]
    p_complete: float
    scored: list[Scored]
    explored: bool


class Router:
    """Plans requests over a fixed set of offers; a change of configuration makes a new router."""

    __slots__ = ("_beliefs", "_core", "_facts", "_models", "_offers", "_priors", "_rates", "_rows", "_worst")

    def __init__(self, offers: Sequence[Offer], priors: PriorTable, core: Core | None = None) -> None:
        self._offers = tuple(offers)
        self._priors = priors
        self._core = core if core is not None else Core(priors)
        self._rates = tuple(rates_of(offer.price) for offer in self._offers)
        known = [rates for rates in self._rates if rates is not None]
        # An unknown price is never 0: where such a model is allowed at all it is counted as the dearest known one.
        self._worst = max(known, key=lambda r: (r.output, r.input), default=DEAREST)
        # Row of each offer's model in the core's beliefs.
        self._models = tuple(
            self._core.know(offer.facts.arm.model, rates.output / 1e6 if rates is not None else None)
            for offer, rates in zip(self._offers, self._rates, strict=True)
        )
        # Row of each arm in what is believed of a cell.
        self._rows = {offer.facts.arm: at for at, offer in enumerate(self._offers)}
        self._facts: dict[int, tuple[tuple[ArmFacts, ...], tuple[str, ...]]] = {}
        # What is believed of a cell, and the posterior that says so: it holds until something is learned.
        self._beliefs: dict[tuple[int, str], tuple[SkillPosterior, Belief]] = {}

    def plan(self, request: RouteRequest) -> Plan:
        """Return the plan. Raises NotFoundError (404), RequestError (400), BudgetError (402) or UpstreamError (503) when
        no arm may be used; the message gives the reasons."""
        cell = cell_of(request.features.task, request.features.language)
        belief = self._belief(request, cell)
        result = self._feasible(request, cell, belief)
        if not result.kept:
            raise nothing_left(request.target.name, result)
        repair = repair_cost(request.features, request.repair)
        scored = self._score(request, result, repair, cell, belief)
        if request.target.rule is Rule.PIN and len(scored) == 1:
            return self._only(request, result, scored[0], repair)
        chosen, binding = choose(scored, request.target.rule, request.session, request.now_s)
        share = 0.0 if binding or not _may_explore(request, result) else request.explore
        order = self._order(request, scored, chosen, share, repair, belief, stay=bool(binding))
        chosen, scored = order.drawn.first, order.scored
        if order.explored:
            binding = (*binding, f"explored: it had a chance of {order.drawn.chance:.2%} to go first")
        rivals = sorted((s for s in scored if s is not chosen), key=lambda s: s.total)
        flip = rivals and request.target.rule is Rule.AUTO and not order.explored
        return Plan(
            steps=steps((chosen, *order.further)),
            expected_total=NanoUsd(round(chosen.total)),
            p_complete=order.p_complete,
            repair=repair,
            propensity=order.drawn.chance,
            reason=describe(
                chosen, request.target, request.features, (*binding, *staging(order.further, request.gate))
            ),
            candidates=candidates(scored, order.drawn, result),
            binding=(*binding, *(f"relaxed: {what}" for what in result.relaxed)),
            contributions=(*contributions(chosen, repair), *self._core.account(cell, request.repo)),
            flips=_flips(request, chosen, rivals[0], repair) if flip else (),
            versions=(("priors", self._priors.version), *self._core.holder.current.versions),
        )

    def _only(self, request: RouteRequest, result: Feasible, one: Scored, repair: NanoUsd) -> Plan:
        """Return the plan of a request that names its model, with one place to send it to: nothing to choose or to try after."""
        return Plan(
            steps=(Step(arm=one.arm, reach=1.0, p_success=one.p, cost=one.cost.total),),
            expected_total=NanoUsd(round(one.total)),
            p_complete=one.p,
            repair=repair,
            propensity=1.0,
            reason=describe(one, request.target, request.features, ()),
            candidates=candidates([one], Drawn(first=one, propensity={one.arm: 1.0}), result),
            binding=tuple([f"relaxed: {what}" for what in result.relaxed]),
            contributions=contributions(one, repair),
            versions=(("priors", self._priors.version), *self._core.holder.current.versions),
        )

    def reconsider(self, request: RouteRequest, tried: Sequence[Tried]) -> Onward | None:
        """Return what to do after the answers of `tried`, judged: the plan again, now that more is known.

        None where the plan did not rest on a check, no attempt is left, or an answer came from an arm that `request` could not plan
        for: then the steps of the first plan hold.
        """
        left = min(MAX_STEPS, request.attempts) - len(tried)
        repair = repair_cost(request.features, request.repair)
        if request.target.rule is not Rule.AUTO or not request.gate or not tried or left < 1 or repair <= 0:
            return None
        cell = cell_of(request.features.task, request.features.language)
        belief = self._belief(request, cell)
        scored = self._score(request, self._feasible(request, cell, belief), repair, cell, belief)
        at = {one.arm: row for row, one in enumerate(scored)}
        before = [at.get(one.arm.fresh, -1) for one in tried]
        if -1 in before:
            return None
        part, cost, long, some = self._shortlisted(request, scored, repair, belief, tuple(dict.fromkeys(before)))
        place = {one.arm: row for row, one in enumerate(some)}
        shown = [
            Shown(arm=place[one.arm.fresh], model=one.arm.model, accepted=one.accepted, output_tokens=one.output_tokens)
            for one in tried
        ]
        done, h = len(place) == len(set(before)), repair * NANO  # every arm was tried
        after = self._core.after(part, cost, h, gate=request.gate, tried=shown, attempts=left, output_usd=long)
        arm = some[after.arm].arm if after.arm >= 0 and not done else None
        return Onward(
            arm=arm, p_right=after.p_right, continue_usd=after.continue_usd, stop_usd=after.stop_usd,
            why=why_on(arm, after, len(tried)),
        )  # fmt: skip

    def _order(
        self,
        request: RouteRequest,
        scored: list[Scored],
        best: Scored,
        share: float,
        repair: NanoUsd,
        belief: Belief,
        *,
        stay: bool,
    ) -> _Order:
        """Draw what goes first and add what follows; with `stay` the warm arm `best` goes first whatever the plan says."""
        draw = {"share": share, "floor": request.floors[0] if request.floors else 0.0, "repair_usd": repair * NANO}
        if request.target.rule is not Rule.AUTO or not request.gate or request.attempts < 2 or repair <= 0:
            drawn = self._draw(scored, best, request, draw)
            steps = min(MAX_STEPS, request.attempts) - 1
            further = follow_ups(drawn.first, scored, repair, steps) if steps > 0 else []
            return _Order(
                drawn=drawn, further=further, p_complete=drawn.first.p, scored=scored,
                explored=drawn.first.arm != best.arm,
            )  # fmt: skip
        order, p_complete, totals = self._staged(request, scored, repair, belief)
        scored = [msgspec.structs.replace(one, total=totals.get(one.arm, one.total)) for one in scored]
        by_arm = {one.arm: one for one in scored}
        best = by_arm[best.arm if stay else order[0].arm]
        # Totals of arms outside the plan's shortlist are one-shot figures: not to be compared with the plan's.
        drawn = self._draw([one for one in scored if one.arm in totals], best, request, draw)
        first = drawn.first.arm
        explored = first != best.arm
        further = [by_arm.get(one.arm, one) for one in after(order, first)][: request.attempts - 1]
        if explored:
            # Retries are left out: what is said of the order without them is a bound that is sure.
            rows = tuple([self._rows[one.arm] for one in (drawn.first, *further) if one.arm in self._rows])
            p_complete = self._core.completes(belief, rows, gate=request.gate)
        return _Order(drawn=drawn, further=further, p_complete=p_complete, scored=scored, explored=explored)

    def _draw(self, comparable: list[Scored], best: Scored, request: RouteRequest, how: dict[str, float]) -> Drawn:
        return first_arm(comparable, best, session=request.session_key, salt=self._priors.version, **how)

    def _belief(self, request: RouteRequest, cell: int) -> Belief:
        posterior = request.session.posterior if request.session is not None else None
        if isinstance(posterior, np.ndarray):
            return self._core.believe(self._models, cell, posterior, request.repo)
        skill = self._core.holder.current.skill
        key = (cell, request.repo if request.repo in skill.repos else "")
        known = self._beliefs.get(key)
        if known is not None and known[0] is skill:
            return known[1]
        belief = self._core.believe(self._models, cell, None, key[1])
        if len(self._beliefs) >= MAX_BELIEFS:
            self._beliefs.clear()
        self._beliefs[key] = (skill, belief)
        return belief

    def _staged(
        self, request: RouteRequest, scored: Sequence[Scored], repair: NanoUsd, belief: Belief
    ) -> tuple[list[Scored], float, dict[Arm, float]]:
        """Return the plan's order, its probability of a right answer, and what each shortlisted arm costs in all as the first."""
        weight = spend_weight(request.pressure)
        cost = [max(0.0, weight * one.cost.total) * NANO for one in scored]
        some = list(scored)
        if len(some) > SHORTLIST:
            keep = shortlist(np.array([one.p for one in scored]), np.array(cost), repair * NANO).tolist()
            some, cost = [scored[at] for at in keep], [cost[at] for at in keep]
        rows = tuple([self._rows[one.arm] for one in some])
        rates = [self._rates[row] or self._worst for row in rows]
        again, usd = again_costs(request.features, rates, some, self._core, weight * NANO)
        gate, h = request.gate, repair * NANO
        long, most = [weight * one.cost.output * NANO for one in some], request.attempts
        solved = self._core.plan(belief, rows, cost, h, gate=gate, attempts=most, again_usd=usd, output_usd=long)
        first = solved.first.tolist()
        sequence = solved.sequence or (first.index(min(first)),)
        totals = {one.arm: float(total) / NANO for one, total in zip(some, first, strict=True)}
        right = solved.p_accept - solved.p_escape if solved.sequence else some[sequence[0]].p
        return in_order(sequence, some, again), right, totals

    def _shortlisted(
        self, request: RouteRequest, scored: Sequence[Scored], repair: NanoUsd, belief: Belief, keep: tuple[int, ...] = ()
    ) -> tuple[Belief, Floats, Floats, list[Scored]]:  # fmt: skip
        """Return belief, dollars per attempt, those of its output, and scores of the arms to plan over, rows `keep` among them."""
        weight = spend_weight(request.pressure)
        cost = np.array([max(0.0, weight * one.cost.total) * NANO for one in scored])
        p = np.array([one.p for one in scored])
        chosen = shortlist(p, cost, repair * NANO, keep)
        some = [scored[at] for at in chosen.tolist()]
        part = belief.of([self._rows[one.arm] for one in some])
        return part, cost[chosen], np.array([weight * s.cost.output * NANO for s in some]), some

    def _feasible(self, request: RouteRequest, cell: int, belief: Belief) -> Feasible:
        target, features = request.target, request.features
        allowed = request.allowed_models
        known, _ = self._facts_for(cell, features.task)
        low = belief.low.tolist()
        facts = known
        if any(request.floors) or (request.session is not None and request.session.latched):
            facts = tuple(msgspec.structs.replace(f, p_low=low[at]) for at, f in enumerate(known))
        if target.models is not None:
            facts = tuple(f for f in facts if f.arm.model in target.models)
            if not facts:
                raise NotFoundError(
                    f"no configured endpoint serves {', '.join(target.models)}", code="model_not_found", param="model"
                )
        if request.down:
            facts = tuple(
                msgspec.structs.replace(f, down=request.down[f.arm]) if f.arm in request.down else f for f in facts
            )
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
        left = without_late(without_unknown_prices(feasible(facts, context), target), request.late, pinned)
        return without_tried(left, request.session, pinned)

    def _facts_for(self, cell: int, task: TaskType) -> tuple[tuple[ArmFacts, ...], tuple[str, ...]]:
        """Return the facts of every offer and the source of what was believed of it before anything was seen."""
        if cell not in self._facts:
            found, sources = [], []
            for offer, rates in zip(self._offers, self._rates, strict=True):
                price = rates.output / 1e6 if rates is not None else None
                prior = self._priors.lookup(offer.facts.arm.model, task, output_usd_per_mtok=price)
                sources.append(prior.source)
                found.append(
                    msgspec.structs.replace(offer.facts, prior_only=prior.declared, price_known=rates is not None)
                )
            self._facts[cell] = (tuple(found), tuple(sources))
        return self._facts[cell]

    def _score(
        self, request: RouteRequest, result: Feasible, repair: NanoUsd, cell: int, belief: Belief
    ) -> list[Scored]:
        features, session = request.features, request.session
        weight = spend_weight(request.pressure)
        warm = self._warmth(session, request.now_s)
        _, sources = self._facts_for(cell, features.task)
        means, lows = belief.mean.tolist(), belief.low.tolist()
        seen_s = request.latency_s
        scored = []
        for arm in [facts.arm for facts in result.kept]:
            at = self._rows[arm]
            held = session is not None and session.warm(arm, request.now_s)
            moved = warm if warm is not None and session is not None and arm != session.pinned else None
            cost = attempt_cost(
                features,
                self._rates[at] or self._worst,
                warm_tokens=session.prompt_tokens if held and session is not None else 0,
                moved_from=moved,
                learned_output=self._core.output_tokens(arm.model, cell),
            )
            total = weight * cost.total + (1.0 - means[at]) * repair
            scored.append(
                Scored(
                    arm=arm, p=means[at], p_low=lows[at], cost=cost, total=total, source=sources[at],
                    latency_s=seen_s.get(arm, self._offers[at].latency_s), priced=self._rates[at] is not None,
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


def _flips(request: RouteRequest, first: Scored, rival: Scored, repair: NanoUsd) -> tuple[str, ...]:
    staged = request.gate and request.attempts > 1
    return cheaper_first(first, rival, spend_weight(request.pressure)) if staged else flips(first, rival, repair)


def _may_explore(request: RouteRequest, result: Feasible) -> bool:
    """Only `auto`, on data without restrictions, where no floor had to give way and no cache or escalation holds an arm."""
    session = request.session
    held = session is not None and (
        session.latched
        or bool(session.tried)
        or (session.pinned is not None and session.warm(session.pinned, request.now_s))
    )
    return request.target.rule is Rule.AUTO and not request.data.restricted and not result.relaxed and not held
