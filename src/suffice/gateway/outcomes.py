"""`POST /v1/outcomes`: what became of an answer, joined to the requests that it speaks of, to the ledger and to the beliefs.

Must not decide what a kind is worth (decision/evidence.py) nor whose a request is (ledger/joining.py). Invariant: an outcome
of one request, kind and source reaches the ledger once and the posterior at most once; one report is worth one label, shared
by the requests it speaks of; a request of another tenant is one that does not exist.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from suffice.config.problem import did_you_mean
from suffice.decision.core import Core, cell_of
from suffice.decision.evidence import COMMITTED, EDITED, KINDS, Evidence, judge
from suffice.decision.repository import repo_of
from suffice.decision.sessions import BODY_SIGNALS, HEADER_SIGNALS, session_key
from suffice.errors import LedgerError, NotFoundError, RequestError
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.reply import Reply
from suffice.gateway.turn import APPROVED, REPAIRED
from suffice.ledger import joining
from suffice.ledger.book import Ledger
from suffice.ledger.joining import Known, Served
from suffice.ledger.records import OutcomeRecord
from suffice.storage.database import Database
from suffice.storage.tables import Session
from suffice.values.env import Env
from suffice.values.task import TaskType

# A caller chooses its sources freely; so many outcomes of one request may teach, so that nobody teaches by repetition.
MOST_LABELS = 8
# Reports that are at least this reliable (tests ran, merged, reverted) count for the guarantee.
CERTAIN = 0.9
# A commit without a parent in time, or after a long pause, is not credited with older requests.
COMMIT_WINDOW_S = 86_400.0
_REMEMBERED = 20_000


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One report as sent. Times are epoch seconds or ISO 8601; `since` is when the window of a commit begins."""

    kind: str
    request_id: str = ""
    session: str = ""
    commit: str = ""
    distance: float | None = None
    source: str = "api"
    detail: str = ""
    at: float | str | None = None
    since: float | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a report came to: how many requests it speaks of, newly recorded, known before, and learned from."""

    kind: str
    accepted: bool | None
    reliability: float
    requests: int
    recorded: int
    repeated: int
    learned: int


class Outcomes:
    """Takes reports. `secret` is the one that keys sessions; `alarm` is told of drift (`drift:<model>`) and of a
    certificate that fresh reports contradict (`revoked:<task>`)."""

    def __init__(
        self, *, env: Env, database: Database, ledger: Ledger, core: Core, secret: bytes, alarm: Callable[[str], None]
    ) -> None:
        self._env = env
        self._database = database
        self._ledger = ledger
        self._core = core
        self._secret = secret
        self._alarm = alarm
        self._one_at_a_time = asyncio.Lock()
        # What was taken but may not be in the database yet.
        self._taken: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    async def serve(self, call: Call, principal: Principal, reply: Reply) -> None:
        """Answer one report. Raises RequestError (400) and NotFoundError (404)."""
        told = await self.take(principal, decode(call.body))
        await reply.whole(200, msgspec.json.encode(told))

    async def take(self, principal: Principal, report: Report, *, newest_s: float = 0.0) -> Told:
        """Join a report with its requests, record and learn it.

        Raises RequestError, NotFoundError, and LedgerError (503) when it could not be kept; then it may be sent again.

        With `newest_s` a session means its newest request of the last so many seconds before the outcome.
        """
        evidence = checked(report)
        now_s = self._env.now()
        at_s = min(moment(report.at, "at", now_s), now_s)
        async with self._one_at_a_time:
            await self._written()
            found = await asyncio.to_thread(self._find, principal, report, at_s, newest_s)
            if not found:
                raise NotFoundError(_unknown(report), code="unknown_request")
            recorded = learned = 0
            for each in found:
                new, taught = self._record(each, report, evidence, at_s, len(found))
                recorded += new
                learned += taught
        return Told(
            kind=report.kind,
            accepted=evidence.accepted,
            reliability=evidence.reliability,
            requests=len(found),
            recorded=recorded,
            repeated=len(found) - recorded,
            learned=learned,
        )

    def note(self, served: Served, kind: str, reliability: float, source: str) -> bool:
        """Record and learn a sign that the gateway saw itself; returns whether it was new. Does not wait for anything."""
        evidence = judge(kind)
        capped = Evidence(accepted=evidence.accepted, reliability=min(reliability, evidence.reliability))
        report = Report(kind=kind, request_id=served.known.request_id, source=source)
        try:
            return self._record(served, report, capped, self._env.now(), 1)[0]
        except LedgerError:
            return False  # the ledger counts what it drops

    def _record(self, each: Served, report: Report, evidence: Evidence, at_s: float, shared: int) -> tuple[bool, bool]:
        known = each.known
        key = (known.request_id, report.kind, report.source)
        if key in self._taken or any((o.kind, o.source) == key[1:] for o in each.outcomes):
            return False, False
        self._taken[key] = None
        if len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)
        dropped = self._dropped
        self._ledger.outcome(
            OutcomeRecord(
                request_id=known.request_id,
                at_ms=int(at_s * 1000),
                kind=report.kind,
                accepted=evidence.accepted,
                source=report.source,
                attempt=each.attempt,
                detail=report.detail,
                commit=report.commit,
                weight=evidence.reliability / shared,
                distance=-1.0 if report.distance is None else report.distance,
            )
        )
        if self._dropped != dropped:
            del self._taken[key]
            raise LedgerError("the outcome could not be kept", hint="send it again", retry_after_s=1.0)
        if evidence.accepted is None or not each.model or "pinned" in known.signals or not known.task:
            return True, False
        if any(s.startswith("draft:") and s.endswith((APPROVED, REPAIRED)) for s in known.signals):
            return True, False  # of drafts only those that were let pass are seen, or what two models made
        if len(each.outcomes) >= MOST_LABELS:
            return True, False
        sure = shared == 1 and evidence.reliability >= CERTAIN and not any(o.weight >= CERTAIN for o in each.outcomes)
        if sure:  # one label per request, and only of what ran or was merged: the guarantee counts answers, not reports
            told = self._core.heard(task=TaskType(known.task), wrong=not evidence.accepted, at_s=self._env.now())
            if told.startswith("revoked"):
                self._alarm(told)
            self._core.checked(
                gate=known.gate,
                cell=cell_of(TaskType(known.task), known.language),
                judged=each.judged,
                given=each.attempt,
                right=evidence.accepted,
                reliability=evidence.reliability,
            )
        note = self._core.learn(
            label_id="/".join(("outcome", *key)),
            model=each.model,
            cell=cell_of(TaskType(known.task), known.language),
            success=evidence.accepted,
            reliability=evidence.reliability / shared,
            at_s=self._env.now(),
            repo=repo_of(known.signals),
            calibrates=sure,
        )
        if note.startswith("drift"):
            self._alarm(note)
        return True, note in ("", *((note,) if note.startswith("drift") else ()))

    @property
    def _dropped(self) -> int:
        alarms = self._ledger.alarms
        return alarms["record_dropped"] + alarms["redaction"]

    def _find(self, principal: Principal, report: Report, at_s: float, newest_s: float) -> tuple[Served, ...]:
        with self._database.reader() as session:
            if newest_s:
                keys = self.session_keys(principal.tenant, report.session)
                known = joining.by_session(session, principal.tenant, keys, at_s, newest_s)[:1]
                return tuple(joining.served(session, one) for one in known)
            return tuple(joining.served(session, known) for known in self._known(session, principal, report, at_s))

    def _known(self, session: Session, principal: Principal, report: Report, at_s: float) -> tuple[Known, ...]:
        tenant, now_s = principal.tenant, self._env.now()
        if report.request_id == "last":
            return joining.last(session, tenant, now_s)
        if report.request_id:
            return joining.by_id(session, tenant, report.request_id)
        if report.session:
            return joining.by_session(session, tenant, self.session_keys(tenant, report.session), now_s)
        known = joining.by_commit(session, tenant, report.commit)
        if known or report.kind != COMMITTED:
            return known
        since_s = max(moment(report.since, "since", at_s - COMMIT_WINDOW_S), at_s - COMMIT_WINDOW_S)
        return joining.by_time(session, tenant, principal.key_id, since_s, at_s)

    def session_keys(self, tenant: str, name: str) -> frozenset[str]:
        """Return the keys that a client's session id may have been stored under, the name as stored itself included."""
        keys = {name}
        for signal in HEADER_SIGNALS:
            keys.add(session_key(self._secret, tenant, {signal: name}, {}).key)
        for signal in BODY_SIGNALS:
            # Body fields are hashed as they stood in the JSON.
            for text in (name, msgspec.json.encode(name).decode()):
                keys.add(session_key(self._secret, tenant, {}, {signal: text}).key)
        return frozenset(keys)

    async def _written(self) -> None:
        """Wait until the decisions so far are in the database: a report may follow its answer at once."""
        for _ in range(50):
            if not self._ledger.waiting:
                return
            await asyncio.wrap_future(self._database.call(lambda session: None))


