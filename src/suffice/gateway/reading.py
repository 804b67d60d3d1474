"""From a call to a turn: read what routing needs, recognise the task and the session, and decide.

Bad input is refused here, before anything is reserved. If the decision itself breaks, the request goes on with the configured
default arm and says so: open to the user's request (docs/architecture.md, failure policy).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

import msgspec

from suffice.config.schema import Settings
from suffice.decision.core import CHECKS, STATIC
from suffice.decision.features import extract, shape
from suffice.decision.latency import Latencies
from suffice.decision.repository import HEADER as REPO_HEADER
from suffice.decision.repository import SIGNAL, repo_key, repo_of
from suffice.decision.router import RouteRequest
from suffice.decision.sessions import BODY_SIGNALS, Session, SessionTable, session_key
from suffice.decision.virtual import Rule, Target, resolve
from suffice.errors import ForbiddenError, RequestError, SufficeError
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.deciding import Deciding, again
from suffice.gateway.exchange import Exchange, GeminiExchange
from suffice.gateway.modes import HEADER as MODE_HEADER
from suffice.gateway.modes import HEDGE_HEADER, hedge_after, mode_and_cap
from suffice.gateway.named_check import HEADER as CHECK_HEADER
from suffice.gateway.named_check import named_check, plain_name
from suffice.gateway.pacing import Pacing
from suffice.gateway.pilots import Pilots
from suffice.gateway.reply import Reply
from suffice.gateway.rollout import Rollouts, Sharing, alike
from suffice.gateway.segments import Runs
from suffice.gateway.state import State
from suffice.gateway.turn import Turn
from suffice.ledger.book import Ledger
from suffice.upstream.health import Health
from suffice.values.env import Env
from suffice.values.money import NanoUsd, nano
from suffice.values.plan import Arm, Plan
from suffice.values.task import Features, TaskType
from suffice.wire.messages_view import messages_view, session_user
from suffice.wire.prescan import TopLevel, scan
from suffice.wire.request_view import RequestView, chat_view, completions_view

log = logging.getLogger("suffice.decision")

_NOTHING: Mapping[Arm, str] = MappingProxyType({})
# Opens the exchange of a dialect whose requests need more than their bytes.
Open = Callable[[Call, Principal], Exchange]


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it was read, before any policy is asked: `money` is pressure, pressure of the pace, and what is left in nano-dollars."""

    call: Call
    principal: Principal
    operation: str
    top: TopLevel
    view: RequestView
    exchange: Exchange | None
    key: str
    features: Features
    check: str
    session: Session
    now_s: float
    money: tuple[float, float, int | None]


