"""The composition root: builds the gateway from settings, by constructor arguments, and takes it down again.

Nothing else in Suffice builds a room out of another. A reload builds a new `State` beside the old one and swaps it whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from suffice.catalog.load import load as load_catalog
from suffice.cli.learned import restored
from suffice.config.environment import storage_folder
from suffice.config.schema import Settings
from suffice.decision import priors
from suffice.decision import state as beliefs
from suffice.decision.core import Core
from suffice.decision.sessions import SessionTable
from suffice.errors import ConfigError, NotFoundError
from suffice.gateway import agent_events, fleet
from suffice.gateway.app import DataPlane, Route, bearer, refuse_browsers
from suffice.gateway.attempts import Attempts
from suffice.gateway.auth import Principal, principal_of
from suffice.gateway.call import Call
from suffice.gateway.corrections import TokenCorrections
from suffice.gateway.counting import Counting
from suffice.gateway.dialect_routes import DialectRoutes, opens
from suffice.gateway.drafting import Drafting
from suffice.gateway.fim import open_fim
from suffice.gateway.fim_routes import FimRoutes
from suffice.gateway.hedging import Hedging
from suffice.gateway.idempotency import Idempotency
from suffice.gateway.implicit import Implicit
from suffice.gateway.judging import Judging, RunCheck
from suffice.gateway.learning import Learning
from suffice.gateway.message_batches import batches
from suffice.gateway.outcomes import Outcomes
from suffice.gateway.passed_objects import PassedObjects
from suffice.gateway.pilots import FILE, Pilots
from suffice.gateway.pipeline import Pipeline
from suffice.gateway.reading import Reading
from suffice.gateway.recording import Recording
from suffice.gateway.recovery import Recovery
from suffice.gateway.reply import Reply
from suffice.gateway.responses import Responses
from suffice.gateway.responses_socket import SocketLimits
from suffice.gateway.rollout import FILE as ROLLOUT
from suffice.gateway.rollout import Rollouts
from suffice.gateway.routes import RouteTable
from suffice.gateway.service_routes import ServiceRoutes
from suffice.gateway.services import Services, deadlines_of
from suffice.gateway.sockets import ResponsesSockets
from suffice.gateway.state import State
from suffice.gateway.turn import Turn
from suffice.gateway.uploads import files
from suffice.ledger import queries
from suffice.ledger.book import Ledger
from suffice.ledger.budgets import Budget, Period
from suffice.ledger.keys import KeyStore, load_pepper
from suffice.ledger.redact import Redactor
from suffice.storage import blob
from suffice.storage.database import Database
from suffice.telemetry.metrics import Metrics
from suffice.upstream.health import Health
from suffice.upstream.retry import MoveKind, RetryBudget
from suffice.upstream.transport import Transport
from suffice.values.env import Env
from suffice.values.money import NanoUsd, nano

log = logging.getLogger("suffice")


class Runtime:
    """A gateway without its sockets. `await start()` before serving, `await stop()` after."""

    _plane: DataPlane | None = None
    _sockets: ResponsesSockets | None = None

    def __init__(
        self,
        settings: Settings,
        env: Env,
        env_vars: Mapping[str, str],
        working: Path,
        run_check: RunCheck | None,
        *,
        redactor: Redactor | None = None,
    ) -> None:
        self.env = env
        self.folder = storage_folder(settings, env_vars, working)
        self._catalog = load_catalog()
        self._priors = priors.bundled()
        self.redactor = redactor or Redactor()
        self._secret = load_pepper(self.folder / "pepper", env)
        self._database = Database(env, self.folder / "suffice.db")
        self.ledger = Ledger(
            env, self._database, self.folder / "journal", durability=settings.storage.durability, redactor=self.redactor
        )
        self.keys = KeyStore(env, self._database, self._secret)
        self.transport = Transport(env)
        self.health = Health(env)
        self._principals: dict[str, Principal] = {}
        self._beliefs = self.folder / "beliefs.bin"
        self.core = Core(self._priors, restored(self._beliefs))
        self._saved = self.core.version
        self.state = self._state(settings)
        fleet.register(self.state.fleet, self.health)
        self.metrics = self._metrics()
        self._responses = Responses(env, self._derived(b"seals"))
        self.pilots = Pilots(self.folder / FILE)
        self.rollouts = Rollouts(self.folder / ROLLOUT)
        self.rollouts.begin(settings, int(env.now() * 1000))
        self.reading = Reading(
            env=env,
            state=self.state,
            sessions=SessionTable(),
            secret=self._derived(b"sessions"),
            ledger=self.ledger,
            health=self.health,
            decided=self.metrics.decided,
            opens={**opens(self._responses), "fim": open_fim},
            pilots=self.pilots,
            rollouts=self.rollouts,
        )
        self.outcomes = Outcomes(
            env=env,
            database=self._database,
            ledger=self.ledger,
            core=self.core,
            secret=self._derived(b"sessions"),
            alarm=self._alarmed,
        )
        self.implicit = Implicit(env, self.outcomes)
        self.corrections = TokenCorrections()
        self.pipeline = self._pipeline(settings, run_check)

    def _metrics(self) -> Metrics:
        return Metrics(
            CollectorRegistry(),
            models=self.state.settings.models,
            providers=sorted({e.provider for e in self.state.fleet.endpoints.values()}),
            breakers=self._breakers,
            ledger_queue=lambda: self.ledger.waiting,
        )

    def _pipeline(self, settings: Settings, run_check: RunCheck | None) -> Pipeline:
        env, up = self.env, settings.upstream
        tenants = hashlib.sha256(self._secret + b"tenants").digest()
        routes = RouteTable(env, tenants, self.corrections, self._responses.issuers)
        attempts = Attempts(
            env=env,
            transport=self.transport,
            ledger=self.ledger,
            health=self.health,
            deadlines=deadlines_of(up),
        )
        learning = Learning(self.core, env, _drifted, self.reading.watch, self.reading.latencies, self.reading.pacing)
        recovery = Recovery(
            env=env,
            routes=routes,
            health=self.health,
            budget=RetryBudget(env),
            max_attempts=up.max_attempts,
            told=self._failover,
        )
        hedging = Hedging(env, attempts, recovery)
        judging = Judging(enabled=settings.verify.enabled, run_check=run_check)
        learners = (learning.observe, self.implicit.observe, self.corrections.observe, hedging.observe)
        return Pipeline(
            read=self.reading.read,
            attempts=attempts,
            routes=routes,
            recovery=recovery,
            hedging=hedging,
            judging=judging,
            recording=Recording(env=env, ledger=self.ledger, observers=(self._observe, *learners)),
            drafting=Drafting(self.core, attempts, routes, judging),
        )

    def _state(self, settings: Settings) -> State:
        now_s = self.env.now()
        built = fleet.build(settings, self._catalog, datetime.fromtimestamp(now_s, UTC).date().isoformat())
        if settings.routing.reference_model and built.catalog.model(settings.routing.reference_model) is None:
            raise ConfigError(
                f"routing.reference_model {settings.routing.reference_model!r} is in no price table",
                hint="set its price under [models]",
            )
        if settings.server.control_secret is not None:
            self.redactor.register(settings.server.control_secret.reveal())
        for section in settings.endpoints.values():
            keys = (section.api_key, section.secret_access_key, section.session_token)
            for secret in (*keys, section.proxy_auth, *section.headers.values()):
                if secret is not None and len(secret.reveal()) >= 12:
                    self.redactor.register(secret.reveal())
        state = State(settings, built, self._priors, self.core, now_s)
        if settings.candidate is not None:
            state.candidate = State(settings.candidate, built, self._priors, self.core, now_s)
        return state

    async def start(self) -> None:
        """Open the database, recover the ledger, load keys and budgets. Raises StorageError or LedgerError."""
        await asyncio.to_thread(self._database.open)
        await self.ledger.start()
        await asyncio.to_thread(self.keys.start)
        await self._define_budgets(self.state.settings)

    def _alarmed(self, note: str) -> None:
        """Log what reports have shown; a revoked guarantee also lowers the fallback ladder."""
        if note.startswith("revoked:"):
            self.reading.watch.contradicted(note.removeprefix("revoked:"))
        _drifted(note)

    def _derived(self, purpose: bytes) -> bytes:
        """Return the secret for one purpose, 32 bytes."""
        return hashlib.sha256(self._secret + purpose).digest()

    def save(self) -> None:
        """Write what was learned, when it has changed. Blocks on the disk."""
        self.pilots.save()
        self.rollouts.save()
        if self.core.version != self._saved:
            self._saved = self.core.version
            blob.replace(self._beliefs, beliefs.dumps(self.core.holder.current))

    def look(self) -> None:
        """Look at what a rollout has shown, and take the next step where that allows it. Blocks on the disk. Raises StorageError."""

        def read(since_s: float) -> tuple[queries.Story, ...]:
            with self._database.reader() as session:
                return queries.decided(session, since_s)

        self.rollouts.look(self.state.settings, read, int(self.env.now() * 1000))

    async def stop(self) -> None:
        """Commit what is open and close everything."""
        await asyncio.to_thread(self.save)
        await self.transport.close()
        await asyncio.to_thread(self.keys.stop)
        await self.ledger.stop()
        await asyncio.to_thread(self._database.close)

    async def _define_budgets(self, settings: Settings) -> None:
        budgets = [
            Budget(id=name, limit=nano(b.limit_usd), period=Period(b.window), soft=b.soft, hard=b.hard)
            for name, b in settings.budgets.items()
        ]
        await self.ledger.define_budgets(budgets, replace=True)

    def refresh(self) -> None:
        """Take prices of this hour: schedules and valid-from dates move without a reload."""
        self.swap(self._state(self.state.settings))

    def swap(self, state: State) -> None:
        """Use `state` from the next request on."""
        fleet.register(state.fleet, self.health)
        self.state = self.reading.state = state
        self._principals.clear()

    async def adopt(self, settings: Settings) -> None:
        """Build everything that `settings` asks for, then swap. Raises ConfigError with nothing changed."""
        state = self._state(settings)
        await self._define_budgets(settings)
        self.rollouts.begin(settings, int(self.env.now() * 1000))
        self.swap(state)
        self._tune(settings)

    def _tune(self, settings: Settings) -> None:
        """Take the limits of new settings that need no restart."""
        up = settings.upstream
        self.pipeline.tune(deadlines_of(up), up.max_attempts, settings.verify.enabled)
        if self._plane is not None:
            self._plane.body_limit = settings.server.max_body_bytes
            self._plane.request_timeout_s = settings.upstream.total_deadline_s
        if self._sockets is not None:
            self._sockets.limits = _socket_limits(settings)
            self._sockets.request_timeout_s = settings.upstream.total_deadline_s

    # --- the data plane ---

    def data_plane(self) -> DataPlane:
        """Return the ASGI application of the public listener."""
        serve = self.pipeline.serve
        server = self.state.settings.server
        table = [("/v1/chat/completions", "chat"), ("/v1/embeddings", "embeddings")]
        routes = [
            Route(method="POST", path=path, dialect=operation, handler=partial(_serve, serve, operation))
            for path, operation in table
        ]
        routes += agent_events.table(self.env, self.outcomes)
        counting = Counting(self.reading, self.transport, self.corrections)
        services = Services(env=self.env, reading=self.reading, transport=self.transport, ledger=self.ledger)
        objects = PassedObjects(self._database)
        routes += DialectRoutes(serve, self.reading, self._responses, counting).table()
        routes += ServiceRoutes(services, self.reading, counting).table()
        routes += files(services, objects, self.reading)
        routes += batches(services, objects, self.reading, self.ledger)
        routes += FimRoutes(serve, self.reading).table()
        routes += [
            Route(method="POST", path="/v1/outcomes", dialect="chat", handler=self.outcomes.serve),
            Route(method="GET", path="/", dialect="chat", handler=_health, open=True, has_body=False),
            Route(method="HEAD", path="/", dialect="chat", handler=_health, open=True, has_body=False),
            Route(method="GET", path="/health", dialect="chat", handler=_health, open=True, has_body=False),
            Route(method="GET", path="/ready", dialect="chat", handler=self._ready, open=True, has_body=False),
        ]
        self._sockets = ResponsesSockets(
            env=self.env,
            serve=serve,
            authenticate=self.authenticate,
            responses=self._responses,
            limits=_socket_limits(self.state.settings),
            request_timeout_s=self.state.settings.upstream.total_deadline_s,
            metrics=self.metrics,
        )
        self._plane = DataPlane(
            env=self.env,
            routes=routes,
            authenticate=self.authenticate,
            body_limit=server.max_body_bytes,
            request_timeout_s=self.state.settings.upstream.total_deadline_s,
            metrics=self.metrics,
            idempotency=Idempotency(self.env),
            socket=self._sockets,
        )
        return self._plane

    def authenticate(self, headers: dict[str, str], client: str) -> Principal:
        """Return who is calling. Raises AuthError or ForbiddenError."""
        if self.keys.empty:
            refuse_browsers(headers)
            return Principal.anonymous()
        record = self.keys.authenticate(bearer(headers))
        known = self._principals.get(record.id)
        if known is None or known.record is not record:
            known = self._principals[record.id] = principal_of(record, self.state.settings)
        return known

    def _failover(self, kind: MoveKind) -> None:
        self.metrics.failover("same" if kind is MoveKind.SAME else "other" if kind is MoveKind.OTHER else "next")

    def _breakers(self) -> Counter[tuple[str, str]]:
        return Counter((found.scope, found.state) for found in self.health.resting())

    async def _ready(self, call: Call, principal: Principal, reply: Reply) -> None:
        told = self.readiness()
        await reply.whole(200 if told["ready"] else 503, msgspec.json.encode(told))

    def readiness(self) -> dict[str, Any]:
        """Return whether requests can be served, and if not, why."""
        why = []
        if not self.state.fleet.served:
            why.append("no endpoint is configured")
        if self._database.failure is not None:
            why.append("the database does not take writes")
        return {"ready": not why, "why": why, "endpoints": len(self.state.fleet.endpoints)}

    def story(self, request_id: str) -> dict[str, Any] | None:
        """Return the record of one request for the control plane, or None."""
        with self._database.reader() as session:
            found = queries.story(session, request_id)
        return msgspec.to_builtins(found) if found.found else None

    def _observe(self, turn: Turn) -> None:
        for attempt in turn.tried:
            served = turn.fleet.by_arm[attempt.arm.fresh]
            self.metrics.attempt(served.provider.id, attempt.fault.code if attempt.fault else attempt.outcome)
            self.metrics.spent(attempt.arm.model, attempt.usage, NanoUsd(attempt.cost_nano))
            if attempt.apart:
                self.metrics.priced_apart(attempt.arm.model)


def _drifted(note: str) -> None:
    log.warning("%s: its results are not what they were", note)


def _socket_limits(settings: Settings) -> SocketLimits:
    return SocketLimits(message_bytes=settings.server.max_body_bytes)


def _serve(serve: Any, operation: str, call: Call, principal: Principal, reply: Reply) -> Any:
    return serve(call, principal, reply, operation)


async def _health(call: Call, principal: Principal, reply: Reply) -> None:
    await reply.whole(200, b'{"ok":true}')


__all__ = ["NotFoundError", "Runtime"]
