"""Reads what coding agents export about their own work in OTLP/HTTP, JSON or protobuf, and keeps only what tells an outcome.

Must not keep anything else: no prompt, no command, no path, no account leaves this module. Pure. Invariant: a body gives at most
`MOST` events, and a point is taken, ignored, or counted as rejected with the reason.

Known are Claude Code's `claude_code.commit.count`, `claude_code.pull_request.count`, `claude_code.code_edit_tool.decision` and its
event `tool_decision`, and Codex's event `codex.tool_decision`. Decisions that a setting took say nothing and are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from suffice.errors import RequestError
from suffice.telemetry import otlp_protobuf

T = TypeVar("T")
MOST = 200
_MOST_POINTS = 20_000
_NAME_CHARS = 200
CLAUDE_CODE, CODEX = "claude-code", "codex"
_DELTA = (1, "AGGREGATION_TEMPORALITY_DELTA")
_COUNTS = {"claude_code.commit.count": "committed", "claude_code.pull_request.count": "pull_request"}
_EDIT_METRIC = "claude_code.code_edit_tool.decision"
_EDIT_TOOLS = frozenset({"edit", "multiedit", "write", "notebookedit", "apply_patch"})
_SESSION = {CLAUDE_CODE: "session.id", CODEX: "conversation.id"}
_EVENTS = {
    "claude_code.tool_decision": CLAUDE_CODE,
    "tool_decision": CLAUDE_CODE,
    "codex.tool_decision": CODEX,
}
_UNASKED = ("config", "hook", "automatedreviewer")
_CUMULATIVE = "cumulative sums are not taken: set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta"
_TOO_MANY = f"one body may hold {MOST} outcomes"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEvent:
    """One outcome that an agent saw: `kind` of decision/evidence.py, its own session id, epoch seconds (0 when not told)."""

    agent: str
    session: str
    kind: str
    at_s: float


@dataclass(slots=True, kw_only=True)
class Intake:
    """What a body came to: events, how many points were of no interest, and how many were refused with the last reason."""

    events: list[AgentEvent] = field(default_factory=list)
    ignored: int = 0
    rejected: int = 0
    problem: str = ""

    def refuse(self, problem: str) -> None:
        """Count a refused point."""
        self.rejected += 1
        self.problem = problem

    def take(self, event: AgentEvent) -> None:
        """Keep an event while there is room."""
        if len(self.events) >= MOST:
            self.refuse(_TOO_MANY)
        else:
            self.events.append(event)


class _Pair(msgspec.Struct):
    key: str
    value: dict[str, Any] = {}


class _Point(msgspec.Struct, rename="camel"):
    attributes: list[_Pair] = []
    time_unix_nano: int | str = 0
    as_int: int | str | None = None
    as_double: float | None = None


class _Sum(msgspec.Struct, rename="camel"):
    data_points: list[_Point] = []
    aggregation_temporality: int | str = 0


class _Metric(msgspec.Struct):
    name: str = ""
    sum: _Sum | None = None


class _ScopeMetrics(msgspec.Struct):
    metrics: list[_Metric] = []


class _ResourceMetrics(msgspec.Struct, rename="camel"):
    scope_metrics: list[_ScopeMetrics] = []


class _Metrics(msgspec.Struct, rename="camel"):
    resource_metrics: list[_ResourceMetrics] = []


class _Record(msgspec.Struct, rename="camel"):
    attributes: list[_Pair] = []
    time_unix_nano: int | str = 0
    observed_time_unix_nano: int | str = 0
    event_name: str = ""


class _ScopeLogs(msgspec.Struct, rename="camel"):
    log_records: list[_Record] = []


class _ResourceLogs(msgspec.Struct, rename="camel"):
    scope_logs: list[_ScopeLogs] = []


class _Logs(msgspec.Struct, rename="camel"):
    resource_logs: list[_ResourceLogs] = []


def metrics(body: bytes, *, protobuf: bool = False) -> Intake:
    """Return the outcomes of an ExportMetricsServiceRequest. Raises RequestError for what is none."""
    intake = Intake()
    data = _decoded(body, _Metrics, "metrics" if protobuf else "")
    every = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics]
    for metric in every:
        points = metric.sum.data_points if metric.sum is not None else []
        if metric.name not in _COUNTS and metric.name != _EDIT_METRIC:
            intake.ignored += len(points)
            continue
        delta = metric.sum is not None and metric.sum.aggregation_temporality in _DELTA
        for point in points[:_MOST_POINTS]:
            if not delta:
                intake.refuse(_CUMULATIVE)
                continue
            _point(intake, metric.name, point)
    return intake


def _point(intake: Intake, name: str, point: _Point) -> None:
    said = _texts(point.attributes)
    amount = _number(point.as_int if point.as_int is not None else point.as_double)
    kind = _COUNTS.get(name) or _edit(said)
    _keep(intake, CLAUDE_CODE, kind if amount > 0 else "", said, _number(point.time_unix_nano) / 1e9)


def logs(body: bytes, *, protobuf: bool = False) -> Intake:
    """Return the outcomes of an ExportLogsServiceRequest. Raises RequestError for what is none."""
    intake = Intake()
    data = _decoded(body, _Logs, "logs" if protobuf else "")
    every = [record for r in data.resource_logs for s in r.scope_logs for record in s.log_records]
    for record in every[:_MOST_POINTS]:
        said = _texts(record.attributes)
        agent = _EVENTS.get(said.get("event.name") or record.event_name, "")
        at_s = _number(record.time_unix_nano or record.observed_time_unix_nano) / 1e9
        _keep(intake, agent, _edit(said) if agent else "", said, at_s)
    return intake


def _keep(intake: Intake, agent: str, kind: str, said: Mapping[str, str], at_s: float) -> None:
    session = said.get(_SESSION.get(agent, ""), "")
    if not kind or not session:
        intake.ignored += 1
    else:
        intake.take(AgentEvent(agent=agent, session=session, kind=kind, at_s=at_s))


def _edit(said: Mapping[str, str]) -> str:
    """Return the kind of a person's decision on an edit; empty for commands, and for what a setting decided."""
    tool = (said.get("tool_name") or said.get("tool") or "").lower()
    if tool not in _EDIT_TOOLS or said.get("source", "").lower() in _UNASKED:
        return ""
    decision = said.get("decision", "").lower()
    if decision.startswith(("accept", "approved")):
        return "accepted"
    return "rejected" if decision in ("reject", "denied") else ""


def _texts(pairs: Iterable[_Pair]) -> dict[str, str]:
    """Return the attributes that are short texts."""
    found = ((pair.key, pair.value.get("stringValue")) for pair in pairs)
    return {key: text for key, text in found if isinstance(text, str) and len(text) <= _NAME_CHARS}


def _number(value: float | str | None) -> float:
    """Return a number of OTLP's JSON, where 64-bit ones are texts; 0 for what is none."""
    try:
        number = float(value or 0)
    except (ValueError, OverflowError):
        return 0.0
    return number if 0 <= number < 2**63 else 0.0


def _decoded(body: bytes, kind: type[T], message: str) -> T:
    try:
        if message:
            return msgspec.convert(otlp_protobuf.decode(body, message), kind)
        return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        what = "protobuf" if message else "JSON"
        raise RequestError(f"the body is no OTLP {what}: {error}"[:300], code="otlp_malformed") from None
