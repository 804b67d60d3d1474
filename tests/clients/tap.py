"""A relay of TCP connections between a client and the gateway that notes what is asked for: how a client came, not what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_LINE = re.compile(rb"\A([A-Z]+ /\S*) HTTP/1\.1\r\n")
_UPGRADE = re.compile(rb"\r\nupgrade: *websocket\r\n", re.IGNORECASE)


class Tap:
    """`asked` holds the request lines that began a packet, with ` (websocket)` behind an upgrade. `base` is where to call."""

    def __init__(self, host: str, port: int) -> None:
        self.asked: list[str] = []
        self.base = ""
        self._target = (host, port)

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(reader, back, note=True))
                both.create_task(self._copy(there, writer, note=False))
        except* OSError:
            pass
        finally:
            writer.transport.abort()
            back.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, note: bool) -> None:
        while data := await source.read(65536):
            found = _LINE.match(data) if note else None
            if found is not None:
                upgrade = " (websocket)" if _UPGRADE.search(data) else ""
                self.asked.append(found[1].decode() + upgrade)
            sink.write(data)
            await sink.drain()
        with contextlib.suppress(OSError):
            sink.write_eof()


@asynccontextmanager
async def tapped(base: str) -> AsyncIterator[Tap]:
    """Listen in front of `base` until the block ends."""
    host, _, port = base.removeprefix("http://").rpartition(":")
    tap = Tap(host, int(port))
    running: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(tap.relay(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    tap.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield tap
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
