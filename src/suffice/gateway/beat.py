"""A sign of life for a client whose provider is silent in the middle of a stream, in the shape of the client's dialect.

A timer for each stream, no task: one is made only when there is something to send. Nothing is sent while bytes arrive, and
nothing where the dialect has no filler. Only whole events may be written beside it.
"""

from __future__ import annotations

import asyncio
import logging

from suffice.gateway.live import Live

log = logging.getLogger("suffice.gateway")


class Beat:
    """Runs from its making to `stop`. Every `every_s` seconds it looks whether anything has come."""

    def __init__(self, live: Live, every_s: float) -> None:
        self._live = live
        self._every_s = every_s
        self._seen = live.bytes_in
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(every_s, self._due)

    def stop(self) -> None:
        """Send nothing more. Does not wait for anything."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _due(self) -> None:
        live = self._live
        if live.turn.reply.finished or live.ended:
            return
        # While a sign waits for a full socket no other one is made.
        if live.bytes_in == self._seen and (self._task is None or self._task.done()):
            sign = live.reader.keep_alive()
            if sign:
                self._task = self._loop.create_task(self._send(sign))
        self._seen = live.bytes_in
        self._timer = self._loop.call_later(self._every_s, self._due)

    async def _send(self, sign: bytes) -> None:
        try:
            await self._live.turn.reply.write(sign)
        except Exception as error:  # the client has left: the relay learns it on its own write
            log.info("a sign of life could not be sent: %s", error)
