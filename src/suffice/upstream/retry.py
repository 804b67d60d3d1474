"""What to do after a failed attempt: the same endpoint again, another one, the next model, or give up. Pure.

It knows no clock and no sockets; the caller gives what is left of the one deadline that all attempts share, and a number in
[0, 1) for the jitter. `RetryBudget` is the only state, and it belongs to the caller. Invariants: after the head commit point
nothing is retried; a request gets at most `MAX_EXTRA` attempts beyond its first; no move waits past the deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from suffice.upstream.fault_matrix import Scope
from suffice.upstream.faults import Fault
from suffice.values.env import Env

MAX_EXTRA = 2
BASE_S, CAP_S = 0.1, 4.0
MIN_ATTEMPT_S = 0.5
FIRST_HINT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Where an attempt may go. `larger` says that its window or limit exceeds that of the model that refused.

    `budgeted` is False when the endpoint's retry budget is spent (`RetryBudget.allows`).
    """

    endpoint: str
    model: str
    vendor: str = ""
    credential: str = ""
    larger: bool = False
    budgeted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One failed attempt and the wait in seconds that came before it."""

    option: Option
    fault: Fault
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is possible now, in order of preference: available endpoints of the same model, and allowed next models.

    `committed`: the head has been sent. `on_filter`, `retry_empty`: policies of rows 23 and 22. `soonest_s`: seconds until
    the first of the cooling endpoints may be asked again, when there are any.
    """

    others: tuple[Option, ...] = ()
    nexts: tuple[Option, ...] = ()
    committed: bool = False
    on_filter: bool = False
    retry_empty: bool = False
    soonest_s: float | None = None
    max_extra: int = MAX_EXTRA


