"""Reading a stream to its end, and keeping a client's connection alive meanwhile.

What the events become is the caller's: `passed_on` gets whole events as they come. Every fault ends the attempt's booking
here, as in `attempts.py`, and is raised as AttemptFailed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from suffice.errors import WireError
from suffice.gateway.attempts import AttemptFailed, Attempts, event_fault
from suffice.gateway.conversation import Whole
from suffice.gateway.live import Live
from suffice.gateway.relay import DONE_FRAME
from suffice.gateway.reply import Header, Reply
from suffice.upstream.fault_matrix import Charge
from suffice.upstream.faults import Fault, Seen, classify_seen, classify_transport
from suffice.upstream.transport_fault import TransportFault
from suffice.wire import sse

KEEP_ALIVE_S = 10.0

Sink = Callable[[bytes], Awaitable[None]]


async def drain(attempts: Attempts, live: Live, held: bytes, passed_on: Sink, *, visible: bool = False) -> bytes:
    """Give `held` and all further events of the stream to `passed_on`, and return the last ones. Raises AttemptFailed.

    With `visible` the client sees what is passed on, so that a broken stream cannot be tried elsewhere. The attempt of a
    complete stream is left for the caller to settle, before it gives the last events to anybody: who has
    seen the end of an answer finds it in the ledger.
    """
    try:
        last = await _drain(attempts, live, held, passed_on, visible)
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


async def _drain(attempts: Attempts, live: Live, held: bytes, passed_on: Sink, visible: bool) -> bytes:
    reader, between_s, now = live.reader, attempts.deadlines.between_s, attempts.env.monotonic
    pending, events, stalled_at = held, -1, 0.0
    while not reader.done:
        if pending:
            await passed_on(pending)
            pending = b""
        # Comments and parts of an event show that the provider lives, not that the answer goes on.
        if reader.data_events != events:
            events, stalled_at = reader.data_events, now() + between_s
        elif now() >= stalled_at:
            raise TransportFault("stall", "body", bytes_sent="all", detail="no event of the answer in time")
        chunk = await live.chunk(stalled_at - now())
        pending = reader.feed(chunk) if chunk else reader.close()
        if reader.failure is not None:
            fault = event_fault(live, tokens_seen=visible)
            # Unseen or not, what was generated before the error is charged.
            raise AttemptFailed(fault if visible else replace(fault, charge=Charge.EST))
        if not chunk:
            break
    if not reader.finished:
        raise AttemptFailed(classify_seen(Seen.TRUNCATED))
    return pending if reader.done else pending + DONE_FRAME


async def whole_stream(attempts: Attempts, live: Live) -> Whole:
    """Return a stream's bytes as one answer that nobody has seen yet. Raises AttemptFailed."""
    pieces: list[bytes] = []

    async def keep(events: bytes) -> None:
        pieces.append(events)

    held = await attempts.begin(live)
    pieces.append(await drain(attempts, live, held, keep))
    return Whole(body=b"".join(pieces), failure=None, answer=live.reader.answer(), usage=live.reader.usage())


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
