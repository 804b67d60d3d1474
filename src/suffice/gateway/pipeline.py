"""The life of one request, top to bottom.

    accept        app.py       size cap, request id, deadline, dialect by raw path
    authenticate  app.py       virtual key -> Principal
    read          here         bytes -> top level split, only what routing needs decoded
    features      decision     task, language, session
    constrain     decision     what may not be used, each with its reason
    decide        decision     the plan: first arm, what to do on each verdict
    reserve       attempts.py  budgets, before anything is sent
    send          attempts.py  the provider's dialect; byte-faithful when the dialects match; hedging.py a second time when it is late
    relay         relay.py     stream at once; holding.py holds tool calls, draining.py everything
    verify        judging.py   verdicts -> accept, retry, escalate, or stop and say so
    review        drafting.py  another model approves or repairs a draft, where drafts are allowed and pay
    settle        attempts.py  actual usage -> cost, exactly once
    record        here         the decision with its reasons, for `suffice explain` and for learning

It holds no policy: what to choose is `decision`'s, what a fault means is `upstream`'s, what an answer is worth is `verify`'s.
"""

from __future__ import annotations

from collections.abc import Callable

from suffice.decision.cascade import combine
from suffice.errors import BudgetError, LedgerError, SufficeError
from suffice.gateway.attempts import AttemptFailed, Attempts
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.conversation import Whole
from suffice.gateway.drafting import Drafting
from suffice.gateway.draining import kept_alive, whole_stream
from suffice.gateway.headers import billed, chosen, estimated, lost, passed, spent
from suffice.gateway.hedging import Hedging
from suffice.gateway.holding import Holding, misspoken
from suffice.gateway.judging import Judging
from suffice.gateway.live import Live
from suffice.gateway.modes import BUFFER, GATE_TOOLS
from suffice.gateway.onward import follow
from suffice.gateway.recording import Recording
from suffice.gateway.recovery import Recovery
from suffice.gateway.relay import relay
from suffice.gateway.reply import JSON, Header, Reply
from suffice.gateway.routes import RouteTable
from suffice.gateway.turn import Turn
from suffice.upstream.deadlines import Deadlines
from suffice.values.plan import Action
from suffice.values.verdict import Verdict
from suffice.wire import sse
from suffice.wire.messages_client import PING

Reader = Callable[[Call, Principal, Reply, str], Turn]
_NO_CACHE = (b"cache-control", b"no-cache")


class Pipeline:
    """Serves the routes that lead to a model. One instance, no state of a request."""

    def __init__(
        self,
        *,
        read: Reader,
        attempts: Attempts,
        routes: RouteTable,
        recovery: Recovery,
        hedging: Hedging,
        judging: Judging,
        recording: Recording,
        drafting: Drafting,
    ) -> None:
        self._read = read
        self._attempts = attempts
        self._routes = routes
        self._recovery = recovery
        self._hedging = hedging
        self._judging = judging
        self._recording = recording
        self._drafting = drafting
        self.holding = Holding(attempts, routes, recovery, judging)

    def tune(self, deadlines: Deadlines, max_attempts: int, verify: bool) -> None:
        """Use other limits from the next attempt on (a reloaded configuration)."""
        self._attempts.deadlines = deadlines
        self._recovery.max_attempts = max_attempts
        self._judging.enabled = verify

    async def serve(self, call: Call, principal: Principal, reply: Reply, operation: str) -> None:
        """Answer one request through `reply`. Raises SufficeError while nothing of the answer has been sent."""
        turn = self._read(call, principal, reply, operation)
        try:
            if turn.mode == BUFFER:
                sign = PING if turn.operation == "messages" else sse.COMMENT
                async with kept_alive(turn.reply, _event_stream(turn), self.holding.keep_alive_s, sign):
                    await self._fulfil(turn)
            else:
                await self._fulfil(turn)
        except SufficeError:
            turn.reply.headers.extend(spent(turn))
            raise
        finally:
            turn.reply.worked = turn.worked
            # Also for a request that failed or was cancelled: why it went where it went is what explains that.
            self._recording.record(turn)

    async def _fulfil(self, turn: Turn) -> None:
        route = self._drafting.first(turn) or self._routes.first(turn)
        self._recovery.begins(route)
        answers: list[tuple[Live, Whole]] = []
        while True:
            try:
                if turn.view.stream and turn.mode != BUFFER:
                    return await self._stream(turn, *await self._hedging.begin(turn, route))
                live = await self._attempts.open(turn, route)
                whole = await (whole_stream(self._attempts, live) if turn.view.stream else self._attempts.whole(live))
            except AttemptFailed as failed:
                undrafted = self._drafting.dropped(turn, route, failed.fault)
                if undrafted is not None:
                    route = undrafted
                    continue
                step = await self._recovery.after(turn, route, failed.fault)
                if step.route is None and not answers:
                    raise step.error from failed
                if step.route is None:
                    break
                route = step.route
                continue
            except (BudgetError, LedgerError):
                if not answers:
                    raise
                break  # no money may be spent on a better answer: the one in hand is given, and marked
            verdicts = await self._judged(turn, live, whole)
            after = await self._drafting.reviewed(turn, live, whole, verdicts)
            if isinstance(after, Whole):
                answers.append((live, after))
                turn.given = len(answers) - 1
                break
            answers.append((live, whole))
            if after is not None:
                route = after
                continue
            move = follow(turn, combine(verdicts))
            onward = self._routes.next(turn, move) if move.action in (Action.RETRY, Action.ESCALATE) else None
            if onward is None:
                break
            route = onward
        live, whole = answers[turn.given]
        if whole.failure is not None:
            raise misspoken()  # no attempt gave a call that is whole, and a broken one is never given
        conversation = live.route.conversation
        first: list[Header] = [JSON] if conversation.translated else passed(live.upstream_headers)
        if turn.view.stream:
            first = _event_stream(turn)
        headers = [*first, *lost(conversation.losses), *chosen(turn, live.route.arm, settled=True), *billed(turn)]
        if turn.reply.started:
            await turn.reply.end(whole.body)  # keep-alives of a buffered stream went out before: so did the head
        else:
            await turn.reply.whole(200, whole.body, headers)

    async def _judged(self, turn: Turn, live: Live, whole: Whole) -> tuple[Verdict, ...]:
        """Return the verdicts on an answer that nobody has seen yet, and book its attempt, also when the client leaves meanwhile."""
        outcome, verdicts = "cancelled", tuple[Verdict, ...]()
        try:
            verdicts = await self._judging.judge(turn, whole.answer, self._attempts.left_s(turn))
            outcome = "rejected" if any(v.rejected for v in verdicts) else "ok"
        finally:
            live.settle(whole.answer, whole.usage, outcome=outcome, verdicts=verdicts)
            live.close()
        return verdicts

    async def _stream(self, turn: Turn, live: Live, held: bytes) -> None:
        expected = self._routes.expected(turn, live.route)
        headers = [
            *_event_stream(turn),
            *lost(live.route.conversation.losses),
            *chosen(turn, live.route.arm, settled=False),
            *estimated(turn, expected.cost_nano, expected.reference_nano),
        ]
        if turn.mode == GATE_TOOLS:
            await self.holding.stream(live, held, headers)
        else:
            await relay(live, held, headers, self._attempts, self._judging.static(turn), self.holding.keep_alive_s)


def _event_stream(turn: Turn) -> list[Header]:
    kind = turn.exchange.media_type if turn.exchange is not None else b"text/event-stream"
    return [(b"content-type", kind), _NO_CACHE]