class MoveKind(StrEnum):
    """What to do."""

    SAME = "same"
    OTHER = "other"
    NEXT = "next"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The next step. `target` and `delay_s` belong to an attempt; `fault` and `retry_after_s` to giving up.

    `fault` is the one to tell the caller about. `why` is a stable word: a scope, or `committed`, `attempts`, `deadline`,
    `caller`, `policy`, `exhausted`. `fresh`: use a new connection.
    """

    kind: MoveKind
    why: str
    target: Option | None = None
    delay_s: float = 0.0
    fresh: bool = False
    fault: Fault | None = None
    retry_after_s: float | None = None


def next_move(fault: Fault, tried: Sequence[Attempt], remaining_s: float, options: Options, rand: float) -> Move:
    """Return what to do after `fault`, the fault of `tried[-1]`.

    `remaining_s` is what is left of the shared deadline; `rand` is in [0, 1). Raises ValueError when nothing was tried.
    """
    if not tried:
        raise ValueError("next_move needs the attempt that failed")
    refusal = _refusal(fault, tried, remaining_s, options)
    if refusal:
        return _stop(fault, tried, options, refusal)
    late = False
    for scope in fault.retry:
        delay = same_delay_s(fault, tried, rand) if scope is Scope.SAME else 0.0
        target = _target(scope, fault, tried, options)
        if target is None:
            continue
        if delay + MIN_ATTEMPT_S > remaining_s:
            late = True
            continue
        kind = {Scope.SAME: MoveKind.SAME, Scope.NEXT: MoveKind.NEXT}.get(scope, MoveKind.OTHER)
        return Move(kind=kind, why=scope.value, target=target, delay_s=delay, fresh=kind is MoveKind.SAME)
    return _stop(fault, tried, options, "deadline" if late else "exhausted")


def same_delay_s(fault: Fault, tried: Sequence[Attempt], rand: float) -> float:
    """Return the wait before the same endpoint is tried again.

    The provider's own Retry-After where it gave one, the row's spread where it has one, none for a connection that was
    lost; else decorrelated jitter, `min(cap, base + rand * (3 * previous - base))` (M. Brooker, "Exponential Backoff And
    Jitter", AWS Architecture Blog, 2015).
    """
    if fault.retry_after_s is not None:
        return fault.retry_after_s
    low, high = fault.matrix.same_wait_s
    if high:
        return low + rand * (high - low)
    if fault.row in (5, 6):
        return 0.0
    previous = max(tried[-1].delay_s, BASE_S)
    return min(CAP_S, BASE_S + rand * (3 * previous - BASE_S))


def _refusal(fault: Fault, tried: Sequence[Attempt], remaining_s: float, options: Options) -> str:
    if options.committed:
        return "committed"
    if not fault.retry:
        return "caller"
    asks = fault.matrix.asks
    if (asks == "on-filter" and not options.on_filter) or (asks == "retry-empty" and not options.retry_empty):
        return "policy"
    if len(tried) > options.max_extra:
        return "attempts"
    return "deadline" if remaining_s < MIN_ATTEMPT_S else ""


def _target(scope: Scope, fault: Fault, tried: Sequence[Attempt], options: Options) -> Option | None:
    last = tried[-1].option
    if scope is Scope.SAME:
        before = sum((t.option.endpoint, t.option.model) == (last.endpoint, last.model) for t in tried)
        return last if before == 1 and last.budgeted else None
    used = {(t.option.endpoint, t.option.model) for t in tried}
    credential = bool({Scope.OTHER_CREDENTIAL} & set(fault.retry))
    vendor = bool({Scope.OTHER_PROVIDER} & set(fault.retry))
    for option in options.nexts if scope is Scope.NEXT else options.others:
        if (option.endpoint, option.model) in used or not option.budgeted:
            continue
        if credential and option.credential and option.credential == last.credential:
            continue
        if vendor and option.vendor and option.vendor == last.vendor:
            continue
        if fault.matrix.asks == "larger-window" and not option.larger:
            continue
        return option
    return None


def _stop(fault: Fault, tried: Sequence[Attempt], options: Options, why: str) -> Move:
    """Give up, with the fault that helps the caller most: one that says when to come back, unless the last is its own."""
    told, hint = fault, None
    if not 400 <= fault.status < 429 and fault.status != 200:
        limited = [t.fault for t in tried if t.fault.status in (429, 503) and t.fault.retry_after_s is not None]
        if limited:
            told = min(limited, key=lambda f: f.retry_after_s or 0.0)
        hints = [f.retry_after_s for f in limited if f.retry_after_s is not None]
        if options.soonest_s is not None:
            hints.append(options.soonest_s)
        if hints:
            hint = min(hints)
        elif told.status in (429, 503):
            hint = max(FIRST_HINT_S, told.cooldown_s)
    return Move(kind=MoveKind.STOP, why=why, fault=told, retry_after_s=hint)


class RetryBudget:
    """At most `share` of an endpoint's recent requests may be retries, with a floor for quiet endpoints.

    Both counts fade with `half_life_s`. A retry onto an endpoint that has not failed lately is free: it cannot amplify an
    outage, and a failover must not be refused because the endpoint that takes over was idle. Endpoints are bounded by
    `capacity`; the one unused for longest is forgotten.
    """

    def __init__(
        self, env: Env, *, share: float = 0.1, floor: float = 3.0, half_life_s: float = 30.0, capacity: int = 4096
    ) -> None:
        self._env, self._share, self._floor, self._half_life_s = env, share, floor, half_life_s
        self._capacity = capacity
        self._counts: dict[str, tuple[float, float, float]] = {}

    def request(self, endpoint: str) -> None:
        """Count a first attempt."""
        self._add(endpoint, 1.0, 0.0)

    def allows(self, endpoint: str, *, healthy: bool) -> bool:
        """Tell whether a retry may go to `endpoint`; `healthy` as `Health.healthy` says."""
        if healthy:
            return True
        requests, retries = self._faded(endpoint)
        return retries + 1.0 <= self._floor + self._share * requests

    def spend(self, endpoint: str, *, healthy: bool) -> None:
        """Count a retry that was sent."""
        if not healthy:
            self._add(endpoint, 0.0, 1.0)

    def _faded(self, endpoint: str) -> tuple[float, float]:
        requests, retries, at = self._counts.get(endpoint, (0.0, 0.0, 0.0))
        factor = 0.5 ** (max(0.0, self._env.monotonic() - at) / self._half_life_s)
        return requests * factor, retries * factor

    def _add(self, endpoint: str, requests: float, retries: float) -> None:
        had = self._faded(endpoint)
        self._counts.pop(endpoint, None)
        self._counts[endpoint] = (had[0] + requests, had[1] + retries, self._env.monotonic())
        if len(self._counts) > self._capacity:
            del self._counts[next(iter(self._counts))]
