"""A fake provider: a scriptable server in the dialect of the OpenAI API on a real loopback socket.

    async with FakeProvider([rate_limited("1"), answer("hi")], seed=7) as provider:
        ...  # point a client at provider.base_url
    assert [r.path for r in provider.requests] == ["/v1/chat/completions"] * 2

It must not be used for anything but tests, demonstrations and benchmarks. Invariant: the same script, seed and requests give
the same answers, byte for byte, when the `Env` says the same times.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import TracebackType

from suffice.testing.journal import Billed, Journal
from suffice.testing.script import Behaviour, Script
from suffice.testing.server import Connection, Core, Request
from suffice.values.env import Env
from suffice.values.system_env import SystemEnv

HOST = "127.0.0.1"


class FakeProvider:
    """One provider. Enter it to listen; leave it to close the port and all connections.

    `script` says what happens with each request (`script.Script`). With `api_key`, other keys get 401. With `journal_path` the
    bill is appended to that file too. `record=False` keeps no requests, for long runs. `port=0` takes any free port.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        seed: int = 0,
        env: Env | None = None,
        models: tuple[str, ...] = ("fake-1",),
        api_key: str = "",
        journal_path: Path | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        record: bool = True,
    ) -> None:
        self._core = Core(
            script=Behaviour() if script is None else script,
            seed=seed,
            env=env or SystemEnv(),
            journal=Journal(journal_path),
            models=models,
            api_key=api_key,
            record=record,
        )
        self.port = port
        self._tls = tls
        self._server: asyncio.Server | None = None

    @property
    def base_url(self) -> str:
        """The address to give to a client, with `/v1`."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self.port}/v1"

    @property
    def requests(self) -> list[Request]:
        """The requests so far, in the order in which they were complete."""
        return self._core.requests

    @property
    def billed(self) -> list[Billed]:
        """What would be billed so far, in the order in which work began."""
        return list(self._core.journal.rows.values())

    @property
    def connections(self) -> int:
        """How many connections have been accepted so far."""
        return self._core.connections

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        return len(self._core.live)

    def set_script(self, script: Script) -> None:
        """Use another script from the next request on; the number of the request goes on counting."""
        self._core.script = script

    def drop_connections(self) -> None:
        """Abort every open connection, idle or not."""
        for connection in list(self._core.live):
            connection.close()

    async def refuse(self) -> None:
        """Stop listening: new connections to the port are refused. Open ones stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.sleep(0)

    async def listen(self) -> None:
        """Listen, on the same port as before. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._core), HOST, self.port, ssl=self._tls, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> FakeProvider:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()
        self.drop_connections()
        if self._core.live:
            await self._core.quiet.wait()
        self._core.journal.stop()


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Yield a port on which connections are refused: it is held, so that nobody else can listen there."""
    with socket.socket() as held:
        held.bind((HOST, 0))
        yield held.getsockname()[1]


@contextlib.asynccontextmanager
async def silent_port() -> AsyncIterator[int]:
    """Yield a port on which connecting takes for ever: its queue of connections is full (Linux drops the rest)."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((HOST, port))
        await asyncio.sleep(0)
        yield port
