"""The checks of `suffice doctor` that concern this machine: store, disk, price table, listeners, sandbox, running gateway.

They look and never mend. Invariant: a check ends in a `Check`, whatever goes wrong; none shows a secret.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from suffice.config.rules import is_loopback
from suffice.config.schema import Settings
from suffice.errors import SandboxError, StorageError, SufficeError
from suffice.ledger.folder import Folder
from suffice.ledger.keys import KeyStore, load_pepper
from suffice.storage import place
from suffice.storage.database import Database
from suffice.values.env import Env

LOW_BYTES, LEAST_BYTES = 1 << 30, 100 << 20
OLD_TABLE_DAYS = 30


class State(StrEnum):
    """How a check ended. `unreachable` is a failure of something outside of Suffice, with an exit code of its own."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check: what was looked at, how it is, and how to mend it."""

    name: str
    state: State
    message: str
    fix: str = ""


def configuration(settings: Settings) -> list[Check]:
    """Say which file is in use, and repeat its warnings."""
    source = settings.origin.file or "no file: keys and servers found in the environment and on this machine"
    out = [
        Check(name="configuration", state=State.OK, message=f"{source}; {len(settings.endpoints)} endpoints")
        if settings.endpoints
        else Check(
            name="configuration",
            state=State.WARNING,
            message=f"{source}; no endpoint, so nothing can be served",
            fix="set a provider's key, or add an [endpoints.<name>] section (`suffice init`)",
        )
    ]
    for problem in settings.origin.warnings:
        message = f"{problem.place}: {problem.message}"
        out.append(Check(name="configuration", state=State.WARNING, message=message, fix=problem.hint))
    return out


def storage(folder: Folder, env: Env) -> list[Check]:
    """Try the storage folder: writable, enough room, database whole, journals of dead gateways."""
    root = next(path for path in (folder.root, *folder.root.parents) if path.exists())
    if not os.access(root, os.W_OK | os.X_OK) or not root.is_dir():
        fix = "give the user that runs suffice a writable storage.path"
        return [Check(name="storage", state=State.FAILED, message=f"{root} cannot be written", fix=fix)]
    out = [_room(root)]
    if not folder.exists:
        out.append(Check(name="storage", state=State.OK, message=f"{folder.root} will be made by the first start"))
        return out
    probe = folder.root / f".probe-{env.new_id()}"
    try:
        probe.write_bytes(b"probe")
        probe.unlink()
        database = Database(env, folder.database, exclusive=False)
        database.open()
        database.close()
    except (StorageError, OSError) as error:
        hint = error.hint if isinstance(error, StorageError) else "look at the disk and the kernel log"
        message = error.message if isinstance(error, StorageError) else f"{folder.root}: {error.strerror}"
        out.append(Check(name="storage", state=State.UNREACHABLE, message=message, fix=hint))
        return out
    running = gateway_runs(folder)
    who = "a gateway is using it" if running else "no gateway is using it"
    out.append(Check(name="storage", state=State.OK, message=f"{folder.database} is whole; {who}"))
    out += _journals(folder, running)
    return out


def gateway_runs(folder: Folder) -> bool:
    """Whether a process holds the writer's lock."""
    path = folder.database.with_name(folder.database.name + ".lock")
    if not path.exists():
        return False
    try:
        os.close(place.lock(path))
    except StorageError:
        return True
    return False


def _journals(folder: Folder, running: bool) -> list[Check]:
    names = sorted(p.name for p in folder.journal.iterdir()) if folder.journal.is_dir() else []
    kept = [name for name in names if name.endswith(".kept")]
    out = []
    if kept:
        message = f"parts of {len(kept)} journals could not be read; they are kept as *.kept in {folder.journal}"
        fix = "compare `suffice report` with the providers' bills, then remove them"
        out.append(Check(name="journal", state=State.WARNING, message=message, fix=fix))
    left = len(names) - len(kept)
    if left and not running:
        message = f"{left} gateways ended without closing their books"
        fix = "nothing is lost: the next `suffice serve` books what they left"
        out.append(Check(name="journal", state=State.WARNING, message=message, fix=fix))
    return out