def decode(body: bytes) -> Report:
    """Return the report of a body. Raises RequestError naming what is wrong."""
    try:
        return msgspec.json.decode(body, type=Report)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(
            f"the body is no outcome: {error}", hint='send {"request_id": "...", "kind": "accepted"}'
        ) from None


def checked(report: Report) -> Evidence:
    """Return what a report says. Raises RequestError for a bad kind, target, distance or text."""
    if report.kind not in KINDS:
        hint = did_you_mean(report.kind[:60], KINDS) or f"one of {', '.join(KINDS)}"
        raise RequestError(f"there is no kind of outcome {report.kind[:60]!r}", hint=hint, param="kind")
    if not (report.request_id or report.session or report.commit) or (report.request_id and report.session):
        raise RequestError(
            "an outcome belongs to one of request_id, session, commit",
            hint="name one; a commit may come with a request_id or a session, which links them",
            param="request_id",
        )
    sizes = {"request_id": 200, "session": 512, "commit": 64, "source": 100, "detail": 1000}
    for name, limit in sizes.items():
        text: str = getattr(report, name)
        if len(text) > limit or any(ord(char) < 32 and char not in "\n\t" for char in text):
            raise RequestError(f"{name} must be text of at most {limit} characters", param=name)
    if report.commit and not (len(report.commit) in (40, 64) and set(report.commit) <= set("0123456789abcdef")):
        raise RequestError(
            "commit must be the full hash, in lower case", hint="`git rev-parse NAME` prints it", param="commit"
        )
    if report.distance is not None and report.kind != EDITED:
        raise RequestError(f"{report.kind} has no distance", hint="send it with the kind `edited`", param="distance")
    if not report.source:
        raise RequestError("source must not be empty", param="source")
    try:
        return judge(report.kind, report.distance)
    except ValueError as error:
        raise RequestError(str(error), param="distance") from None


def moment(given: float | str | None, name: str, default_s: float) -> float:
    """Return a time of a report as epoch seconds, `default_s` when not given. Raises RequestError."""
    if given is None:
        return default_s
    try:
        if isinstance(given, str):
            stamp = datetime.fromisoformat(given)
            return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()
        if 0 <= given < 253_402_300_800:
            return float(given)
    except (ValueError, OverflowError):
        pass
    raise RequestError(f"{name} is no time", hint="send epoch seconds or ISO 8601", param=name)


def _unknown(report: Report) -> str:
    if report.request_id:
        return (
            f"there is no request {report.request_id!r}" if report.request_id != "last" else "there is no request yet"
        )
    if report.session:
        return f"no request of the last days has the session {report.session[:100]!r}"
    if report.kind == COMMITTED:
        return f"no request since the commit before {report.commit!r} is there to link with it"
    return f"no request is linked with the commit {report.commit!r}"
