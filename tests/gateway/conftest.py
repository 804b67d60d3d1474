"""A served ASGI application on a real socket, and a raw client for bytes that no library would send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from suffice.gateway.server import Limits, guarded, sweep

Serve = Callable[..., Any]


@pytest.fixture
def serve() -> Serve:
    @asynccontextmanager
    async def run(app: Any, limits: Limits | None = None, sweep_s: float = 0.05) -> AsyncIterator[int]:
        config = uvicorn.Config(
            app,
            port=0,
            http=guarded(limits or Limits()),
            ws="none",
            lifespan="off",
            log_level="critical",
            server_header=False,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        sweeper = asyncio.create_task(sweep(server.server_state.connections, sweep_s))
        try:
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            sweeper.cancel()
            for connection in list(server.server_state.connections):
                connection.transport.close()
            server.servers[0].close()
            await asyncio.sleep(0.02)

    return run


Exchange = Callable[[int, bytes], Awaitable[bytes]]


@pytest.fixture
def exchange() -> Exchange:
    async def talk(port: int, data: bytes, wait_s: float = 5.0) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), wait_s)
        finally:
            writer.close()

    return talk