def _room(root: Path) -> Check:
    free = shutil.disk_usage(root).free
    message = f"{free / (1 << 30):.1f} GiB free at {root}"
    if free >= LOW_BYTES:
        return Check(name="disk", state=State.OK, message=message)
    state = State.WARNING if free >= LEAST_BYTES else State.FAILED
    return Check(name="disk", state=state, message=message, fix="free space: budgeted requests stop when it is gone")


def prices(as_of: str, version: str, models: int, now: date) -> Check:
    """Judge the age of the price table; `as_of` is its ISO date."""
    days = (now - date.fromisoformat(as_of[:10])).days
    message = f"table of {as_of}, {max(days, 0)} days old, {models} models ({version})"
    if days > OLD_TABLE_DAYS:
        fix = "upgrade suffice, or run `suffice models refresh` with newer price packages"
        return Check(name="prices", state=State.WARNING, message=message, fix=fix)
    if days < -1:
        fix = "set this machine's clock: windows of budgets and prices depend on it"
        return Check(name="prices", state=State.WARNING, message=f"{message}; that is in the future", fix=fix)
    return Check(name="prices", state=State.OK, message=message)


def listener(settings: Settings, folder: Folder, env: Env) -> Check:
    """Say who can reach the data plane, and whether keys protect it."""
    where, local = f"{settings.server.host}:{settings.server.port}", is_loopback(settings.server.host)
    try:
        valid = _valid_keys(folder, env)
    except SufficeError as error:
        return Check(name="listener", state=State.UNREACHABLE, message=error.message, fix=error.hint)
    if valid:
        return Check(name="listener", state=State.OK, message=f"{where}, {valid} valid keys")
    if local:
        message = f"{where}, without keys: this machine only, and no web page"
        return Check(name="listener", state=State.OK, message=message)
    message = f"{where} can be reached from other machines, and there is no valid key"
    fix = "make one with `suffice keys create`, or set server.host to 127.0.0.1"
    return Check(name="listener", state=State.FAILED, message=message, fix=fix)


def _valid_keys(folder: Folder, env: Env) -> int:
    if not folder.exists or not folder.pepper.exists():
        return 0
    database = Database(env, folder.database, exclusive=False)
    with database.reader() as session:
        known = session.run("keys")
    if not known:
        return 0
    store = KeyStore(env, database, load_pepper(folder.pepper, env))
    store.start()
    try:
        now = env.now()
        return sum(not r.revoked_s and not 0 < r.expires_s <= now for r in store.list())
    finally:
        store.stop()


async def sandbox(settings: Settings) -> Check:
    """Run the sandbox's self-test: what must fail inside does fail."""
    if settings.verify.sandbox == "off" or not settings.verify.enabled:
        message = "turned off by the configuration: no check runs code"
        return Check(name="sandbox", state=State.SKIPPED, message=message)
    if find_spec("suffice.sandbox.sandbox") is None:
        return Check(name="sandbox", state=State.SKIPPED, message="not available in this version")
    made: Any = import_module("suffice.sandbox.sandbox").Sandbox()
    try:
        report = await made.start()
    except SandboxError as error:
        return Check(name="sandbox", state=State.UNREACHABLE, message=error.message, fix=error.hint)
    finally:
        await made.stop()
    tier = getattr(report.tier, "value", report.tier)
    return Check(name="sandbox", state=State.OK, message=f"{tier}: {report.probes} probes, none got through")


def worst(checks: Iterable[Check]) -> State:
    """Return what all checks amount to: unreachable before failed before ok; warnings do not count."""
    states = {check.state for check in checks}
    return next((s for s in (State.UNREACHABLE, State.FAILED) if s in states), State.OK)
