"""`gate-tools`: text streams at once, tool calls wait until they are whole and judged (docs/cascade.md).

Between the head and the action commit point a rejected tool call is asked for again: of the plan's next arm, else once more
of the same model, each told what was wrong. Only the tool calls of the new answer are released, never prose behind another
answer's prose. When no attempt gives a better one, what was held goes out as it is: after that nothing is replaced.
"""

from __future__ import annotations

from functools import reduce
from operator import add

import msgspec

from suffice.decision.cascade import Move, next_action
from suffice.errors import BudgetError, LedgerError
from suffice.gateway.attempts import AttemptFailed, Attempts
from suffice.gateway.draining import KEEP_ALIVE_S, drain, kept_alive
from suffice.gateway.judging import Judging
from suffice.gateway.live import Live, Route
from suffice.gateway.reply import Header
from suffice.gateway.routes import RouteTable
from suffice.gateway.turn import Turn
from suffice.values.plan import Action, Mode
from suffice.values.verdict import Outcome, Verdict
from suffice.wire.chat_hold import ChatHold, comment, continuation
from suffice.wire.chat_relay import Answer


class Holding:
    """Streams whose tool calls are held. Shared by all requests; holds no state of one."""

    def __init__(self, attempts: Attempts, routes: RouteTable, judging: Judging) -> None:
        self._attempts = attempts
        self._routes = routes
        self._judging = judging
        self.keep_alive_s = KEEP_ALIVE_S

    async def stream(self, live: Live, begun: bytes, headers: list[Header]) -> None:
        """Send the head, the text of `live` as it comes, and at the end tool calls that passed their checks if any do.

        A stream that breaks ends with an error frame; a held part of it is not released.
        """
        turn = live.turn
        hold = ChatHold()
        async with kept_alive(turn.reply, headers, self.keep_alive_s):
            try:
                last = await self._flow(live, begun, hold, headers)
                answer = live.reader.answer()
                verdicts, rejected = self._judge(turn, answer, acting=hold.holding)
                outcome = "rejected" if rejected else "ok"
                live.settle(answer, live.reader.usage(), outcome=outcome, verdicts=verdicts)
                better = await self._better(turn, answer, hold) if rejected else b""
                await turn.reply.end(last + (better or hold.held))
                await live.finish()
            except AttemptFailed as failed:
                await turn.reply.error(failed.fault.error(dialect=turn.call.dialect))
            except BaseException:
                self._attempts.cancelled(live)
                raise
            finally:
                live.close()

    async def _flow(self, live: Live, begun: bytes, hold: ChatHold, headers: list[Header]) -> bytes:
        """Relay what need not wait; return what of the last events need not wait either."""
        reply = live.turn.reply

        async def pass_on(events: bytes) -> None:
            free = hold.feed(events)
            if free:
                await reply.write(free)

        reply.ending = live.reader.fail
        await reply.head(200, headers)
        return hold.feed(await drain(self._attempts, live, begun, pass_on, visible=True))

    def _judge(self, turn: Turn, answer: Answer, *, acting: bool) -> tuple[tuple[Verdict, ...], bool]:
        """Return the verdicts, and whether the action is rejected: text that has been seen is no reason to ask again."""
        judge = self._judging.static(turn)
        if acting:
            said = judge(msgspec.structs.replace(answer, text=""))
            if any(v.rejected for v in said):
                return said, True
        return judge(answer), False

    def _judge_unseen(self, turn: Turn, answer: Answer, hold: ChatHold) -> tuple[tuple[Verdict, ...], bool]:
        """As `_judge`, of an answer of which all is released when the client has seen no text, else its tool calls."""
        verdicts, rejected = self._judge(turn, answer, acting=bool(answer.tool_calls))
        return verdicts, rejected or (not hold.spoke and any(v.rejected for v in verdicts))

    async def _better(self, turn: Turn, first: Answer, hold: ChatHold) -> bytes:
        """Return the end of the stream from an attempt whose tool calls pass, empty when there is none."""
        while (route := self._onward(turn)) is not None:
            gates = ", ".join(dict.fromkeys(v.gate for v in turn.tried[-1].verdicts if v.rejected))
            await turn.reply.write(comment(f"suffice: a tool call was held back ({gates}); asking {route.arm.name}"))
            try:
                answer, good = await self._ask(turn, route, hold)
            except (AttemptFailed, BudgetError, LedgerError):
                return b""
            if good:
                usage = reduce(add, (a.usage for a in turn.tried)) if hold.tells_usage else None
                return continuation(first, answer, spoke=hold.spoke, usage=usage)
            if turn.tried[-1].outcome == "ok":
                return b""
        return b""

    async def _ask(self, turn: Turn, route: Route, hold: ChatHold) -> tuple[Answer, bool]:
        """Make one more attempt, unseen; return its answer and whether it may follow what was released."""

        async def unseen(events: bytes) -> None:
            return None

        live = await self._attempts.open(turn, route)
        try:
            await drain(self._attempts, live, await self._attempts.begin(live), unseen)
            answer = live.reader.answer()
            verdicts, rejected = self._judge_unseen(turn, answer, hold)
            fits = bool(answer.tool_calls) or not hold.spoke
            live.settle(
                answer,
                live.reader.usage(),
                outcome="rejected" if rejected else "ok",
                verdicts=verdicts,
                message="" if fits else "not given: its prose cannot follow another answer's",
            )
            return answer, fits and not rejected
        except BaseException:
            self._attempts.cancelled(live)
            raise
        finally:
            live.close()

    def _onward(self, turn: Turn) -> Route | None:
        """Return the route of the next attempt: as the plan says, else the last model once more with its evidence."""
        answered = turn.answered
        move = next_action(turn.plan, answered, Outcome.REJECT, cap=turn.cap)
        if move.action in (Action.RETRY, Action.ESCALATE):
            return self._routes.next(turn, move)
        if any(arm.mode is Mode.RETRY for arm in answered) or len(answered) >= max(turn.cap, 2):
            return None
        again = msgspec.structs.replace(answered[-1], mode=Mode.RETRY)
        return self._routes.next(turn, Move(action=Action.RETRY, arm=again))
