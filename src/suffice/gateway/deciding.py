"""Decides a read request: the plan of the rung that the fallback ladder stands on.

It holds no policy; which state decides was chosen before (`reading.py`). Invariant: a decision that breaks never stops a request that the
default arm may serve (docs/architecture.md, failure policy), and is counted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from suffice.decision.fallback import Rung, fixed_plan
from suffice.decision.policy import PolicyContext, feasible
from suffice.decision.router import RouteRequest
from suffice.decision.virtual import Rule
from suffice.errors import DecisionError, SufficeError, UpstreamError
from suffice.gateway.ladder import Watch
from suffice.gateway.state import State
from suffice.gateway.turn import Reconsider
from suffice.upstream.health import Health
from suffice.values.env import Env
from suffice.values.money import NanoUsd
from suffice.values.plan import Plan, Step

log = logging.getLogger("suffice.decision")


class Deciding:
    """Makes plans. `watch` sees how decisions fare, `decided` is told the seconds that each took."""

    def __init__(self, env: Env, health: Health, decided: Callable[[float], None]) -> None:
        self._env = env
        self._health = health
        self._decided = decided
        self.watch = Watch(env)

    def plan(self, state: State, request: RouteRequest) -> Plan:
        """Return the plan of the rung that the ladder stands on; one that breaks is replaced by the default arm."""
        begun_s = self._env.monotonic()
        try:
            held_back = self._held_back(state, request)
            if held_back is not None:
                return held_back
            plan = state.router(request.target).plan(request)
            self.watch.decided(failed=False)
            _count_move(self.watch, request, plan)
            return plan
        except DecisionError as error:
            return self._default(state, request, error)
        except UpstreamError as error:
            soonest = self._health.soonest((a.endpoint, a.model) for a in state.candidates(request.target))
            if soonest is not None and error.retry_after_s is None:
                error.retry_after_s = soonest.wait_s
            raise
        except SufficeError:
            raise
        except Exception as error:
            log.exception("the decision failed; the default arm serves")
            return self._default(state, request, error)
        finally:
            self._decided(self._env.monotonic() - begun_s)

    def _held_back(self, state: State, request: RouteRequest) -> Plan | None:
        """Return the plan of a lower rung while an alarm is up; only `auto` rests on what may be wrong."""
        ladder = self.watch.standing()
        if ladder.rung is Rung.PLAN or request.target.rule is not Rule.AUTO:
            return None
        if ladder.rung is Rung.DEFAULT and state.default is not None:
            only = tuple(one for one in state.ranked(request.target) if one.facts.arm == state.default)
            plan = fixed_plan(ladder, only, request)
            if plan is not None:
                return plan
        configured = state.settings.routing.cascade
        return fixed_plan(ladder, state.ranked(request.target), request, configured)

    def _default(self, state: State, request: RouteRequest, error: Exception) -> Plan:
        self.watch.decided(failed=True)
        arm = state.default
        allowed = request.allowed_models
        if arm is None or request.target.rule is Rule.PIN or (allowed is not None and arm.model not in allowed):
            raise DecisionError("the decision failed and no default model may serve", hint=str(error)[:200]) from error
        if request.data.restricted:
            wanted = PolicyContext(features=request.features, data=request.data)
            if not feasible((state.fleet.by_arm[arm].facts,), wanted).kept:
                raise DecisionError("the decision failed, and the default model may not see this data") from error
        step = Step(arm=arm, reach=1.0, p_success=0.0, cost=NanoUsd(0))
        return Plan(
            steps=(step,),
            expected_total=NanoUsd(0),
            p_complete=0.0,
            repair=NanoUsd(0),
            propensity=1.0,
            reason="the decision failed; the default model serves",
            fallback="default",
            alarm=f"{type(error).__name__}: {error}"[:300],
        )


def again(state: State, request: RouteRequest, plan: Plan) -> Reconsider | None:
    """Return how to plan again after a verdict. A lower rung of the ladder rests on no beliefs: its own next step follows."""
    if not request.gate or request.attempts < 2 or plan.fallback:
        return None
    return partial(state.router(request.target).reconsider, request)


def _count_move(watch: Watch, request: RouteRequest, plan: Plan) -> None:
    session = request.session
    if request.target.rule is not Rule.AUTO or session is None or session.pinned is None:
        return
    pinned = session.pinned
    if session.warm(pinned, request.now_s) and any(c.arm == pinned and not c.masked_by for c in plan.candidates):
        watch.turned(moved=plan.first != pinned)
