"""`suffice serve` and fake providers as processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from suffice.ledger.keys import Grant, KeyStore, load_pepper
from suffice.storage.database import Database
from suffice.values.system_env import SystemEnv


class Served:
    """One `suffice serve`. `base_url` and `control_url` are set once both listeners are ready."""

    def __init__(self, config: Path, env_vars: Mapping[str, str] | None = None) -> None:
        self.log = config.with_name(f"stderr-{len(list(config.parent.glob('stderr-*')))}.log")
        keep = {k: v for k, v in os.environ.items() if not k.startswith("SUFFICE_") and not k.endswith("_API_KEY")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "suffice.cli.main", "serve", "--json", "--config", str(config)],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**keep, "HOME": str(config.parent), **(env_vars or {})},
                cwd=config.parent,
            )
        assert self.process.stdout is not None
        text = ""
        while True:
            line = self.process.stdout.readline().decode()
            text += line
            try:
                told = json.loads(text)
            except ValueError:
                if not line:
                    raise RuntimeError(f"did not start: {text}{self.log.read_text()}") from None
                continue
            if "base_url" not in told:
                raise RuntimeError(f"did not start: {text}{self.log.read_text()}")
            self.base_url, self.control_url = told["base_url"], told["control_url"]
            return

    def kill(self) -> None:
        """Take it away without a word."""
        self.process.kill()
        self._gone()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, wait_s: float = 20.0) -> int:
        """Ask it to end; returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self._gone(wait_s)

    def _gone(self, wait_s: float = 20.0) -> int:
        try:
            return self.process.wait(wait_s)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()


@contextmanager
def served(config: Path, env_vars: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run the gateway until the block ends."""
    running = Served(config, env_vars)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def provider(folder: Path, *arguments: str) -> Iterator[str]:
    """Run a fake provider as a process; yields its base URL. Its bill is `folder/bill.jsonl`."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "suffice.testing.serve", "--no-record", "--until-stdin-closes"),
            *("--journal", str(folder / "bill.jsonl"), *arguments),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().decode().split()[-1]
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def write_config(folder: Path, toml: str) -> Path:
    """Write a configuration whose ports are free ones."""
    path = folder / "suffice.toml"
    path.write_text(f'version = 1\n[server]\nport = 0\ncontrol_port = 0\n[storage]\npath = "data"\n{toml}')
    return path


def create_key(folder: Path, **grant: object) -> str:
    """Create a virtual key in a gateway's storage while the gateway does not run."""
    env, data = SystemEnv(), folder / "data"
    database = Database(env, data / "suffice.db")
    database.open()
    try:
        keys = KeyStore(env, database, load_pepper(data / "pepper", env))
        keys.start()
        try:
            return keys.create(Grant(**grant))[0]  # type: ignore[arg-type]
        finally:
            keys.stop()
    finally:
        database.close()