class Reading:
    """Makes turns. `state` is replaced whole when the configuration changes."""

    def __init__(
        self,
        *,
        env: Env,
        state: State,
        sessions: SessionTable,
        secret: bytes,
        ledger: Ledger,
        health: Health,
        decided: Callable[[float], None] = lambda seconds: None,
        opens: Mapping[str, Open] | None = None,
        pilots: Pilots | None = None,
        rollouts: Rollouts | None = None,
    ) -> None:
        self.env = env
        self.state = state
        self.sessions = sessions
        self._secret = secret
        self._health = health
        self.deciding = Deciding(env, health, decided)
        self.watch = self.deciding.watch
        self.latencies = Latencies()
        self.pacing = Pacing(env, ledger)
        self._opens = opens or {}
        self._runs = Runs(pilots or Pilots())
        self._rollouts = rollouts or Rollouts()

    def scanned(self, call: Call) -> TopLevel:
        """Return the body of a request that needs no plan, checked. Raises RequestError."""
        return scan(call.body, self.state.limits)

    def read(self, call: Call, principal: Principal, reply: Reply, operation: str) -> Turn:
        """Return the turn of `call`. Raises RequestError (400), NotFoundError (404), ForbiddenError (403)."""
        top = scan(call.body, self.state.limits)
        exchange = self._opens[operation](call, principal) if operation in self._opens else None
        view = VIEWS[operation](top) if exchange is None else exchange.view()
        key = self._session_key(call, principal, top, view)
        state, sharing = self._rollouts.side(self.state, key)
        target = self._target(state, call, top, operation)
        features = _hinted(shape(view) if target.rule is Rule.PIN else extract(view), call.header("x-suffice-task"))
        check = named_check(call.header(CHECK_HEADER), state.settings.checks)
        session = self.sessions.touch(key, now_s := self.env.monotonic())
        if target.rule is not Rule.PIN:
            features = _with_signals(features, self._repository(call, principal, session, view))
        features = _with_signals(features, self._runs.happened(state, session, key, top, view, features, exchange))
        asking = Asking(
            call=call, principal=principal, operation=operation, top=top, view=view, exchange=exchange, key=key,
            features=features, check=check, session=session, now_s=now_s,
            money=self.pacing.money(principal, state.settings),
        )  # fmt: skip
        request, mode = self._request(state, asking, target)
        plan = self.deciding.plan(state, request)
        hedge_s = hedge_after(call.header(HEDGE_HEADER), state.settings.routing)
        if sharing is not None and target.rule is not Rule.PIN and not plan.fallback:
            plan = self._shared(plan, sharing, asking, (state, mode, request.attempts, hedge_s))
        pressure, paced, remaining = asking.money
        return Turn(
            call=call,
            principal=principal,
            reply=reply,
            fleet=state.fleet,
            operation=operation,
            top=top,
            view=view,
            features=features,
            target=target,
            session_key=key,
            session=session,
            plan=plan,
            reconsider=again(state, request, plan),
            pressure=pressure,
            paced=paced,
            remaining_nano=remaining,
            check=check,
            strength=state.settings.checks[plain_name(check)].strength if check else "",
            gate=request.gate,
            cap=request.attempts,
            mode=mode,
            hedge_s=hedge_s,
            down=request.down,
            draft=state.settings.routing.draft,
            exchange=exchange,
        )

    def _request(self, state: State, asking: Asking, target: Target) -> tuple[RouteRequest, str]:
        """Return the question that a policy is asked, and what its stream waits for. Raises RequestError or ForbiddenError."""
        call, principal, routing = asking.call, asking.principal, state.settings.routing
        features = asking.features
        mode, cap = mode_and_cap(
            call.header(MODE_HEADER),
            routing.mode,
            top=asking.top,
            view=asking.view,
            operation=asking.operation,
            verify=state.settings.verify.enabled,
            array=isinstance(asking.exchange, GeminiExchange) and asking.exchange.array,
            task=features.task,
            target=target,
        )
        pressure, paced, remaining = asking.money
        request = RouteRequest(
            features=features,
            target=target,
            now_s=asking.now_s,
            session=asking.session,
            down=self._down(state, target, asking.operation),
            allowed_models=self._allowed(principal, state, target),
            data=state.data,
            remaining_nano=remaining,
            pressure=max(pressure, paced),
            repair=_repair(call, principal, state, features),
            floors=(routing.quality_floor, 0.0),
            gate=_gate(state.settings, asking.check, cap),
            attempts=cap,
            explore=0.0 if principal.data_class else routing.explore,
            session_key=asking.key,
            repo=repo_of(features.signals),
            late=self._late(call, state, target),
            latency_s=self.latencies.typical() if target.rule is Rule.FAST else {},
        )
        return request, mode

    def _shared(
        self, plan: Plan, sharing: Sharing, asking: Asking, effective: tuple[State, str, int, float]
    ) -> Plan:  # fmt: skip
        """Return `plan` with what the other policy of a rollout would have done; one that could not serve never harms the request."""
        state, rival = effective[0], sharing.rival
        if rival is None:
            return sharing.told(plan, None, alike=False)
        other, same = None, False
        try:
            target = self._target(rival, asking.call, asking.top, asking.operation)
            request, mode = self._request(rival, asking, target)
            other = rival.router(target).plan(request)
            hedge_s = hedge_after(asking.call.header(HEDGE_HEADER), rival.settings.routing)
            same = (mode, request.attempts, hedge_s) == effective[1:] and alike(state.settings, rival.settings)
        except SufficeError as error:
            log.debug("the other policy of the rollout could not serve: %s", error)
        except Exception:
            log.exception("the other policy of the rollout could not plan")
        return sharing.told(plan, other, alike=same)

    def _target(self, state: State, call: Call, top: TopLevel, operation: str) -> Target:
        target = resolve(call.model or model_name(top), state.settings.aliases, state.models)
        if operation == "fim" and target.models is None and state.filling:
            return msgspec.structs.replace(target, models=state.filling)
        return target

    def _repository(
        self, call: Call, principal: Principal, session: Session, view: RequestView
    ) -> tuple[str, ...]:  # fmt: skip
        """Return the signal of the repository that a request is about, none where nothing says so; found once per session."""
        named = call.header(REPO_HEADER)
        if named or session.repo is None:
            texts = (view.system_text, view.first_user_text)
            session.repo = repo_key(self._secret, principal.tenant, named, texts)
        return (f"{SIGNAL}{session.repo}",) if session.repo else ()

    def _session_key(self, call: Call, principal: Principal, top: TopLevel, view: RequestView) -> str:
        """Return which session the request belongs to, by the client's signals or by how the conversation began."""
        return session_key(
            self._secret,
            principal.tenant,
            call.headers,
            _body_signals(top),
            system_text=view.system_text,
            first_user_text=view.first_user_text or view.prompt,
            tool_names=view.tool_names,
        ).key

    def _late(self, call: Call, state: State, target: Target) -> Mapping[Arm, str]:
        """Return the arms that are known to miss the seconds that the client gives, with the reasons."""
        text = call.header("x-suffice-max-seconds")
        if not text:
            return _NOTHING
        try:
            slo_s = float(text)
        except ValueError:
            slo_s = math.nan
        if not 0.0 < slo_s <= 86_400.0:
            raise RequestError("x-suffice-max-seconds is no number of seconds", param="x-suffice-max-seconds")
        late = {arm: self.latencies.late(arm, slo_s) for arm in state.candidates(target)}
        return {arm: why for arm, why in late.items() if why}

    def _down(self, state: State, target: Target, operation: str) -> Mapping[Arm, str]:
        """Return the arms that are resting, with the reasons. When all that could serve are, one may be probed (row 41).

        Raises RequestError when none of them serves the operation at all.
        """
        health = self._health
        arms, other = state.serving(target, operation)
        if (arms or other) and (not arms or (operation == "embeddings" and target.models is None)):
            raise RequestError(
                f"{target.name[:200]} does not serve {operation}",
                hint="name a model of GET /v1/models that does",
                code="operation_not_served",
                param="model",
            )
        down = {a: health.reason(a.endpoint, a.model) for a in arms if not health.available(a.endpoint, a.model)}
        if down and all(arm in down for arm in arms):
            soonest = health.soonest((arm.endpoint, arm.model) for arm in arms)
            if soonest is not None and health.admit(soonest.endpoint, soonest.model, panic=True):
                del down[Arm(model=soonest.model, endpoint=soonest.endpoint)]
        return {**other, **down} if other or down else _NOTHING

    def _allowed(self, principal: Principal, state: State, target: Target) -> frozenset[str] | None:
        if not principal.allowed_models:
            return None
        if target.name in principal.allowed_models and target.rule is not Rule.PIN:
            return frozenset(target.models) if target.models is not None else None
        allowed = frozenset(m for m in state.models if principal.allows(m))
        if target.rule is Rule.PIN and target.models is not None and not allowed & set(target.models):
            raise ForbiddenError(
                f"this key does not allow {target.name}", hint="ask for a key that does", code="model_forbidden"
            )
        return allowed


