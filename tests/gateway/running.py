"""A whole gateway in this process: settings from TOML, a real data plane on a free port, the ledger's rows to look at."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import uvicorn

from suffice.cli.assembly import Runtime
from suffice.config.load import load
from suffice.gateway.server import Limits, guarded, sweep
from suffice.gateway.websocket import options
from suffice.ledger import queries
from suffice.ledger.keys import Grant
from suffice.ledger.queries import AttemptRow, Story
from suffice.testing.fake_upstream import FakeProvider
from suffice.values.system_env import SystemEnv

PRICE = "{ input_usd_per_mtok = 1, output_usd_per_mtok = 10 }"
HEAD = 'version = 1\n[storage]\npath = "data"\n'
CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "Write a function that adds two numbers."}]}


def endpoint(
    name: str, url: str, model: str = "m", provider: str = "openai", price: str = PRICE, more: str = ""
) -> str:
    """The TOML of one endpoint."""
    lines = [f'[endpoints."{name}"]', f'provider = "{provider}"', f'base_url = "{url}"', "private = true"]
    lines += [f'models = ["{model}"]', more]
    if price:
        lines += [f'[endpoints."{name}".prices]', f'"{model}" = {price}']
    return "\n".join(lines) + "\n"


@dataclass
class Answer:
    """One raw answer; `events` are the data lines of a stream."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error object, of a plain answer or of a stream's last frame."""
        if self.body.startswith(b"data:") or self.body.startswith(b":"):
            return dict(json.loads(self.events[-1])["error"])
        return dict(self.json["error"])

    @property
    def events(self) -> list[str]:
        lines = self.body.decode().replace("\r\n", "\n").split("\n")
        return [line[5:].strip() for line in lines if line.startswith("data:")]

    @property
    def request_id(self) -> str:
        return str(self.headers["x-request-id"])

    @property
    def text(self) -> str:
        """The text of a chat answer, streamed or not."""
        if not self.body.startswith(b"data:") and not self.body.startswith(b":"):
            return str(self.json["choices"][0]["message"]["content"])
        chunks = [json.loads(event) for event in self.events if event != "[DONE]"]
        return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c.get("choices"))


@dataclass
class Gateway:
    """A running gateway."""

    runtime: Runtime
    port: int
    client: httpx.AsyncClient
    folder: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Send JSON, or bytes as they are; a path without a slash stands beside `/v1`."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", **(headers or {})}
        url = self.base_url + path if path.startswith("/") else self.base_url.removesuffix("v1") + path
        got = await self.client.post(url, content=data, headers=sent)
        return Answer(got.status_code, got.headers, got.content)

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        url = self.base_url + path if path.startswith("/") else self.base_url.removesuffix("v1") + path
        got = await self.client.get(url, headers=headers)
        return Answer(got.status_code, got.headers, got.content)

    async def chat(self, model: str = "openai/m", headers: Mapping[str, str] | None = None, **fields: Any) -> Answer:
        """One chat request."""
        return await self.post("/chat/completions", {"model": model, **CHAT, **fields}, headers)

    async def story(self, request_id: str) -> Story:
        """What the ledger knows of a request, once everything so far is in the database."""
        await self.written()

        def read() -> Story:
            with self.runtime._database.reader() as session:
                return queries.story(session, request_id)

        return await asyncio.to_thread(read)

    async def rows(self, answer: Answer | str) -> list[AttemptRow]:
        """The ledger rows of a request, oldest first."""
        return list((await self.story(answer if isinstance(answer, str) else answer.request_id)).attempts)

    async def recent(self) -> list[AttemptRow]:
        """All ledger rows, oldest first."""
        await self.written()

        def read() -> list[AttemptRow]:
            with self.runtime._database.reader() as session:
                return list(queries.recent(session, 10_000))[::-1]

        return await asyncio.to_thread(read)

    async def findings(self) -> list[str]:
        """What the ledger's own audit complains about."""
        await self.written()

        def read() -> list[str]:
            with self.runtime._database.reader() as session:
                return [f"{f.invariant}: {f.message}" for f in queries.verify(session)]

        return await asyncio.to_thread(read)

    async def adopt(self, toml: str) -> None:
        """Use another configuration from now on, as a reload does."""
        path = self.folder / "suffice.toml"
        path.write_text(HEAD + toml)
        await self.runtime.adopt(load(path, {"HOME": str(self.folder)}, self.folder))

    async def written(self) -> None:
        """Wait until the writer has committed what is queued."""
        while len(self.runtime.ledger._spool):
            await asyncio.wrap_future(self.runtime._database.call(lambda session: None))

    async def key(self, **grant: Any) -> dict[str, str]:
        """Create a virtual key; returns the header that carries it."""
        text, _ = await asyncio.to_thread(self.runtime.keys.create, Grant(**grant))
        return {"authorization": f"Bearer {text}"}

    def cooling(self) -> dict[str, int]:
        """Name of what rests -> row of the matrix that made it."""
        return {found.name: found.row for found in self.runtime.health.resting()}


async def until(true: Callable[[], Any], wait_s: float = 10.0) -> None:
    """Wait until `true()` holds; raises TimeoutError."""
    async with asyncio.timeout(wait_s):
        while not true():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def gateway(toml: str, folder: Path, env_vars: Mapping[str, str] | None = None) -> AsyncIterator[Gateway]:
    """Run a gateway with the configuration `toml` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "suffice.toml"
    path.write_text(HEAD + toml)
    variables = {"HOME": str(folder), **(env_vars or {})}
    settings = load(path, variables, folder)
    runtime = Runtime(settings, SystemEnv(), variables, folder, None)
    await runtime.start()
    config = uvicorn.Config(
        runtime.data_plane(),
        port=0,
        http=guarded(Limits()),
        **options(settings.server.max_body_bytes),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    sweeper = asyncio.create_task(sweep(server.server_state.connections, 0.05))
    try:
        async with httpx.AsyncClient(timeout=30.0) as client:
            yield Gateway(runtime, port, client, folder)
    finally:
        sweeper.cancel()
        config.timeout_graceful_shutdown = 2
        server.force_exit = True
        for connection in list(server.server_state.connections):
            connection.transport.close()
        await server.shutdown()
        await runtime.stop()


@asynccontextmanager
async def one_provider(
    folder: Path, script: Any = None, *, more: str = "", head: str = "", price: str = PRICE, **provider: Any
) -> AsyncIterator[tuple[Gateway, FakeProvider]]:
    """A gateway with one endpoint `one` that serves `openai/m`; `head` and `more` are TOML before and after it."""
    async with FakeProvider(script, models=("m",), **provider) as fake:
        toml = head + endpoint("one", fake.base_url, price=price) + more
        async with gateway(toml, folder) as running:
            yield running, fake
