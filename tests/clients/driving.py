"""Drive one client against a whole gateway: a tiny repository, a scripted provider, `suffice serve`, `suffice launch`.

Invariant: whatever happens, every process of a run is gone when it ends, and nothing is left outside `.clients/runs`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients.install import PLACE, bins_of
from tests.clients.roster import RIGHT, WRONG, Case
from tests.clients.script import Model
from tests.clients.tap import tapped
from tests.e2e.process import Served, create_key, write_config

from suffice.ledger import queries
from suffice.ledger.queries import AttemptRow
from suffice.storage.database import Database
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.server import Request
from suffice.values.system_env import SystemEnv

KEY_OF_OURS = "key-of-ours-CANARY-0123456789abcdef"
# A provider of the catalogue that speaks the dialect natively, and the path below its address.
PROVIDERS = {
    "chat": ("openai", "/v1"),
    "messages": ("anthropic", ""),
    "responses": ("openai", "/v1"),
    "gemini": ("google-gemini", "/v1beta"),
}
_PRICE = "{ input_usd_per_mtok = 1, output_usd_per_mtok = 10 }"
_CAPABLE = 'capabilities = ["tools", "vision", "structured", "reasoning"]\ncontext_window_tokens = 400000\n'
# No client may reach anything but this machine: what it would tell its makers ends at a closed port.
OFFLINE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
OFFLINE |= {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
_TRIED = (signal.SIGTERM, signal.SIGKILL)


@dataclass(kw_only=True)
class Run:
    """What one run left behind.

    `code` is None when the time was over; `asked` are the request lines that the gateway got, `attempts` the ledger's rows, oldest first.
    """

    code: int | None
    said: str
    text: str
    requests: list[Request]
    turns: list[int]
    asked: list[str]
    attempts: list[AttemptRow] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    log: str = ""

    @property
    def edited(self) -> bool:
        """Whether the file is as was asked for."""
        return self.text == RIGHT

    @property
    def untouched(self) -> bool:
        """Whether the file is as it was."""
        return self.text == WRONG

    def faults(self) -> list[str]:
        """Return what is wrong with a run that was to succeed; empty when nothing is."""
        late = ["the time was over"] if self.code is None else [f"exit code {self.code}"] if self.code else []
        return [*late, *([] if self.edited else ["the file was not edited"]), *self._always()]

    def faults_of_an_error(self) -> list[str]:
        """Return what is wrong with a run in which a fault reached the client: it did not do half of the edit, and the books are right.

        Nor may it go wrong in silence: to end well without the edit, on the model's last word, is a fault.
        """
        whole = self.edited or self.untouched
        quiet = self.code == 0 and self.untouched and len(self.turns) > 1 and self.turns[-1] > 1
        said = ["the file was half edited"] if not whole else ["an end as if all were well"] if quiet else []
        return [*said, *self._always()]

    def _always(self) -> list[str]:
        posts = sum(request.method == "POST" for request in self.requests)
        wrong = {
            f"the ledger's audit complains: {self.findings}": bool(self.findings),
            f"the provider's key came out in {self.leaks}": bool(self.leaks),
            f"{len(self.attempts)} attempts in the ledger, {posts} at the provider": len(self.attempts) != posts,
            "no request came": not posts,
        }
        return [text for text, is_so in wrong.items() if is_so]


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder of our own that is removed. Not in /tmp: gemini-cli ignores settings files there."""
    place = PLACE / "runs"
    place.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def repository(folder: Path, files: Mapping[str, str] = {}) -> Path:
    """Make a repository with one commit and one bug; `files` lie beside, committed as well."""
    folder.mkdir()
    for name, text in {"calc.py": WRONG, **files}.items():
        (folder / name).write_text(text)
    who = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "-m", "first")):
        subprocess.run(("git", *words), cwd=folder, check=True, capture_output=True, env=_outside(folder))
    return folder


