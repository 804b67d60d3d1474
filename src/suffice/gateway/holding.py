"""`gate-tools`: text streams at once, tool calls wait until they are whole and judged (docs/cascade.md).

Between the head and the action commit point a rejected tool call is asked for again: of the plan's next arm, else once more
of the same model, each told what was wrong. Of the new answer only what it does is released, never prose behind another
answer's prose. When no attempt gives a better one, what was held goes out as it is, unless a call in it is no whole JSON: that
the client never sees, it is told of an error. After that nothing is replaced. A stream that breaks off inside a call is made up for
in the same way, as after any fault: elsewhere, of the next model, or once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add

import msgspec

from suffice.decision.cascade import Move
from suffice.errors import BudgetError, LedgerError, UpstreamError, WireError
from suffice.gateway.attempts import AttemptFailed, Attempts
from suffice.gateway.draining import KEEP_ALIVE_S, drain, kept_alive
from suffice.gateway.judging import Judging
from suffice.gateway.live import Live, Route
from suffice.gateway.onward import follow
from suffice.gateway.recovery import Recovery
from suffice.gateway.reply import Header
from suffice.gateway.responses import ResponsesExchange
from suffice.gateway.routes import RouteTable
from suffice.gateway.turn import Turn
from suffice.values.plan import Action, Mode
from suffice.values.verdict import Outcome, Verdict
from suffice.wire.chat_hold import ChatHold
from suffice.wire.chat_relay import Answer
from suffice.wire.edit_hold import EditHold, edits_of
from suffice.wire.gemini_edit_hold import GeminiEditHold
from suffice.wire.gemini_hold import GeminiHold
from suffice.wire.hold import Hold
from suffice.wire.messages_edit_hold import MessagesEditHold
from suffice.wire.messages_hold import MessagesHold
from suffice.wire.responses_edit_hold import ResponsesEditHold
from suffice.wire.responses_hold import ResponsesHold
from suffice.wire.translate import INVALID_TOOL_CALL

HOLDS: Mapping[str, type[Hold]] = {
    "chat": ChatHold,
    "messages": MessagesHold,
    "responses": ResponsesHold,
    "gemini": GeminiHold,
}
# For clients that read edits out of the text, where they have no tools.
EDIT_HOLDS: Mapping[str, type[Hold]] = {
    "chat": EditHold,
    "messages": MessagesEditHold,
    "responses": ResponsesEditHold,
    "gemini": GeminiEditHold,
}


class Holding:
    """Streams whose tool calls are held. Shared by all requests; holds no state of one."""

    def __init__(self, attempts: Attempts, routes: RouteTable, recovery: Recovery, judging: Judging) -> None:
        self._attempts = attempts
        self._routes = routes
        self._recovery = recovery
        self._judging = judging
        self.keep_alive_s = KEEP_ALIVE_S

    async def stream(self, live: Live, begun: bytes, headers: list[Header]) -> None:
        """Send the head, the text of `live` as it comes, and at the end tool calls that passed their checks if any do.

        A stream that breaks ends with an error frame; a held part of it is not released.
        """
        hold = self._hold(live.turn)
        async with kept_alive(live.turn.reply, headers, self.keep_alive_s, live.reader.keep_alive()):
            try:
                await self._held(live, begun, hold, headers)
            except AttemptFailed as failed:
                await self._broken(live, hold, failed)
            except BaseException:
                self._attempts.cancelled(live)
                raise
            finally:
                live.close()

    async def _held(self, live: Live, begun: bytes, hold: Hold, headers: list[Header]) -> None:
        turn = live.turn
        last = await self._flow(live, begun, hold, headers)
        answer = live.reader.answer()
        verdicts, rejected = await self._judge(turn, answer, hold, acting=hold.holding)
        broken = live.reader.failure is not None or _no_json(verdicts)
        rejected = rejected or broken
        live.settle(answer, live.reader.usage(), outcome="rejected" if rejected else "ok", verdicts=verdicts)
        better = await self._better(turn, hold) if rejected else b""
        if broken and not better:
            await turn.reply.write(last)
            await turn.reply.error(misspoken())
        else:
            await turn.reply.end(last + (better or hold.held))
        await live.finish()

    async def _broken(self, live: Live, hold: Hold, failed: AttemptFailed) -> None:
        """End a stream that broke: with the action of another attempt where only an action was under way, else honestly."""
        turn, told = live.turn, failed
        better = b""
        if hold.holding or not hold.spoke:
            try:
                better = await self._made_up_for(turn, live.route, hold, failed)
            except AttemptFailed as last:
                told = last
        if better:
            await turn.reply.end(better)
        else:
            await turn.reply.error(told.fault.error(dialect=turn.call.dialect))

    async def _made_up_for(self, turn: Turn, route: Route, hold: Hold, failed: AttemptFailed) -> bytes:
        """Return the end of the stream from an attempt after the `failed` one, empty when there is none. Raises AttemptFailed."""
        while True:
            step = await self._recovery.after(turn, route, failed.fault, held=True)
            if step.route is None:
                raise failed
            route = step.route
            await turn.reply.write(hold.mark(f"suffice: the answer broke off; asking {route.arm.name}"))
            try:
                events = await self._ask(turn, route, hold)
            except AttemptFailed as again:
                failed = again
                continue
            except (BudgetError, LedgerError):
                raise failed from None
            return self._replaced(turn, hold, events) if events else await self._better(turn, hold)

    def _hold(self, turn: Turn) -> Hold:
        """Return what holds this turn's actions: its tool calls, or the edits in its text where there are no tools."""
        kind = HOLDS[turn.operation] if turn.view.tool_names else EDIT_HOLDS[turn.operation]
        return kind(turn.call.request_id)

    async def _flow(self, live: Live, begun: bytes, hold: Hold, headers: list[Header]) -> bytes:
        """Relay what need not wait; return what of the last events need not wait either."""
        reply = live.turn.reply

        def pass_on(events: bytes) -> bool:
            free = hold.feed(events)
            return not free or reply.push(free)

        reply.ending = hold.fail
        await reply.head(200, headers)
        # What is held can still be given by another attempt: a fault inside it has been seen by nobody.
        return hold.feed(
            await drain(self._attempts, live, begun, pass_on, seen=lambda: hold.spoke and not hold.holding)
        )

    async def _judge(self, turn: Turn, answer: Answer, hold: Hold, *, acting: bool) -> tuple[tuple[Verdict, ...], bool]:
        """Return the verdicts, and whether the action is rejected: text that has been seen is no reason to ask again.

        An action that the gates let pass is put to the request's named check.
        """
        judge = self._judging.static(turn)
        if not (acting or answer.tool_calls):
            return judge(answer), False
        # Where the text itself is the action, it is what is judged.
        said = judge(answer if hold.in_text else msgspec.structs.replace(answer, text=""))
        if any(v.rejected for v in said):
            return said, True
        checked = await self._judging.checked(turn, answer, self._attempts.left_s(turn))
        # Prose adds nothing to the verdicts; code in it is judged for the record.
        whole = judge(answer) if "```" in answer.text or "~~~" in answer.text else said
        return (*whole, *checked), any(v.rejected for v in checked)

    async def _judge_unseen(self, turn: Turn, answer: Answer, hold: Hold) -> tuple[tuple[Verdict, ...], bool]:
        """As `_judge`, of an answer of which all is released when the client has seen no text, else what it does."""
        verdicts, rejected = await self._judge(turn, answer, hold, acting=hold.in_text)
        return verdicts, rejected or (not hold.spoke and any(v.rejected for v in verdicts))

    async def _better(self, turn: Turn, hold: Hold) -> bytes:
        """Return the end of the stream from an attempt whose tool calls pass, empty when there is none."""
        while (route := self._onward(turn)) is not None:
            gates = ", ".join(dict.fromkeys(v.gate for v in turn.tried[-1].verdicts if v.rejected)) or "tool-call"
            what = "an edit" if hold.in_text else "a tool call"
            await turn.reply.write(hold.mark(f"suffice: {what} was held back ({gates}); asking {route.arm.name}"))
            try:
                events = await self._ask(turn, route, hold)
            except (AttemptFailed, BudgetError, LedgerError):
                return b""
            if events:
                return self._replaced(turn, hold, events)
            if turn.tried[-1].outcome == "ok":
                return b""
        return b""

    def _replaced(self, turn: Turn, hold: Hold, events: bytes) -> bytes:
        """Return the end of the stream made of another answer's `events`, and store what the client has seen as one answer."""
        try:
            end = hold.replaced(events, reduce(add, (a.usage for a in turn.tried)))
        except (WireError, msgspec.DecodeError):
            return b""  # what passed the checks but cannot be taken apart is not put behind another answer
        if isinstance(hold, ResponsesHold) and isinstance(turn.exchange, ResponsesExchange) and hold.response:
            turn.exchange.joined(hold.response, hold.own)
        return end

    async def _ask(self, turn: Turn, route: Route, hold: Hold) -> bytes:
        """Make one more attempt, unseen; return its events, empty when they may not follow what was released."""
        pieces: list[bytes] = []

        def unseen(events: bytes) -> bool:
            pieces.append(events)
            return True

        live = await self._attempts.open(turn, route)
        try:
            pieces.append(await drain(self._attempts, live, await self._attempts.begin(live), unseen))
            answer = live.reader.answer()
            verdicts, rejected = await self._judge_unseen(turn, answer, hold)
            rejected = rejected or live.reader.failure is not None
            acts = bool(edits_of(answer.text)) if hold.in_text else bool(answer.tool_calls)
            fits = acts or not hold.spoke
            live.settle(
                answer,
                live.reader.usage(),
                outcome="rejected" if rejected else "ok",
                verdicts=verdicts,
                message="" if fits else "not given: its prose cannot follow another answer's",
            )
            return b"".join(pieces) if fits and not rejected else b""
        except BaseException:
            self._attempts.cancelled(live)
            raise
        finally:
            live.close()

    def _onward(self, turn: Turn) -> Route | None:
        """Return the route of the next attempt: as the plan says, else the last model once more with its evidence."""
        answered = turn.answered
        move = follow(turn, Outcome.REJECT)
        if move.action in (Action.RETRY, Action.ESCALATE):
            return self._routes.next(turn, move)
        if any(arm.mode is Mode.RETRY for arm in answered) or len(answered) >= max(turn.cap, 2):
            return None
        again = msgspec.structs.replace(answered[-1], mode=Mode.RETRY)
        return self._routes.next(turn, Move(action=Action.RETRY, arm=again))


def _no_json(verdicts: tuple[Verdict, ...]) -> bool:
    return any(v.rejected and v.kind == "invalid-json" for v in verdicts)


def misspoken() -> UpstreamError:
    """Return the error of an answer with a call that is no whole JSON, when no attempt gave a better one."""
    return UpstreamError(
        "the model called a tool with arguments that are no whole JSON object, and asking again did not help",
        code=INVALID_TOOL_CALL,
        hint="ask again, or name a stronger model",
    )
