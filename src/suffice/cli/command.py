"""What a command is, and what it is given. One command is one module `<name>_command.py` in this folder.

Its docstring's first line is the summary in `suffice --help`; `configure(parser)` adds its arguments and `run(args, io)`
returns an exit code. Nothing else registers it, and it is imported only when it is called.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from suffice.cli.terminal import Terminal
from suffice.values.env import Env

_FOLDER = Path(__file__).parent
_SUFFIX = "_command.py"


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    NEGATIVE = 1
    USAGE = 2
    CONFIG = 3
    UNREACHABLE = 4
    BUG = 70
    INTERRUPTED = 130


class UsageError(Exception):
    """The command line cannot be understood; exit code 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Io:
    """The world of one command: where to write, the environment's variables, time and chance, the working folder."""

    out: Terminal
    env_vars: Mapping[str, str]
    env: Env
    working: Path


class Command(Protocol):
    """A command's module: its documentation and its two functions."""

    __doc__: str | None

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments."""

    def run(self, args: argparse.Namespace, io: Io) -> int:
        """Do it; return the exit code. `args` also has `config`, `json`, `verbose` and `debug`."""


def summaries() -> dict[str, str]:
    """Return every command's name and summary. Reads the files and imports none, since imports cost a start its speed."""
    found = {}
    for path in sorted(_FOLDER.glob("*" + _SUFFIX)):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[path.name.removesuffix(_SUFFIX).replace("_", "-")] = text.split("\n")[0].rstrip(".")
    return found


def names() -> list[str]:
    """Return the names of all commands."""
    return sorted(p.name.removesuffix(_SUFFIX).replace("_", "-") for p in _FOLDER.glob("*" + _SUFFIX))


def load(name: str) -> Command:
    """Import the command `name`, one of `names()`."""
    return cast(Command, import_module(f"suffice.cli.{name.replace('-', '_')}_command"))
