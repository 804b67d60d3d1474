"""A stream that does not begin in time is asked for a second time elsewhere; the first that speaks is given, the other is ended.

Does: race two attempts until one has shown its first event. Does not: decide what may serve (`recovery.py`), book (`attempts.py`).
Invariants: at most two attempts run at once; when `begin` returns or raises, none but the one returned runs; each has its own
reservation and its own row, the one that lost with what it cost. Only a small share of streams is hedged, so that a slow
provider is not made slower by asking twice.
"""

from __future__ import annotations

import asyncio

from suffice.decision.latency import Latencies
from suffice.errors import BudgetError, LedgerError
from suffice.gateway.attempts import Attempts
from suffice.gateway.live import Live, Route
from suffice.gateway.recovery import Recovery
from suffice.gateway.turn import Turn
from suffice.upstream.retry import RetryBudget
from suffice.values.env import Env

# Streams that begin later than this share of an arm's streams are late ("The Tail at Scale", Dean and Barroso, CACM 2013).
LATE = 0.95
# At most this share of streams is asked for twice, and never a prompt that costs more than the wait.
SHARE, FLOOR = 0.05, 2.0
MOST_PROMPT_TOKENS = 50_000
_ALL = "streams"

_Begun = tuple[Live, bytes]


class Hedging:
    """Begins streams. Shared by all requests; learns from them how long the streams of each arm take to begin."""

    def __init__(self, env: Env, attempts: Attempts, recovery: Recovery) -> None:
        self._attempts = attempts
        self._recovery = recovery
        self._begins = Latencies()
        self._budget = RetryBudget(env, share=SHARE, floor=FLOOR)

    async def begin(self, turn: Turn, route: Route) -> _Begun:
        """Return an attempt whose stream has begun, and its bytes so far. Raises as `Attempts.open` and `Attempts.begin` do."""
        after_s = self._after_s(turn, route)
        if after_s is None:
            return await self._one(turn, route)
        self._budget.request(_ALL)
        first = asyncio.create_task(self._one(turn, route))
        racing = {first}
        won: _Begun | None = None
        try:
            done, _ = await asyncio.wait(racing, timeout=after_s)
            if not done:
                racing |= self._second(turn, route)
            won = await _fastest(first, racing)
            return won
        finally:
            turn.outrun = won is not None
            await self._end(racing, won)
            turn.outrun = False

    def observe(self, turn: Turn) -> None:
        """Learn how long the streams of `turn` took to begin."""
        for attempt in turn.tried:
            self._begins.seen(attempt.arm.fresh, attempt.begun_s)

    def _after_s(self, turn: Turn, route: Route) -> float | None:
        if turn.hedge_s < 0.0 or turn.tried or turn.features.prompt_tokens > MOST_PROMPT_TOKENS:
            return None
        return turn.hedge_s or self._begins.quantile(route.arm.fresh, LATE)

    def _second(self, turn: Turn, route: Route) -> set[asyncio.Task[_Begun]]:
        if not self._budget.allows(_ALL, healthy=False):
            return set()
        other = self._recovery.beside(turn, route)
        if other is None:
            return set()
        self._budget.spend(_ALL, healthy=False)
        turn.hedged = f"{other.arm.model}@{other.arm.endpoint}"
        return {asyncio.create_task(self._one(turn, other))}

    async def _one(self, turn: Turn, route: Route) -> _Begun:
        live = await self._attempts.open(turn, route)
        return live, await self._attempts.begin(live)

    async def _end(self, racing: set[asyncio.Task[_Begun]], won: _Begun | None) -> None:
        """End every attempt but `won`; each is booked when this returns. When nobody waits for it any more, `won` is ended too."""
        for task in racing:
            task.cancel()
        try:
            await asyncio.gather(*racing, return_exceptions=True)
        except asyncio.CancelledError:
            won = None
            raise
        finally:
            # One that has not ended yet books its attempt by itself.
            for task in racing:
                if _spoke(task) and task.result() is not won:
                    self._attempts.cancelled(task.result()[0])


def _spoke(task: asyncio.Task[_Begun]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _fastest(first: asyncio.Task[_Begun], racing: set[asyncio.Task[_Begun]]) -> _Begun:
    """Return what the first attempt to begin well came to. Raises what the last one raised when none does.

    A second attempt that cannot be paid for is none.
    """
    left, failure = set(racing), None
    while left:
        done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
        for task in sorted(done, key=lambda one: one is not first):
            error = task.exception()
            if error is None:
                return task.result()
            if task is first or failure is None or not isinstance(error, BudgetError | LedgerError):
                failure = error
    assert failure is not None
    raise failure
