"""`POST /v1/metrics` and `/v1/logs`: coding agents' own telemetry, in the answers that OTLP/HTTP asks for.

Must not store what it does not know (telemetry/otlp_intake.py drops it) nor fail an agent for sending more than is used.
Invariant: what is not refused is answered 200, so that no exporter repeats it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import msgspec

from suffice.decision.evidence import COMMITTED
from suffice.errors import NotFoundError
from suffice.gateway.app import Route
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.outcomes import Outcomes, Report
from suffice.gateway.reply import Reply
from suffice.telemetry import otlp_intake, otlp_protobuf
from suffice.telemetry.otlp_intake import AgentEvent, Intake
from suffice.values.env import Env

MEDIA_HINT = "JSON and protobuf are read: set OTEL_EXPORTER_OTLP_PROTOCOL=http/json or http/protobuf"
# A decision on an edit speaks of the answer that proposed it, which is not hours old.
EDIT_WINDOW_S = 3600.0


def table(env: Env, outcomes: Outcomes) -> list[Route]:
    """Return the rows of the route table."""
    signals: tuple[tuple[str, Read, str], ...] = (
        ("/v1/metrics", otlp_intake.metrics, "rejectedDataPoints"),
        ("/v1/logs", otlp_intake.logs, "rejectedLogRecords"),
    )
    return [
        Route(
            method="POST",
            path=path,
            dialect="otlp",
            handler=AgentEvents(env, outcomes, read, unit).serve,
            media_hint=MEDIA_HINT,
            media_too=otlp_protobuf.MEDIA,
            inflates=True,
        )
        for path, read, unit in signals
    ]


class Read(Protocol):
    """Reads the body of one signal."""

    def __call__(self, body: bytes, *, protobuf: bool) -> Intake:
        """Return what it holds. Raises RequestError for what is none."""
        ...


class AgentEvents:
    """Serves one signal: `read` is `otlp_intake.metrics` or `otlp_intake.logs`, `unit` how OTLP calls what was refused."""

    def __init__(self, env: Env, outcomes: Outcomes, read: Read, unit: str) -> None:
        self._env = env
        self._outcomes = outcomes
        self._read = read
        self._unit = unit

    async def serve(self, call: Call, principal: Principal, reply: Reply) -> None:
        """Answer one export. Raises RequestError for a body that is no OTLP."""
        protobuf = call.header("content-type").partition(";")[0].strip().lower() == otlp_protobuf.MEDIA
        intake = self._read(call.body, protobuf=protobuf)
        for event in intake.events:
            await self._join(principal, event)
        if protobuf:
            data = otlp_protobuf.partial_success(intake.rejected, intake.problem)
            return await reply.whole(200, data, ((b"content-type", otlp_protobuf.MEDIA.encode()),))
        told: dict[str, object] = {}
        if intake.rejected:
            told["partialSuccess"] = {self._unit: str(intake.rejected), "errorMessage": intake.problem}
        await reply.whole(200, msgspec.json.encode(told))

    async def _join(self, principal: Principal, event: AgentEvent) -> None:
        now_s = self._env.now()
        at_s = min(event.at_s, now_s) if event.at_s else now_s
        commit_like = event.kind in (COMMITTED, "pull_request")
        report = Report(
            kind=event.kind,
            session=event.session,
            source=event.agent,
            at=at_s,
            detail=f"at {datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}" if commit_like else "",
        )
        try:
            await self._outcomes.take(principal, report, newest_s=0.0 if commit_like else EDIT_WINDOW_S)
        except NotFoundError:
            return  # an agent whose requests went elsewhere
