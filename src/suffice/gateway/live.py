"""An attempt in flight: its reservation, its response, and the one booking that ends it.

`Live` ends by `settle`, `fail` or `cancel`; each is a no-op after the first, so that every path out of an attempt may end it
without asking whether another one has. It neither sends nor decides: `attempts.py` and `pipeline.py` do.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from suffice.catalog.models import Model
from suffice.gateway.checkpoint import EVERY_S, Checkpoint
from suffice.gateway.conversation import Conversation, StreamReader, Target
from suffice.gateway.settlement import Timed, apart, bill, estimate_usage, result
from suffice.gateway.turn import Attempted, Turn
from suffice.ledger.book import Ledger, Reservation
from suffice.ledger.records import ChargeClass
from suffice.upstream.deadlines import Timings
from suffice.upstream.endpoints import Endpoint
from suffice.upstream.faults import Fault
from suffice.upstream.response import Response
from suffice.upstream.transport_fault import TransportFault
from suffice.values.env import Env
from suffice.values.money import Price, Unknown
from suffice.values.plan import Arm
from suffice.values.usage import Usage
from suffice.values.verdict import Verdict
from suffice.wire.chat_relay import Answer

# How long the end of the upstream's message may take after its last event before we give the connection up.
TRAILING_S = 0.5
OUTRUN = "ended because another endpoint spoke first"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """An arm made concrete: where it goes, under which name, at which price; `fresh`: on a new connection.

    `prompt_tokens` is the estimate of the prompt as this model counts; `states_bill`: the provider says itself what it charges.
    """

    arm: Arm
    endpoint: Endpoint
    model: Model
    target: Target
    conversation: Conversation
    price: Price
    reference: Price | None
    bound_nano: int
    dialect: str = "chat"
    fresh: bool = False
    prompt_tokens: int = 0
    states_bill: bool = False


class Live:
    """An attempt that has been sent. Ends by `settle`, `fail` or `cancel`, each a no-op after the first."""

    def __init__(
        self, env: Env, ledger: Ledger, turn: Turn, route: Route, reservation: Reservation, number: int
    ) -> None:
        self._env = env
        self._ledger = ledger
        self.turn = turn
        self.route = route
        self.number = number
        self.reservation = reservation
        self.response: Response | None = None
        self.reader: StreamReader = route.conversation.reader(turn.top, turn.view, route.target)
        self.bytes_in = 0
        self.ended = False
        self._begun_s = 0.0
        self._checkpoint = Checkpoint()

    @property
    def in_own_words(self) -> bool:
        """True when the provider's errors go to the client as they came: clients of Messages react to type and wording."""
        return self.turn.operation == "messages" and self.route.dialect.endswith("messages")

    @property
    def status(self) -> int:
        """The upstream's HTTP status, 0 before its head."""
        return self.response.status if self.response else 0

    def header(self, name: bytes) -> str:
        """Return an upstream response header (lower-case name) or an empty string."""
        for key, value in self.response.headers if self.response else ():
            if key == name:
                return value.decode("latin-1")
        return ""

    async def chunk(self, timeout_s: float) -> bytes:
        """Return the next bytes of the body; empty at a clean end. Raises TransportFault."""
        response = self.response
        assert response is not None
        data = await response.chunk(timeout_s)
        self.received(data)
        return data

    def received(self, data: bytes) -> None:
        """Count bytes of the body that have come, and note now and then what they cost."""
        assert self.response is not None
        self.bytes_in += len(data)
        times = self.response.timings
        if times.last_byte - times.start >= self._checkpoint.due_s:
            self._note(times)

    def _note(self, times: Timings) -> None:
        """Tell the ledger what this stream is charged if the process dies before the next look at it."""
        point, turn = self._checkpoint, self.turn
        point.due_s = times.last_byte - times.start + EVERY_S
        if self.ended or isinstance(self.route.price, Unknown) or turn.top.value("n") is not None:
            return  # of several answers in one only the first is kept: the whole reservation stays the bound
        answer = self.reader.answer() if point.wants_answer(self.bytes_in) else None
        flowing_s = times.last_byte - times.first_byte
        charge = point.bound(
            self.route.price,
            self.route.prompt_tokens,
            self.bytes_in,
            flowing_s,
            answer=answer,
            reported=self.reader.usage(),
        )
        if charge < self.reservation.amount:
            self._ledger.checkpoint(self.reservation, charge)

    async def pour(self, take: Callable[[bytes], float], timeout_s: float) -> bool:
        """Give the body's pieces to `take` as they arrive; False at a clean end. See `Response.pour`. Raises TransportFault."""
        assert self.response is not None
        return await self.response.pour(take, timeout_s)

    @property
    def timings(self) -> Timings | None:
        """The timestamps of the attempt, None before its head."""
        return self.response.timings if self.response else None

    @property
    def upstream_headers(self) -> list[tuple[bytes, bytes]]:
        """The upstream's response headers, lower-case names."""
        return self.response.headers if self.response else []

    def began(self, now_s: float) -> None:
        """Note that the stream has shown its first event."""
        times = self.timings
        self._begun_s = max(0.0, now_s - times.start) if times is not None else 0.0

    def close(self) -> None:
        """Give the connection back when its message was complete, else close it. A repeat changes nothing."""
        if self.response is not None:
            self.response.close()

    async def finish(self) -> None:
        """Read the end of the upstream's message so that the connection can be used again, then close."""
        try:
            while self.response is not None and await self.response.chunk(TRAILING_S):
                pass
        except TransportFault:
            pass  # the answer was complete; only the connection is lost
        finally:
            self.close()

    def settle(
        self,
        answer: Answer,
        usage: Usage | None,
        *,
        outcome: str,
        verdicts: tuple[Verdict, ...] = (),
        message: str = "",
    ) -> Attempted:
        """Book the attempt with the provider's usage, or with an estimate when it reported none."""
        charge = ChargeClass.EXACT
        if usage is None:
            usage = estimate_usage(self.route.prompt_tokens, answer, self.bytes_in)
            charge = ChargeClass.ESTIMATED
        return self._end(usage, charge, outcome=outcome, verdicts=verdicts, answer=answer, message=message)

    def fail(self, fault: Fault) -> Attempted:
        """Book an attempt that ended in `fault`, by its charge class."""
        charge = ChargeClass(fault.charge)
        usage = Usage()
        answer = Answer()
        if charge is ChargeClass.EXACT or charge is ChargeClass.ESTIMATED:
            answer = self.reader.answer()
            reported = self.reader.usage()
            charge = ChargeClass.EXACT if reported is not None else ChargeClass.ESTIMATED
            usage = reported or estimate_usage(self.route.prompt_tokens, answer, self.bytes_in)
        self.close()
        return self._end(usage, charge, outcome="failed", fault=fault, answer=answer)

    def cancel(self) -> Attempted:
        """Book an attempt that nobody waits for any more: what was seen of a stream, the whole reservation of anything else."""
        self.close()
        message = OUTRUN if self.turn.outrun else ""
        if self.ended:
            return self.turn.tried[-1]
        if not self.turn.view.stream or self.status not in (0, 200):
            # An answer that comes whole is made whole before its head; an error is billed by nobody.
            charge = ChargeClass.UNKNOWN if self.status in (0, 200) else ChargeClass.NONE
            return self._end(Usage(), charge, outcome="cancelled", message=message)
        try:
            answer, usage = self.reader.answer(), self.reader.usage()
        except Exception:
            # What broke may be the reader itself. The bound is charged, or the reservation would stay open for ever.
            return self._end(Usage(), ChargeClass.UNKNOWN, outcome="cancelled", message=message)
        charge = ChargeClass.EXACT if usage is not None else ChargeClass.ESTIMATED
        usage = usage or estimate_usage(self.route.prompt_tokens, answer, self.bytes_in)
        return self._end(usage, charge, outcome="cancelled", answer=answer, message=message)

    def _end(
        self,
        usage: Usage,
        charge: ChargeClass,
        *,
        outcome: str,
        verdicts: tuple[Verdict, ...] = (),
        fault: Fault | None = None,
        answer: Answer | None = None,
        message: str = "",
    ) -> Attempted:
        if self.ended:
            return self.turn.tried[-1]
        self.ended = True
        billed = bill(self.route.price, self.route.reference, usage, stated=self.route.states_bill)
        if (usage.suspect or billed.doubtful) and charge is ChargeClass.EXACT:
            charge = ChargeClass.ESTIMATED
        fixed = {ChargeClass.UNKNOWN: self.reservation.amount, ChargeClass.NONE: 0}
        charged = fixed.get(charge, billed.cost_nano)
        booked = result(
            billed,
            usage,
            self._timed(),
            outcome=outcome,
            charge_class=charge,
            status=self.status,
            verdicts=verdicts,
            fault_row=fault.row if fault else 0,
            fault_code=fault.code if fault else "",
            upstream_model=answer.model if answer else "",
            upstream_request_id=self.header(b"x-request-id")[:128],
            bytes_in=self.bytes_in,
            bytes_out=len(self.turn.call.body),
            message=message or (fault.message if fault else ""),
            charge_nano=charged,
        )
        end = self._ledger.release if charge is ChargeClass.NONE else self._ledger.settle
        end(self.reservation, booked)
        done = Attempted(
            number=self.number,
            arm=self.route.arm,
            outcome=outcome,
            cost_nano=charged,
            priced=charge is ChargeClass.NONE or billed.price_kind != "unknown",
            usage=usage,
            reference_nano=billed.reference_nano,
            verdicts=verdicts,
            fault=fault,
            total_s=max(0, booked.total_ms) / 1000,
            begun_s=self._begun_s,
            apart=apart(billed),
            estimated=charge is not ChargeClass.EXACT or billed.price_kind != "known",
            empty=bool(answer and answer.empty)
            and outcome in ("ok", "rejected")
            and self.turn.operation not in ("embeddings", "fim"),
        )
        self.turn.tried.append(done)
        return done

    def _timed(self) -> Timed:
        times: Timings | None = self.response.timings if self.response else None
        if times is None:
            return Timed()
        last = times.last_byte or self._env.monotonic()
        return Timed(
            connect_ms=_ms(times.start, times.connected),
            first_token_ms=_ms(times.start, times.first_byte),
            total_ms=_ms(times.start, last),
        )


def _ms(start: float, end: float) -> int:
    return round((end - start) * 1000) if end else -1
