"""Runs the gateway: settings, sockets, listeners, signals, and the orderly end.

uvicorn is driven as a library: the sockets and the signals are ours, it only speaks HTTP on them.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from suffice.catalog.load import load as load_catalog
from suffice.cli.assembly import Runtime
from suffice.cli.checking import Checks
from suffice.cli.command import Io
from suffice.cli.provider_keys import provider_env
from suffice.config import discover
from suffice.config.load import load
from suffice.config.probe import probe
from suffice.config.rules import is_loopback
from suffice.config.schema import Settings
from suffice.errors import ConfigError, StorageError, UpstreamError
from suffice.gateway import websocket
from suffice.gateway.control import ControlPlane
from suffice.gateway.own_tasks import OwnTasks
from suffice.gateway.server import Limits, guarded, sweep
from suffice.ledger.redact import Redactor
from suffice.telemetry import logs

log = logging.getLogger("suffice")

# Prices follow schedules and dates; a quarter of an hour is finer than any schedule known.
REFRESH_S = 900.0
# What was learned in the last half minute may be lost with the process; the ledger never is.
SAVE_S = 30.0
LOOPBACK = "127.0.0.1"
# How long a client may take to read the end of an answer after the last moment at which it can have come.
ANSWER_S = 60.0


async def settings_for(args: argparse.Namespace, io: Io) -> Settings:
    """Return the configuration file's settings, or what the environment and this machine offer."""
    settings = load(args.config, io.env_vars, io.working)
    if settings.origin.file or settings.endpoints:
        return settings
    return await discover.discover(io.env_vars, provider_env(load_catalog()), probe)


async def serve(args: argparse.Namespace, io: Io) -> None:
    """Run the gateway until SIGTERM or SIGINT. Raises ConfigError, StorageError, UpstreamError (address in use)."""
    settings = await settings_for(args, io)
    if not settings.endpoints:
        raise ConfigError(
            "nothing to serve: no configuration file, no provider key in the environment, no local model server",
            hint="set OPENAI_API_KEY (or another provider's), start Ollama, or run `suffice init`",
        )
    redactor = Redactor()
    _log(settings, io, redactor)
    checks = Checks(io)
    runtime = Runtime(settings, io.env, io.env_vars, io.working, checks.run, redactor=redactor)
    checks.use(await checks.prepare(settings))
    try:
        await runtime.start()
        try:
            await _listen(args, io, settings, runtime, checks)
        finally:
            await runtime.stop()
    finally:
        await checks.stop()


async def _listen(args: argparse.Namespace, io: Io, settings: Settings, runtime: Runtime, checks: Checks) -> None:
    server = settings.server
    host = server.host
    if runtime.keys.empty and not is_loopback(host):
        io.out.note(
            f"no key is configured: listening on {LOOPBACK} only, not on {host} (create one: suffice keys create)"
        )
        host = LOOPBACK
    port = server.port if args.port is None else args.port
    data_socket = _bind(host, port)
    control_socket = _bind(server.control_host, server.control_port)
    reload = _reloader(args, io, runtime, checks)
    control = ControlPlane(
        secret=server.control_secret.reveal() if server.control_secret else "",
        ready=runtime.readiness,
        metrics=runtime.metrics.render,
        story=runtime.story,
        reload=reload,
        models=lambda: [{"id": m} for m in sorted(runtime.state.models)],
        own_tasks=OwnTasks(runtime.core, lambda: runtime.state, io.env.now).take,
    )
    plane = runtime.data_plane()
    sockets = websocket.options(server.max_body_bytes)
    data_server = await _start(plane, data_socket, guarded(_limits(settings)), sockets)
    control_server = await _start(control.app(), control_socket, guarded(_limits(settings)))
    stop = _signals(reload)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 50, 50)
    _announce(io, runtime, data_socket, control_socket)
    servers = (data_server, control_server)
    async with asyncio.TaskGroup() as group:
        background = [group.create_task(sweep(s.server_state.connections)) for s in servers]
        background.append(group.create_task(_refresh(runtime)))
        await stop.wait()
        for task in background:
            task.cancel()
    for running in servers:
        await _drain(running, server.shutdown_grace_s)


