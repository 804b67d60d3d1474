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
    reply, reader, between_s = live.turn.reply, live.reader, attempts.deadlines.between_s
    now = attempts.env.monotonic
    beat = Beat(live, every_s)
    try:
        reply.ending = reader.fail
        await reply.head(200, headers)
        pending, events, stalled_at, told_s = held, -1, 0.0, now()
        while not reader.done:
            if pending:
                await reply.write(pending)
            elif now() - told_s >= every_s:
                told_s = now()
                await reply.write(reader.keep_alive())
            # Comments and parts of an event show that the provider lives, not that the answer goes on.
            if reader.data_events != events:
                events, stalled_at = reader.data_events, now() + between_s
            elif now() >= stalled_at:
                raise TransportFault("stall", "body", bytes_sent="all", detail="no event of the answer in time")
            chunk = await live.chunk(stalled_at - now())
            if not chunk:
                pending = reader.close()
                break
            pending = reader.feed(chunk)
            if reader.failure is not None:
                if pending and live.route.conversation.translated:
                    await reply.write(pending)  # written by us from what came before the error, and counted as sent
                return await _broken(attempts, live, event_fault(live, tokens_seen=True))
        if not reader.finished:
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
