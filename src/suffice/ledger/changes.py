"""Cost per accepted change: what was paid, over what came of it, with the unknown told as unknown.

Must not change anything, nor guess: a request without an outcome is unknown, an attempt without a price is counted beside
the sum. Invariant: every request of the period is accepted, rejected or unknown, once, and the tasks add up to the total.

`all_in` divides everything that was paid in the period by the changes: it includes what led nowhere, and falls only by more
changes or less spend. `linked` counts just the requests that are linked with them, where links are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from suffice.decision.evidence import COMMITTED, MERGED, REVERTED, TESTS_PASSED
from suffice.ledger.queries import FOREVER_MS
from suffice.ledger.records import OutcomeRecord, RowKind
from suffice.ledger.report import rows
from suffice.storage.tables import Session
from suffice.values.money import NanoUsd

_outcome = msgspec.json.Decoder(OutcomeRecord)


@dataclass(slots=True, kw_only=True)
class Change:
    """One kind of change. Money in nano-dollars; `unpriced` counts requests with an attempt whose price is unknown.

    `undone` are changes that were reverted since: no accepted ones, and the requests that led to nothing else are not linked.
    """

    name: str
    changes: set[str] = field(default_factory=set)
    undone: set[str] = field(default_factory=set)
    requests: set[str] = field(default_factory=set)
    linked: int = 0
    unpriced: int = 0

    @property
    def count(self) -> int:
        """How many such changes there were."""
        return len(self.changes)

    @property
    def reverted(self) -> int:
        """How many there were beside them that were reverted."""
        return len(self.undone - self.changes)

    def linked_each(self) -> NanoUsd | None:
        """The spend of linked requests over the changes; None without changes or where a price is unknown."""
        return None if not self.changes or self.unpriced else NanoUsd(self.linked // self.count)


@dataclass(slots=True, kw_only=True)
class Task:
    """The requests of one task type by what became of them, and what all of them cost together, in nano-dollars."""

    name: str
    charged: int = 0
    requests: int = 0
    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    unpriced: int = 0

    def each(self) -> NanoUsd | None:
        """The spend over accepted requests; None without one, or where a price is unknown."""
        return None if not self.accepted or self.unpriced else NanoUsd(self.charged // self.accepted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A period's changes by kind (commit, merged, tests passed), its tasks, and the total over tasks."""

    kinds: tuple[Change, ...]
    tasks: tuple[Task, ...]
    total: Task

    def all_in(self, change: Change) -> NanoUsd | None:
        """Everything paid in the period over the changes; None without changes, or where a price is unknown."""
        return None if not change.count or self.total.unpriced else NanoUsd(self.total.charged // change.count)


@dataclass(slots=True)
class _Request:
    task: str = ""
    charged: int = 0
    priced: bool = True
    attempts: int = 0


def build(session: Session, since_s: float, until_s: float | None = None) -> Changes:
    """Return the changes of a period: requests paid in it, and outcomes reported of them until now. Raises StorageError."""
    requests: dict[str, _Request] = {}
    for row in rows(session, since_s, until_s):
        request = requests.setdefault(row.request_id, _Request())
        request.charged += row.charge_nano
        if row.kind != RowKind.ADJUSTMENT:
            request.task, request.attempts = row.task, request.attempts + 1
            request.priced &= row.price_kind != "unknown"
    reported: dict[str, list[OutcomeRecord]] = {}
    for (text,) in session.run("report_outcomes", int(since_s * 1000), FOREVER_MS):
        record = _outcome.decode(text)
        if record.request_id in requests:
            reported.setdefault(record.request_id, []).append(record)
    tasks: dict[str, Task] = {}
    total = Task(name="")
    for request_id, request in requests.items():
        became = verdict(reported.get(request_id, ()))
        for task in (tasks.setdefault(request.task, Task(name=request.task)), total):
            _count(task, request, became)
    kinds = tuple(_change(name, kind, requests, reported) for name, kind in _KINDS)
    ordered = sorted(tasks.values(), key=lambda t: (-t.charged, t.name))
    return Changes(kinds=kinds, tasks=tuple(ordered), total=total)


_KINDS = (("commit", COMMITTED), ("merged pull request", MERGED), ("passing test report", TESTS_PASSED))


def verdict(outcomes: Iterable[OutcomeRecord]) -> bool | None:
    """Return whether a request was accepted: the most reliable outcome decides, of equals the latest; None is unknown."""
    said = [o for o in outcomes if o.accepted is not None]
    return max(said, key=lambda o: (o.weight, o.at_ms)).accepted if said else None


def _count(task: Task, request: _Request, became: bool | None) -> None:
    task.charged += request.charged
    if not request.attempts:
        return  # only a correction of an earlier period's request
    task.requests += 1
    task.accepted += became is True
    task.rejected += became is False
    task.unknown += became is None
    task.unpriced += not request.priced


def _change(name: str, kind: str, requests: dict[str, _Request], reported: dict[str, list[OutcomeRecord]]) -> Change:
    change = Change(name=name)
    for request_id, outcomes in reported.items():
        told = [o for o in outcomes if o.kind == kind]
        # An agent's own count names no commit; where another source does, both speak of the same one.
        fitting = [o for o in told if o.commit] or told
        if not fitting:
            continue
        reverts = [o for o in outcomes if o.kind == REVERTED and kind != TESTS_PASSED]
        undone = [o for o in fitting if any(_undoes(revert, o) for revert in reverts)]
        # One commit or one detail (the number of a pull request, the name of a run) is one change, however many asked for it.
        for found, into in ((undone, change.undone), ([o for o in fitting if o not in undone], change.changes)):
            into.update(o.commit or f"{o.source}/{o.detail or request_id}" for o in found)
        if len(undone) == len(fitting):
            continue
        change.requests.add(request_id)
        change.linked += requests[request_id].charged
        change.unpriced += not requests[request_id].priced
    return change


def _undoes(revert: OutcomeRecord, change: OutcomeRecord) -> bool:
    """True for a change of one request that was reverted later; a report without a commit speaks of all of the request's."""
    same = revert.commit == change.commit or not (revert.commit and change.commit)
    return same and revert.at_ms >= change.at_ms