def _log(settings: Settings, io: Io, redactor: Redactor) -> None:
    logs.configure(io.out.stderr, level=settings.log.level, form=settings.log.format, mask=redactor.mask)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise UpstreamError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint="choose another port under [server]",
            code="address_in_use",
        ) from None


async def _start(
    app: Any, sock: socket.socket, protocol: type[HttpToolsProtocol], sockets: Mapping[str, Any] | None = None
) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=protocol,
        **(sockets or {"ws": "none"}),
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[sock])
    return server


async def _drain(server: uvicorn.Server, grace_s: float) -> None:
    """Stop accepting, let running requests finish within `grace_s`, then cancel them."""
    server.config.timeout_graceful_shutdown = max(1, round(grace_s))
    await server.shutdown()


def _limits(settings: Settings) -> Limits:
    server = settings.server
    return Limits(
        header_count=server.max_header_count,
        header_bytes=server.max_header_bytes,
        header_s=server.header_deadline_s,
        body_s=server.body_deadline_s,
        idle_s=server.idle_deadline_s,
        request_s=settings.upstream.total_deadline_s + ANSWER_S,
        connections=server.max_connections,
    )


def _signals(reload: Callable[[], Awaitable[dict[str, Any]]]) -> asyncio.Event:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks: set[asyncio.Task[Any]] = set()

    def hang_up() -> None:
        task = asyncio.ensure_future(reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, hang_up)
    return stop


def _reloader(
    args: argparse.Namespace, io: Io, runtime: Runtime, checks: Checks
) -> Callable[[], Awaitable[dict[str, Any]]]:
    one_at_a_time = asyncio.Lock()

    async def adopt(settings: Settings) -> None:
        prepared = await checks.prepare(settings)
        try:
            await runtime.adopt(settings)
        except BaseException:
            await checks.discard(prepared)
            raise
        checks.use(prepared)  # nothing is awaited since the swap: no request sees one without the other

    async def reload() -> dict[str, Any]:
        """Validate whole, swap whole; a bad file changes nothing."""
        try:
            async with one_at_a_time:
                settings = await settings_for(args, io)
                await adopt(settings)
                _log(settings, io, runtime.redactor)
        except ConfigError as error:
            log.error("the configuration stays as it was: %s", error)
            return {"swapped": False, "problems": [str(error)]}
        log.info("the configuration was read again")
        return {"swapped": True, "problems": []}

    return reload


async def _refresh(runtime: Runtime) -> None:
    while True:
        for _ in range(round(REFRESH_S / SAVE_S)):
            await asyncio.sleep(SAVE_S)
            try:
                await asyncio.to_thread(runtime.save)
            except StorageError as error:
                log.warning("what was learned could not be saved: %s", error)
        try:
            await asyncio.to_thread(runtime.look)
        except Exception:  # a look that breaks must not end the gateway: the share stays where it is
            log.exception("what the rollout has shown could not be judged")
        try:
            runtime.refresh()
        except ConfigError:
            log.exception("prices could not be refreshed")


def _announce(io: Io, runtime: Runtime, data_socket: socket.socket, control_socket: socket.socket) -> None:
    data, control = (s.getsockname() for s in (data_socket, control_socket))
    base_url = f"http://{data[0]}:{data[1]}/v1"
    control_url = f"http://{control[0]}:{control[1]}"
    models = len(runtime.state.models)
    io.out.say(f"Suffice listens on {base_url} ({models} models, {len(runtime.state.pool)} of them for `auto`)")
    io.out.say(f"Control plane: {control_url}")
    if runtime.keys.empty:
        io.out.say("No key is configured: loopback only, JSON only, no web pages. Create one: suffice keys create")
    io.out.result({"base_url": base_url, "control_url": control_url, "models": models})