def _outside(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


def settings(dialect: str, url: str, models: tuple[str, ...], doors: int) -> str:
    """Return the TOML of a gateway before a provider that speaks `dialect`; every name of `models` is its model `m`.

    `doors` is the number of endpoints that lead to it.
    """
    provider, path = PROVIDERS[dialect]
    lines = ["[aliases]", *(f'"{name}" = ["{provider}/m"]' for name in models)]
    lines += [f'[models."{provider}/m"]', _CAPABLE]
    # Two endpoints have to differ in something.
    for host in ("127.0.0.1", "localhost")[:doors]:
        name = f'endpoints."{host}"'
        address = url.removesuffix("/v1").replace("127.0.0.1", host) + path
        lines += [f"[{name}]", f'provider = "{provider}"', f'base_url = "{address}"']
        lines += ["private = true", 'models = ["m"]', 'api_key = "${PROVIDER_KEY}"', f'dialects = ["{dialect}"]']
        lines += [f"[{name}.prices]", f'"m" = {_PRICE}']
    return "\n".join([*lines, ""])


@dataclass(kw_only=True)
class Stand:
    """A gateway as a process before a scripted provider. `key` is a virtual key."""

    base: str
    key: str
    config: Path
    provider: FakeProvider


@asynccontextmanager
async def stand(
    folder: Path, dialect: str, script: Any, models: tuple[str, ...] = ("coder",), doors: int = 1
) -> AsyncIterator[Stand]:
    """Run the gateway in `folder` until the block ends; then its ledger is whole."""
    folder.mkdir()
    async with FakeProvider(script, models=("m",), api_key=KEY_OF_OURS) as provider:
        config = write_config(folder, settings(dialect, provider.base_url, models, doors))
        key = await asyncio.to_thread(create_key, folder, owner="tester")
        served = await asyncio.to_thread(Served, config, {"PROVIDER_KEY": KEY_OF_OURS})
        try:
            base = served.base_url.removesuffix("/v1")
            yield Stand(base=base, key=key, config=config, provider=provider)
        finally:
            await asyncio.to_thread(served.stop)


def ledger(folder: Path) -> tuple[list[AttemptRow], list[str]]:
    """Return the attempts of a stopped gateway, oldest first, and what its audit complains about."""
    database = Database(SystemEnv(), folder / "data" / "suffice.db")
    database.open()
    try:
        with database.reader() as session:
            found = [f"{f.invariant}: {f.message}" for f in queries.verify(session)]
            return list(queries.recent(session, 10_000))[::-1], found
    finally:
        database.close()


def environment(case: Case, home: Path) -> dict[str, str]:
    """Return the variables of a client's run: nothing of ours but PATH."""
    places = [folder for lock in (*case.needs, case.lock) for folder in bins_of(lock)]
    places.append(Path(sys.executable).parent)
    path = os.pathsep.join([*map(str, places), os.environ["PATH"]])
    return {**OFFLINE, **case.env, "PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb"}


async def bounded(command: list[str], env: Mapping[str, str], cwd: Path, out: Path, limit_s: float) -> int | None:
    """Run a command in a session of its own; None when it did not end in time. Whatever it started is ended with it."""
    with out.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=cwd, env=dict(env), start_new_session=True
        )
    try:
        async with asyncio.timeout(limit_s):
            return await process.wait()
    except TimeoutError:
        return None
    finally:
        for number in _TRIED:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
            if process.returncode is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 5)


def sweep(home: Path) -> None:
    """End the daemons that a client left behind: whatever still runs with our folder as its home (Linux)."""
    mine = f"HOME={home}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mine in (place / "environ").read_bytes().split(b"\0"):
                os.kill(int(place.name), signal.SIGKILL)


def leaks(folder: Path, secret: str = KEY_OF_OURS) -> list[str]:
    """Return the files below `folder` that hold the provider's key."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and secret.encode() in path.read_bytes():
            found.append(str(path.relative_to(folder)))
    return found


async def drive(case: Case, dialect: str, model: Model, folder: Path, doors: int = 1) -> Run:
    """Let the client do the task through a gateway whose provider speaks `dialect` and is played by `model`."""
    repo, home, out = repository(folder / "repo", case.files), folder / "home", folder / "client.log"
    home.mkdir()
    # The developer's own configuration knows no provider.
    own = folder / "launch.toml"
    own.write_text('version = 1\n[storage]\npath = "launch"\n')
    async with stand(folder / "gateway", dialect, model, (case.model,), doors) as running, tapped(running.base) as tap:
        words = [sys.executable, "-m", "suffice.cli.main", "launch", case.client, "--config", str(own)]
        words += ["--url", tap.base, "--key", running.key, "--model", case.model, "--dialect", case.dialect, "--"]
        code = await bounded([*words, *case.arguments], environment(case, home), repo, out, case.limit_s)
        await asyncio.to_thread(sweep, home)
        requests = list(running.provider.requests)
    attempts, findings = await asyncio.to_thread(ledger, folder / "gateway")
    return Run(
        code=code,
        said=out.read_text(errors="replace"),
        text=(repo / "calc.py").read_text(),
        requests=requests,
        turns=list(model.turns),
        asked=list(tap.asked),
        attempts=attempts,
        findings=findings,
        leaks=await asyncio.to_thread(leaks, folder),
        log="".join(path.read_text(errors="replace") for path in (folder / "gateway").glob("stderr-*.log")),
    )
