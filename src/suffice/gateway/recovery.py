"""What follows a failed attempt: the same endpoint again, another one of the same model, the next model, or the truth.

`upstream.retry.next_move` decides from the fault; this module tells it what is possible for this turn, waits when it says
so, and turns its answer into a route. A pinned model is never silently replaced by another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec import structs

from suffice.decision.virtual import Rule
from suffice.errors import BudgetError, RequestError, SufficeError
from suffice.gateway.fleet import Served
from suffice.gateway.live import Route
from suffice.gateway.modes import BUFFER
from suffice.gateway.routes import RouteTable
from suffice.gateway.turn import Turn
from suffice.upstream.faults import Fault
from suffice.upstream.health import Health
from suffice.upstream.retry import MAX_EXTRA, Attempt, Move, MoveKind, Option, Options, RetryBudget, next_move
from suffice.values.env import Env
from suffice.values.plan import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """Either the route to try now, or the error to tell."""

    route: Route | None
    error: SufficeError


class Recovery:
    """Chooses after faults. `sleep` is asyncio.sleep, exchanged in simulations."""

    def __init__(
        self,
        *,
        env: Env,
        routes: RouteTable,
        health: Health,
        budget: RetryBudget,
        max_attempts: int = 1 + MAX_EXTRA,
        told: Callable[[MoveKind], None] = lambda kind: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._env = env
        self._routes = routes
        self._health = health
        self._budget = budget
        self.max_attempts = max_attempts
        self._told = told
        self._sleep = sleep

    def begins(self, route: Route) -> None:
        """Count the first attempt of a request: its endpoint earns a share of a retry."""
        self._budget.request(route.arm.endpoint)

    async def after(self, turn: Turn, failed: Route, fault: Fault, *, held: bool = False) -> Next:
        """Return what to do after `fault` on `failed`. `held`: what broke was seen by nobody, though the answer has begun.

        A held answer that breaks off where nothing else serves is asked for once more of the same endpoint: its client could not.
        """
        tried = [
            Attempt(option=self._option(turn, turn.fleet.by_arm[a.arm.fresh], failed), fault=a.fault, delay_s=a.delay_s)
            for a in turn.tried
            if a.fault is not None
        ]
        # The head of a buffered stream carries nothing of an answer.
        options = self._options(turn, failed, committed=turn.reply.started and turn.mode != BUFFER and not held)
        remaining_s = turn.call.deadline_mono_s - self._env.monotonic()
        move = next_move(fault, tried, remaining_s, options, self._env.random())
        if move.kind is MoveKind.STOP and move.why == "exhausted" and held and self._once_more(turn, failed):
            move = Move(kind=MoveKind.SAME, why="held", target=tried[-1].option, fresh=True)
        if move.kind is MoveKind.STOP or move.target is None:
            told = move.fault or fault
            return Next(route=None, error=told.error(move.retry_after_s, dialect=turn.call.dialect))
        arm = Arm(model=move.target.model, endpoint=move.target.endpoint)
        try:
            route = self._routes.make(turn, arm, failed.target.evidence)
        except (BudgetError, RequestError):
            # The next model cannot be told what was asked, or is not paid for: the caller learns what went wrong with the first.
            return Next(route=None, error=fault.error(dialect=turn.call.dialect))
        if move.fresh:
            route = structs.replace(route, fresh=True)
        self._told(move.kind)
        self._budget.spend(arm.endpoint, healthy=self._health.healthy(arm.endpoint, arm.model))
        if move.delay_s:
            turn.tried[-1].delay_s = move.delay_s
            await self._sleep(move.delay_s)
        return Next(route=route, error=fault.error(dialect=turn.call.dialect))

    def beside(self, turn: Turn, route: Route) -> Route | None:
        """Return where the same request may be asked for at the same time as on `route`: the same model elsewhere, else the next one.

        None when nothing else serves, is well and can be paid for.
        """
        options = self._options(turn, route, committed=False)
        for option in (*options.others, *options.nexts):
            arm = Arm(model=option.model, endpoint=option.endpoint)
            if arm == route.arm.fresh or not self._health.healthy(arm.endpoint, arm.model):
                continue
            try:
                return self._routes.make(turn, arm, route.target.evidence)
            except (BudgetError, RequestError):
                continue
        return None

    def _once_more(self, turn: Turn, failed: Route) -> bool:
        arm = failed.arm.fresh
        healthy = self._health.healthy(arm.endpoint, arm.model)
        first = sum(a.arm.fresh == arm for a in turn.tried) == 1
        return (
            first
            and self._health.available(arm.endpoint, arm.model)
            and self._budget.allows(arm.endpoint, healthy=healthy)
        )

    def _options(self, turn: Turn, failed: Route, *, committed: bool) -> Options:
        """The plan's candidates that are not masked, in the plan's order, then by expected cost."""
        planned = [step.arm.fresh for step in turn.plan.steps]
        ranked = [*planned, *(c.arm for c in turn.plan.candidates if not c.masked_by and c.arm not in planned)]
        rows = [turn.fleet.by_arm[arm] for arm in ranked if arm in turn.fleet.by_arm]
        open_rows = [r for r in rows if self._health.available(r.arm.endpoint, r.arm.model)]
        others = tuple(self._option(turn, r, failed) for r in open_rows if r.model.id == failed.model.id)
        nexts: tuple[Option, ...] = ()
        if turn.target.rule is not Rule.PIN:
            nexts = tuple(self._option(turn, r, failed) for r in open_rows if r.model.id != failed.model.id)
        soonest = self._health.soonest((r.arm.endpoint, r.arm.model) for r in rows)
        return Options(
            others=others,
            nexts=nexts,
            committed=committed,
            soonest_s=soonest.wait_s if soonest is not None and not others and not nexts else None,
            max_extra=self.max_attempts - 1,
        )

    def _option(self, turn: Turn, row: Served, failed: Route) -> Option:
        arm = row.arm
        healthy = self._health.healthy(arm.endpoint, arm.model)
        return Option(
            endpoint=arm.endpoint,
            model=arm.model,
            vendor=row.provider.id,
            credential=arm.endpoint,
            larger=row.facts.context_tokens > failed.model.context_window > 0,
            budgeted=self._budget.allows(arm.endpoint, healthy=healthy),
        )
