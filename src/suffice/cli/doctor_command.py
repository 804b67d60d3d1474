"""Prove the path: configuration, storage, clock, prices, sandbox, every endpoint's key, the running gateway.

Nothing is changed and nothing is paid for, unless `--deep` makes one tiny streamed call at each endpoint: that costs a
fraction of a cent each and is not in the ledger. Exit code 1 when a check failed, 4 when something cannot be reached.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from suffice.cli.command import Exit, Io, UsageError
from suffice.cli.options import listed
from suffice.cli.workspace import effective, folder_of
from suffice.config.problem import did_you_mean
from suffice.config.schema import Settings
from suffice.errors import SufficeError

if TYPE_CHECKING:
    from suffice.gateway.checkup import Check
    from suffice.gateway.fleet import Fleet
    from suffice.ledger.folder import Folder

MARKS = {"ok": "ok", "warning": "WARN", "failed": "FAIL", "unreachable": "FAIL", "skipped": "skip"}
_PARALLEL = 8


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "--deep", action="store_true", help="also make a tiny streamed call at each endpoint; costs money"
    )
    parser.add_argument(
        "--endpoint", action="append", metavar="NAME", help="ask only this endpoint; may be repeated (default: all)"
    )


def run(args: argparse.Namespace, io: Io) -> int:
    """Run the checks, the quick ones first, and show each as it ends."""
    from suffice.gateway import checkup

    settings = effective(args, io)
    only = listed(args.endpoint)
    for name in only:
        if name not in settings.endpoints:
            close = did_you_mean(name, settings.endpoints)
            raise UsageError(f"--endpoint: no endpoint is called {name!r}; {close or 'see `suffice check --print`'}")
    folder = folder_of(settings, io)
    checks: list[Check] = []

    def told(check: Check) -> None:
        checks.append(check)
        io.out.say(f"{MARKS[check.state]:5} {check.name}: {check.message}")
        if check.fix and check.state != checkup.State.OK:
            io.out.say(f"      fix: {check.fix}")

    for check in [*checkup.configuration(settings), *checkup.storage(folder, io.env)]:
        told(check)
    fleet = _catalogue(settings, folder, io, told)
    told(checkup.listener(settings, folder, io.env))
    if args.deep:
        io.out.note(
            "--deep makes a real call at each endpoint: it costs a fraction of a cent each, outside of the ledger"
        )
    asyncio.run(_ask(settings, folder, fleet, io, told, only, deep=args.deep))
    worst = checkup.worst(checks)
    counts = {state.value: sum(c.state is state for c in checks) for state in checkup.State}
    io.out.say(", ".join(f"{count} {name}" for name, count in counts.items() if count))
    found = [{"name": c.name, "state": c.state.value, "message": c.message, "fix": c.fix} for c in checks]
    io.out.result({"ok": worst is checkup.State.OK, "counts": counts, "checks": found})
    return {checkup.State.UNREACHABLE: Exit.UNREACHABLE, checkup.State.FAILED: Exit.NEGATIVE}.get(worst, Exit.OK)


def _catalogue(settings: Settings, folder: Folder, io: Io, told: Callable[[Check], None]) -> Fleet | None:
    """Check the price table and return what the configuration serves; None when that cannot be said."""
    from suffice.catalog.load import book, newest
    from suffice.gateway import fleet
    from suffice.gateway.checkup import Check, State, prices

    today = datetime.fromtimestamp(io.env.now(), UTC).date()
    try:
        document = newest(folder.catalogue)
        told(prices(document.as_of, document.version, len(document.models), today))
        return fleet.build(settings, book(document), today.isoformat())
    except SufficeError as error:
        told(Check(name="catalogue", state=State.FAILED, message=error.message, fix=error.hint))
        return None


async def _ask(
    settings: Settings,
    folder: Folder,
    fleet: Fleet | None,
    io: Io,
    told: Callable[[Check], None],
    only: tuple[str, ...],
    *,
    deep: bool,
) -> None:
    """Run the checks that wait for others, some at a time."""
    from suffice.gateway import checkup
    from suffice.gateway.checkup_providers import Providers, cheapest, control
    from suffice.upstream.transport import Transport

    transport = Transport(io.env)
    providers = Providers(io.env, transport)
    jobs: list[Awaitable[Check]] = [
        checkup.sandbox(settings),
        control(settings, transport, folder.exists and checkup.gateway_runs(folder)),
    ]
    for name, endpoint in (fleet.endpoints if fleet else {}).items():
        section = settings.endpoints[name]
        provider = fleet.catalog.provider(section.provider) if fleet else None
        if provider is None or fleet is None or (only and name not in only):
            continue
        jobs.append(providers.key(endpoint, section, provider))
        served = cheapest((s for s in fleet.served if s.arm.endpoint == name), fleet.catalog, io.env.now())
        if deep and served is not None:
            quirk = provider.quirks.max_tokens_field
            limit = quirk if quirk != "either" else "max_tokens"
            speech = served.speech["chat"]
            jobs.append(providers.stream(speech.endpoint, section, speech.stream_path, served.model.name, limit))
    gate = asyncio.Semaphore(_PARALLEL)

    async def one(job: Awaitable[Check]) -> Check:
        async with gate:
            return await job

    try:
        with io.out.progress("asking", len(jobs)) as advance:
            for check in asyncio.as_completed([one(job) for job in jobs]):
                told(await check)
                advance(1)
    finally:
        await transport.close()
    told(providers.clock())