def _embeddings_view(top: TopLevel) -> RequestView:
    if top.value("input") is None:
        raise RequestError("input is missing", param="input")
    return RequestView(total_bytes=len(top.body))


VIEWS: Mapping[str, Callable[[TopLevel], RequestView]] = {
    "chat": chat_view,
    "messages": messages_view,
    "completions": completions_view,
    "embeddings": _embeddings_view,
}


def model_name(top: TopLevel) -> str:
    """Return the model that a body names. Raises RequestError when it names none."""
    raw = top.value("model")
    if raw is None:
        raise RequestError("model is missing", hint="use auto, or a model of GET /v1/models", param="model")
    try:
        name = msgspec.json.decode(raw, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RequestError("model must be a string", param="model") from None
    if not name or len(name) > 256:
        raise RequestError("model must be a name of 1 to 256 characters", param="model")
    return name


def _gate(settings: Settings, check: str, cap: int) -> str:
    """Return the name of the gate that will judge answers before they are given, empty when none can."""
    if cap == 1 or not settings.verify.enabled:
        return ""
    return CHECKS[settings.checks[plain_name(check)].strength] if check else STATIC


def _with_signals(features: Features, names: tuple[str, ...]) -> Features:
    return msgspec.structs.replace(features, signals=(*features.signals, *names)) if names else features


def _hinted(features: Features, hint: str) -> Features:
    if not hint:
        return features
    try:
        task = TaskType(hint.strip().lower())
    except ValueError:
        known = ", ".join(TaskType)
        raise RequestError(f"there is no task {hint[:60]!r}", hint=f"one of {known}", param="x-suffice-task") from None
    return msgspec.structs.replace(features, task=task, signals=(*features.signals, "header"))


def _body_signals(top: TopLevel) -> dict[str, str]:
    found: dict[str, str] = {}
    # `previous_response_id` is another one for every turn; the stored conversation behind it tells the session.
    for name in BODY_SIGNALS[:1]:
        raw = top.value(name)
        if raw is not None and raw[:1] == b'"':
            found[name] = raw.decode("utf-8", "replace")
    if top.value("metadata") is not None:
        user = session_user(top)
        if user:
            found[BODY_SIGNALS[2]] = user
    return found


def _repair(call: Call, principal: Principal, state: State, features: Features) -> NanoUsd:
    text = call.header("x-suffice-repair-usd")
    if text:
        try:
            value = Decimal(text)
            if value.is_finite() and 0 <= value <= 100_000:
                return nano(value.quantize(Decimal("0.000000001")))
        except InvalidOperation:
            pass
        raise RequestError("x-suffice-repair-usd is no amount of dollars", param="x-suffice-repair-usd")
    if principal.repair_nano:
        return NanoUsd(principal.repair_nano)
    return state.repair[features.task]
