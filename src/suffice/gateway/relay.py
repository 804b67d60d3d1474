"""Relaying a stream: bytes go on as they come, and the end is told honestly.

From the first write on (the head commit point) nothing of another model is spliced. A stream that breaks ends with an error
frame in the client's dialect, never with a success event. The attempt is settled before the terminal frame is written, so
that a client which saw the end of its answer finds it in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable

from suffice.errors import WireError
from suffice.gateway.attempts import Attempts, event_fault
from suffice.gateway.beat import Beat
from suffice.gateway.live import Live
from suffice.gateway.reply import Header
from suffice.upstream.faults import Fault, Seen, classify_seen, classify_transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.verdict import Verdict
from suffice.wire.chat_relay import Answer

DONE_FRAME = b"data: [DONE]\n\n"
# While whole tool calls are held back, or the provider is silent, the client hears that we live, at most this often.
KEEP_ALIVE_S = 10.0

Judge = Callable[[Answer], tuple[Verdict, ...]]


class Steady:
    """The steady part of a stream: what happens with each of its pieces between its first event and its end.

    `send` takes whole events as they come and returns False when it can take no more for now. `every_s` is how long it may
    get nothing before it is given a sign of life, infinity for never.
    """

    def __init__(
        self, live: Live, between_s: float, every_s: float, now: Callable[[], float], send: Callable[[bytes], bool]
    ) -> None:
        self._live = live
        self._reader = live.reader
        self._send = send
        self._between_s = between_s
        self._every_s = every_s
        self._now = now
        self._told_s = now()
        self._events = live.reader.data_events
        self.stalled_at = now() + between_s
        # What is still to be sent when the stream is over.
        self.pending = b""

    @property
    def over(self) -> bool:
        """True when no piece is to be taken any more: the stream is done, or it told a failure."""
        return self._reader.done or self._reader.failure is not None

    def take(self, piece: bytes) -> float:
        """Send on what `piece` completes; return the seconds until the next event is due, 0 to be woken.

        Comments and parts of an event show that the provider lives, not that the answer goes on. Raises TransportFault when no
        event came in time, WireError for what is no event.
        """
        reader = self._reader
        self._live.received(piece)
        ready = reader.feed(piece)
        if self.over:
            self.pending = ready
            return 0.0
        now_s = self._now()
        if reader.data_events != self._events:
            self._events, self.stalled_at = reader.data_events, now_s + self._between_s
        elif now_s >= self.stalled_at:
            raise TransportFault("stall", "body", bytes_sent="all", detail="no event of the answer in time")
        if not ready and now_s - self._told_s >= self._every_s:
            self._told_s, ready = now_s, reader.keep_alive()
        if ready and not self._send(ready):
            return 0.0
        return self.stalled_at - now_s


async def relay(
    live: Live,
    held: bytes,
    headers: list[Header],
    attempts: Attempts,
    judge: Judge,
    every_s: float = KEEP_ALIVE_S,
) -> Fault | None:
    """Send the head, `held`, and the rest of the stream; return the fault that broke it, or None.

    `judge` looks at the whole answer just before the attempt is settled. A client that leaves cancels this coroutine: the
    upstream connection is closed and what was seen is charged. After `every_s` seconds of silence the client gets a sign of life.
    """
    reply, reader, now = live.turn.reply, live.reader, attempts.env.monotonic
    beat = Beat(live, every_s)
    try:
        reply.ending = reader.fail
        await reply.head(200, headers)
        steady = Steady(live, attempts.deadlines.between_s, every_s, now, reply.push)
        if held and reader.done:
            steady.pending = held
        elif held:
            await reply.write(held)
        while not steady.over:
            if not await live.pour(steady.take, steady.stalled_at - now()):
                steady.pending = reader.close()
                break
            await reply.writable()
        pending = steady.pending
        if reader.failure is not None:
            if pending and live.route.conversation.translated:
                await reply.write(pending)  # written by us from what came before the error, and counted as sent
            return await _broken(attempts, live, event_fault(live, tokens_seen=True))
        if not reader.finished:
            if pending:
                await reply.write(pending)  # a whole event: only the blank line behind it did not come
            return await _broken(attempts, live, classify_seen(Seen.TRUNCATED))
        answer = reader.answer()
        live.settle(answer, reader.usage(), outcome="ok", verdicts=judge(answer))
        attempts.succeeded(live)
        # Only chat has providers that leave the terminator out after a finish reason.
        await reply.end(pending if reader.done else pending + DONE_FRAME)
        await live.finish()
    except TransportFault as fault:
        return await _broken(attempts, live, classify_transport(fault))
    except WireError:
        return await _broken(attempts, live, classify_seen(Seen.MALFORMED))
    except BaseException:
        attempts.cancelled(live)
        raise
    finally:
        beat.stop()
        live.close()
    return None


async def _broken(attempts: Attempts, live: Live, fault: Fault) -> Fault:
    live.fail(fault)
    attempts.health.failed(live.route.arm.endpoint, live.route.arm.model, fault)
    await live.turn.reply.error(fault.error(dialect=live.turn.call.dialect))
    return fault
