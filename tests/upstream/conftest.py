"""Raw scripted servers on real sockets, and endpoints that lead to them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from suffice.upstream.endpoints import Endpoint, make_endpoint
from suffice.upstream.transport import Transport
from suffice.values.system_env import SystemEnv

DATA = Path(__file__).parent / "data"
Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """One accepted connection, seen from the server."""

    def __init__(self, server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.closed_by_client = asyncio.Event()

    async def request(self) -> bytes:
        """Read one whole request with a Content-Length; raises IncompleteReadError at the end of the connection."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        request = head + await self.reader.readexactly(size)
        self.server.requests.append(request)
        return request

    async def send(self, *pieces: bytes) -> None:
        """Write each piece in a segment of its own, as far as the loop allows."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """Wait until the client has closed."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.server.gone.set()


class RawServer:
    """Runs one script per connection and keeps what it saw."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self.gone = asyncio.Event()
        self.port = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.script(Peer(self, reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Bench:
    """What a transport test needs: servers, endpoints and the transport, all closed at the end."""

    def __init__(self) -> None:
        self.transport = Transport(SystemEnv())
        self._stack = contextlib.AsyncExitStack()
        self._named = 0

    async def server(self, script: Script, *, certificate: str = "") -> RawServer:
        raw = RawServer(script)
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(DATA / certificate, DATA / "server.key")
        listener = await asyncio.start_server(raw.handle, "127.0.0.1", 0, ssl=context, limit=2**26)
        raw.port = listener.sockets[0].getsockname()[1]

        async def stop() -> None:
            listener.close()
            await raw.stop()

        self._stack.push_async_callback(stop)
        return raw

    async def answering(self, *pieces: bytes, close: bool = False) -> RawServer:
        """Every request gets the same pieces."""

        async def script(peer: Peer) -> None:
            while True:
                await peer.request()
                await peer.send(*pieces)
                if close:
                    return

        return await self.server(script)

    def endpoint(self, port: int, *, base: str = "http://127.0.0.1", **more: Any) -> Endpoint:
        self._named += 1
        more.setdefault("private", True)
        return make_endpoint(f"e{self._named}", provider="fake", base_url=f"{base}:{port}", **more)

    async def fetch(self, endpoint: Endpoint, **more: Any) -> tuple[int, bytes]:
        """One POST, its status and its whole body."""
        more.setdefault("body", [b"{}"])
        response = await self.transport.request(
            endpoint, b"POST", b"/x", [(b"content-type", b"application/json")], **more
        )
        return response.status, await response.read(2**26)

    async def close(self) -> None:
        await self.transport.close()
        await self._stack.aclose()


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """Every asynchronous test below runs on both loops: they differ in when bytes leave and connections end."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.close()


@pytest.fixture
def data() -> Path:
    return DATA
