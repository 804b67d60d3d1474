"""One attempt: reserve, send, hold the head, and settle exactly once whatever happens.

`Attempts.open` returns a `Live` attempt whose answer has begun well, or raises `AttemptFailed` with the fault of the matrix
after the reservation was settled or released. Nothing here decides what happens next: `pipeline.py` does.
Invariant: every reservation made here is ended here, also when the task is cancelled at any await.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from suffice.errors import WireError
from suffice.gateway import hops
from suffice.gateway.conversation import StreamReader, Whole
from suffice.gateway.live import Live, Route
from suffice.gateway.modes import BUFFER, GATE_TOOLS
from suffice.gateway.turn import Turn
from suffice.ledger.book import Ledger, Reservation
from suffice.ledger.records import AttemptIntent
from suffice.upstream.deadlines import Deadlines
from suffice.upstream.fault_matrix import Charge
from suffice.upstream.faults import (
    Fault,
    Seen,
    check_body,
    check_head,
    classify,
    classify_event,
    classify_seen,
    classify_transport,
    with_words,
)
from suffice.upstream.health import Health
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.env import Env
from suffice.values.money import Estimated, Known, NanoUsd
from suffice.wire.translate import INVALID_TOOL_CALL

ERROR_BODY_BYTES = 65_536
ANSWER_BYTES = 64 * 1024 * 1024
# How long a stream of which nothing is visible yet (whole tool calls are held back) may still be given to another provider.
HOLD_S = 10.0


class AttemptFailed(Exception):
    """An attempt ended in a fault before its answer became visible; it is settled."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


