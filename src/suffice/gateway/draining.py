"""Reading a stream to its end, and keeping a client's connection alive meanwhile.

What the events become is the caller's: `send` gets whole events as they arrive, without a task being woken for each.
Every fault ends the attempt's booking here, as in `attempts.py`, and is raised as AttemptFailed.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from suffice.errors import WireError
from suffice.gateway.attempts import AttemptFailed, Attempts, event_fault, misspoke
from suffice.gateway.conversation import Whole
from suffice.gateway.live import Live
from suffice.gateway.relay import DONE_FRAME, Steady
from suffice.gateway.reply import Header, Reply
from suffice.upstream.fault_matrix import Charge
from suffice.upstream.faults import Fault, Seen, classify_seen, classify_transport
from suffice.upstream.transport_fault import TransportFault
from suffice.wire import sse

KEEP_ALIVE_S = 10.0


def nobody() -> bool:
    """Say that nobody has seen any of an answer."""
    return False


# Takes whole events; False when the client has to be waited for before there are more.
Sink = Callable[[bytes], bool]


async def drain(attempts: Attempts, live: Live, held: bytes, send: Sink, *, seen: Callable[[], bool] = nobody) -> bytes:
    """Give `held` and all further events of the stream to `send`, and return the last ones. Raises AttemptFailed.

    An answer whose only fault is a call that is no JSON (`misspoke`) is complete: it is for the checks to judge.

    `seen` says of a stream that has broken whether the client has seen what broke, so that it cannot be tried elsewhere. The
    attempt of a complete stream is left for the caller to settle, before it gives the last events to anybody: who has
    seen the end of an answer finds it in the ledger.
    """
    try:
        last = await _drain(attempts, live, held, send, seen)
    except TransportFault as fault:
        raise _failed(attempts, live, classify_transport(fault)) from fault
    except WireError as error:
        raise _failed(attempts, live, classify_seen(Seen.MALFORMED)) from error
    except AttemptFailed as failed:
        raise _failed(attempts, live, failed.fault) from None
    except BaseException:
        attempts.cancelled(live)
        raise
    attempts.succeeded(live)
    return last


async def _drain(attempts: Attempts, live: Live, held: bytes, send: Sink, seen: Callable[[], bool]) -> bytes:
    reader, reply, now = live.reader, live.turn.reply, attempts.env.monotonic
    if misspoke(reader):
        return held
    steady = Steady(live, attempts.deadlines.between_s, math.inf, now, send)
    if steady.over:
        steady.pending = held
    elif held and not send(held):
        await reply.writable()
    while not steady.over:
        if not await live.pour(steady.take, steady.stalled_at - now()):
            steady.pending = reader.close()
            break
        await reply.writable()
    if reader.failure is not None and not misspoke(reader):
        visible = seen()
        fault = event_fault(live, tokens_seen=visible)
        # Unseen or not, what was generated before the error is charged.
        raise AttemptFailed(fault if visible else replace(fault, charge=Charge.EST))
    if not (reader.finished or misspoke(reader)):
        raise AttemptFailed(classify_seen(Seen.TRUNCATED))
    return steady.pending if reader.done or misspoke(reader) else steady.pending + DONE_FRAME


async def whole_stream(attempts: Attempts, live: Live) -> Whole:
    """Return a stream's bytes as one answer that nobody has seen yet. Raises AttemptFailed."""
    pieces: list[bytes] = []

    def keep(events: bytes) -> bool:
        pieces.append(events)
        return True

    held = await attempts.begin(live)
    pieces.append(await drain(attempts, live, held, keep))
    return Whole(
        body=b"".join(pieces), failure=live.reader.failure, answer=live.reader.answer(), usage=live.reader.usage()
    )


@asynccontextmanager
async def kept_alive(
    reply: Reply, headers: list[Header], every_s: float = KEEP_ALIVE_S, sign: bytes = sse.COMMENT
) -> AsyncIterator[None]:
    """Send `sign` every `every_s` seconds, after a head with `headers` when there was none, until the answer ended.

    Only whole events may be written beside it. Without a sign nothing is sent: not every dialect has filler.
    """
    if not sign:
        yield
        return

    async def beat() -> None:
        while True:
            await asyncio.sleep(every_s)
            if reply.finished:
                return
            if not reply.started:
                await reply.head(200, headers)
            await reply.write(sign)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        # Nothing is awaited here: what follows the last byte (the record of the turn) may not come later for it.
        task.cancel()
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


def _failed(attempts: Attempts, live: Live, fault: Fault) -> AttemptFailed:
    live.fail(fault)
    attempts.health.failed(live.route.arm.endpoint, live.route.arm.model, fault)
    return AttemptFailed(fault)
