"""Run one fake provider as a process: `python -m suffice.testing.serve --port 0 --script file.json --journal path`.

It prints one line, `listening on http://127.0.0.1:PORT/v1`, and serves until SIGTERM or SIGINT, or until its standard
input ends when `--until-stdin-closes` is given. Invariant: it listens on loopback only.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from suffice.errors import ConfigError
from suffice.testing.cooperative import cooperate
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Script, load


def options(argv: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m suffice.testing.serve", description="A scriptable fake provider.")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--script", type=Path, help="JSON: a behaviour, a list of them, or rules")
    parser.add_argument("--cooperative", action="store_true", help="without a script: do what each request asks for")
    parser.add_argument("--journal", type=Path, help="append what would be billed to this file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", action="append", default=[], help="a model to list; may be repeated")
    parser.add_argument("--api-key", default="", help="refuse other keys with 401")
    parser.add_argument("--no-record", action="store_true", help="keep no requests in memory, for long runs")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when the parent process is gone")
    return parser.parse_args(argv)


def read_script(path: Path | None) -> Script:
    """Return the script of a file. Raises ConfigError when it cannot be read or understood."""
    if path is None:
        return Behaviour()
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="name a readable JSON file with --script") from None
    return load(text, str(path))


async def serve(chosen: argparse.Namespace, script: Script) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if chosen.until_stdin_closes:
        loop.add_reader(0, lambda: None if os.read(0, 4096) else stop.set())
    provider = FakeProvider(
        script,
        seed=chosen.seed,
        port=chosen.port,
        models=tuple(chosen.model) or ("fake-1",),
        api_key=chosen.api_key,
        journal_path=chosen.journal,
        record=not chosen.no_record,
    )
    async with provider:
        sys.stdout.write(f"listening on {provider.base_url}\n")
        sys.stdout.flush()
        await stop.wait()


def main(argv: list[str] | None = None) -> int:
    """Run; return the exit code (3: the script is wrong, 4: the port is taken)."""
    chosen = options(sys.argv[1:] if argv is None else argv)
    try:
        script = cooperate if chosen.cooperative and chosen.script is None else read_script(chosen.script)
        asyncio.run(serve(chosen, script))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    except OSError as error:
        sys.stderr.write(f"port {chosen.port}: {error.strerror}\n")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
