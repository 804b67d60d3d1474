"""Run a client that uses this gateway, without touching the client's own files: `suffice launch CLIENT -- ARGUMENTS`.

What follows `--` is passed through as it is, and the client's exit code comes back. The wiring is environment variables, options and a
temporary folder that is removed at the end. For a library the program comes after `--`: `suffice launch openai-sdk -- python agent.py`.
Exit code 4 when the client is not installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from suffice.cli.client_target import client_named, target_options, wiring
from suffice.cli.clients.setting import Client, Launch
from suffice.cli.command import Exit, Io, UsageError
from suffice.cli.workspace import configured
from suffice.config.environment import storage_folder

PASSES_ON = True
_SIGNALLED = 128  # A shell's code for a program that signal N ended is 128 + N.


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "client", metavar="CLIENT", help="name of the client, as in `suffice connect`; its arguments follow `--`"
    )
    target_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be run, and with which variables")


def run(args: argparse.Namespace, io: Io) -> int:
    """Run the client; return its exit code."""
    client = client_named(args.client)
    passed: list[str] = args.passed_on
    if client.launch is None:
        raise UsageError(
            f"{client.name} cannot be launched without touching its files; `suffice connect {client.name}` tells its settings"
        )
    if not client.executable and not passed:
        raise UsageError(
            f"{client.name} is a library: say the program, `suffice launch {client.name} -- python agent.py`"
        )
    launch = client.launch(wiring(client, args, io))
    command = [client.executable, *launch.arguments, *passed] if client.executable else [*launch.arguments, *passed]
    if args.dry_run:
        return _told(launch, command, io)
    if not _installed(command[0], io.env_vars):
        what = f"install it: {client.install}" if client.executable else "name a program that is on PATH"
        io.out.failure(f"{command[0]} is not installed (not found on PATH)", what)
        return Exit.UNREACHABLE
    if launch.note:
        io.out.note(f"note: {launch.note}", level=1)
    place = storage_folder(configured(args, io), io.env_vars, io.working) / "launch"
    return _run(client, launch, command, place.absolute(), io)


def _told(launch: Launch, command: Sequence[str], io: Io) -> int:
    for name in launch.unset:
        io.out.say(f"unset {name}")
    for name, value in launch.env.items():
        io.out.say(f"{name}={value}")
    for name, text in launch.files.items():
        io.out.say(f"\n{{folder}}/{name}:\n\n{text.rstrip()}\n")
    for words in (*launch.prepare, tuple(command)):
        io.out.say(" ".join(words))
    if launch.note:
        io.out.say(f"note: {launch.note}")
    io.out.result(
        {
            "unset": launch.unset,
            "env": dict(launch.env),
            "files": dict(launch.files),
            "prepare": launch.prepare,
            "command": command,
            "note": launch.note,
        }
    )
    return Exit.OK


def _installed(program: str, env_vars: Mapping[str, str]) -> bool:
    return shutil.which(program, path=env_vars.get("PATH")) is not None


def _run(client: Client, launch: Launch, command: Sequence[str], place: Path, io: Io) -> int:
    with _signals() as passenger, _folder(launch, place) as folder:
        env = {name: value for name, value in io.env_vars.items() if name not in launch.unset}
        env |= {name: value.replace("{folder}", folder) for name, value in launch.env.items()}
        for words in launch.prepare:
            done = subprocess.run(
                words, env=env, cwd=io.working, stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
            if done.returncode:
                io.out.failure(
                    f"`{words[0]} {words[1]}` ended with {done.returncode}, so {client.name} was not started",
                    f"`suffice launch {client.name} --dry-run` shows the command",
                )
                return Exit.NEGATIVE
        ours = len(launch.arguments) + 1 if client.executable else 0
        own = [word.replace("{folder}", folder) for word in command[:ours]]
        return _wait([*own, *command[ours:]], env, io.working, passenger)


@contextmanager
def _folder(launch: Launch, place: Path) -> Iterator[str]:
    """Yield a private folder below `place` with the files of `launch`, and remove it; "" when the client needs none.

    Not in /tmp: gemini-cli ignores a settings file below a folder that others may write to, and its parents'.
    """
    if not launch.files and not launch.prepare:
        yield ""
        return
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in place.glob("*-*"):
        if not _alive(left.name.partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=place))
    try:
        for name, text in launch.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: str) -> bool:
    """False only when no process has this id, so that what a killed launch left (it holds a key) can be removed."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError, OverflowError):
        return True
    return True


class _Passenger:
    """Passes the signals that reach only us on to the client; one that comes before it runs is passed on when it does."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def take(self, number: int, _frame: object) -> None:
        """Handle one signal."""
        if self._process is None:
            self._early.append(number)
        elif self._process.poll() is None:
            self._process.send_signal(number)

    def runs(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on to `process` from now on."""
        self._process = process
        for number in self._early:
            self.take(number, None)


@contextmanager
def _signals() -> Iterator[_Passenger]:
    """Keep signals from ending us before the temporary folder is removed; they are for the client."""
    passenger = _Passenger()
    # The terminal sends SIGINT and SIGQUIT to both of us. An ignored signal would be ignored by the client too, a handler is not inherited.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)}
    before |= {number: signal.signal(number, passenger.take) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield passenger
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(command: Sequence[str], env: Mapping[str, str], working: Path, passenger: _Passenger) -> int:
    """Run `command` with our terminal; return its exit code."""
    with subprocess.Popen(command, env=dict(env), cwd=working) as process:
        passenger.runs(process)
        code = process.wait()
    return code if code >= 0 else _SIGNALLED - code