class Attempts:
    """Makes attempts. Shared by all requests; holds no state of a request."""

    def __init__(
        self,
        *,
        env: Env,
        transport: Transport,
        ledger: Ledger,
        health: Health,
        deadlines: Deadlines,
    ) -> None:
        self.env = env
        self.transport = transport
        self.ledger = ledger
        self.health = health
        self.deadlines = deadlines

    async def open(self, turn: Turn, route: Route) -> Live:
        """Send `turn` along `route` and return once the answer has begun well.

        Raises AttemptFailed; BudgetError and LedgerError before anything is sent.
        """
        # Two attempts may run at once, so those that have ended say nothing of the next number.
        turn.begun += 1
        number = turn.begun
        # Whoever chose the route saw it available with no await since: on a half-open circuit this request is the probe.
        self.health.admit(route.arm.endpoint, route.arm.model)
        try:
            reservation = await self._reserve(turn, route, number)
        except BaseException:
            self.health.abandoned(route.arm.endpoint, route.arm.model)
            raise
        live = Live(self.env, self.ledger, turn, route, reservation, number)
        try:
            outbound = route.conversation.outbound(turn.top, turn.view, route.target)
            live.response = await self.transport.request(
                route.endpoint,
                b"POST",
                outbound.path,
                (*outbound.headers, hops.onward(turn.call.headers)),
                outbound.body,
                self._left(turn),
                fresh=route.fresh,
            )
            if live.response.status != 200:
                raise AttemptFailed(await self._refused(live))
            return live
        except TransportFault as fault:
            raise self._failed(live, classify_transport(fault)) from fault
        except AttemptFailed as failed:
            raise self._failed(live, failed.fault) from None
        except BaseException:
            self.cancelled(live)
            raise

    def cancelled(self, live: Live) -> None:
        """Book an attempt that ends without a verdict: the client left, or something of ours broke."""
        live.cancel()
        self.health.abandoned(live.route.arm.endpoint, live.route.arm.model)

    def left_s(self, turn: Turn) -> float:
        """Return the seconds until the request's deadline."""
        return turn.call.deadline_mono_s - self.env.monotonic()

    def _left(self, turn: Turn) -> Deadlines:
        """Return the deadlines of one attempt: all attempts of a request share its total."""
        left_s = self.left_s(turn)
        patience = self.deadlines
        if turn.view.stream:
            # Only a whole answer may think until its head: a stream has to show an event.
            patience = replace(patience, head_s=patience.first_byte_s)
        if not turn.tried and left_s >= patience.total_s - 1.0:
            return patience
        return replace(patience, total_s=min(patience.total_s, max(left_s, 0.001)))

    async def _refused(self, live: Live) -> Fault:
        assert live.response is not None
        body = await live.response.read(ERROR_BODY_BYTES, self.deadlines.between_s)
        times = live.response.timings
        fault = classify(
            live.response.status,
            live.response.headers,
            body,
            live.route.dialect,
            now_s=self.env.now(),
            elapsed_s=times.head - times.start,
        )
        return with_words(fault, body, live.route.dialect) if live.in_own_words else fault

    def _failed(self, live: Live, fault: Fault) -> AttemptFailed:
        live.fail(fault)
        self.health.failed(live.route.arm.endpoint, live.route.arm.model, fault)
        return AttemptFailed(fault)

    def succeeded(self, live: Live) -> None:
        """Tell the health table of a complete answer."""
        times = live.timings
        ttft_s = times.first_byte - times.start if times is not None and times.first_byte else None
        self.health.succeeded(live.route.arm.endpoint, live.route.arm.model, ttft_s=ttft_s)

    async def begin(self, live: Live) -> bytes:
        """Hold a stream's head until its first real event and return the bytes so far. Raises AttemptFailed."""
        reader = live.reader
        held, chunk = b"", b"-"
        try:
            assert live.response is not None
            wrong = check_head(live.response.headers, stream=True)
            if wrong is not None:
                raise AttemptFailed(wrong)
            if live.header(b"content-type").startswith("application/json"):
                raise AttemptFailed(await self._refused(live))
            started_s = live.response.timings.start
            held_until_s = self.env.monotonic() + HOLD_S
            while not reader.started or (reader.quiet and self.env.monotonic() < held_until_s):
                # Comments keep a connection alive, not a request: the deadline runs from its start to the first event.
                left_s = started_s + self.deadlines.first_byte_s - self.env.monotonic()
                if reader.started:
                    left_s = max(left_s, self.deadlines.between_s)
                elif left_s <= 0:
                    raise _no_event()
                chunk = await live.chunk(left_s)
                if not chunk:
                    held += reader.close()
                    break
                held += reader.feed(chunk)
            if live.turn.mode in (GATE_TOOLS, BUFFER) and misspoke(reader):
                return held
            if reader.failure is not None:
                raise AttemptFailed(_early(live))
            if (not chunk and not reader.finished and reader.quiet) or not reader.started:
                raise TransportFault("truncated", "body", bytes_sent="all", detail="the stream ended without an answer")
        except TransportFault as fault:
            told = _no_event() if fault.kind == "stall" else fault
            raise self._failed(live, classify_transport(told)) from fault
        except WireError as error:
            raise self._failed(live, classify_seen(Seen.MALFORMED)) from error
        except AttemptFailed as failed:
            raise self._failed(live, failed.fault) from None
        except BaseException:
            self.cancelled(live)
            raise
        live.began(self.env.monotonic())
        return held

    async def whole(self, live: Live) -> Whole:
        """Read a complete answer. Raises AttemptFailed."""
        assert live.response is not None
        try:
            body = await live.response.read(ANSWER_BYTES, self.deadlines.total_s)
            live.bytes_in = len(body)
            fault = check_body(live.response.headers, body, live.route.dialect, now_s=self.env.now())
            if fault is not None:
                words = live.in_own_words
                raise AttemptFailed(with_words(fault, body, live.route.dialect) if words else fault)
            whole = live.route.conversation.whole(body)
            self.succeeded(live)
            return whole
        except TransportFault as error:
            raise self._failed(live, classify_transport(error)) from error
        except WireError as error:
            raise self._failed(live, classify_seen(Seen.MALFORMED)) from error
        except AttemptFailed as failed:
            raise self._failed(live, failed.fault) from None
        except BaseException:
            self.cancelled(live)
            raise

    async def _reserve(self, turn: Turn, route: Route, number: int) -> Reservation:
        principal, arm = turn.principal, route.arm
        intent = AttemptIntent(
            owner=principal.owner,
            team=principal.team,
            session=turn.session_key,
            task=turn.features.task,
            language=turn.features.language,
            model_requested=turn.view.model,
            model=arm.model,
            endpoint=arm.endpoint,
            client_dialect=turn.call.dialect,
            upstream_dialect=route.dialect,
            stream=turn.view.stream,
            price_kind="known"
            if isinstance(route.price, Known)
            else "estimated"
            if isinstance(route.price, Estimated)
            else "unknown",
            price_version=route.price.version,
        )
        return await self.ledger.admit(
            turn.call.request_id, number, principal.key_id, principal.budgets, NanoUsd(route.bound_nano), intent
        )


def misspoke(reader: StreamReader) -> bool:
    """True when all that is wrong with an answer is a call whose arguments are no JSON: the checks reject it, nothing broke."""
    failure = reader.failure
    return isinstance(failure, dict) and failure.get("code") == INVALID_TOOL_CALL


def _no_event() -> TransportFault:
    return TransportFault("first_byte_timeout", "body", bytes_sent="all", detail="no event of the answer came in time")


def _early(live: Live) -> Fault:
    """Return the fault of an error event that came before anything was sent on; what was generated before it is charged."""
    fault = event_fault(live, tokens_seen=False)
    seen = live.reader.answer()
    if seen.empty and not seen.reasoning:
        return fault
    return replace(fault, charge=Charge.EST)


def event_fault(live: Live, *, tokens_seen: bool) -> Fault:
    """Return the fault of the error event that a stream ended in, with its own words for clients of its dialect."""
    payload = msgspec.json.encode({"error": live.reader.failure})
    fault = classify_event(payload, tokens_seen=tokens_seen)
    return with_words(fault, payload, live.route.dialect) if live.in_own_words else fault
