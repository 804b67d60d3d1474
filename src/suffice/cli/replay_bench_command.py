"""Replay recorded outcomes and compare routing policies.

Without `--train` and `--test`, random 60/40 splits of `--data` are judged; policies are chosen on the training part alone.
"""

from __future__ import annotations

import argparse
from typing import Protocol

from suffice.evals import replay_main


class _Out(Protocol):
    def say(self, text: object = "") -> None: ...


class _Io(Protocol):
    @property
    def out(self) -> _Out: ...


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments. `--json FILE` takes the place of the shared `--json`: the rows are too many for a terminal."""
    replay_main.configure(parser)


def run(args: argparse.Namespace, io: _Io) -> int:
    """Run the replay; raises ConfigError (exit code 3) for folders, pools or tables that cannot be used."""
    return replay_main.run_replay(args, io.out.say)
