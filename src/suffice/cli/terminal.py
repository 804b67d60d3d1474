"""What commands say: text for people, or one JSON document for machines, never a mixture on standard output.

Text from outside (model names, answers, file contents) is shown with control characters escaped, so that it cannot move
the cursor or fake a line. `rich` is imported only when a table or a progress bar is drawn.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TextIO

from suffice.config.secret import MASK, Secret

_PLAIN_WIDTH = 160


def escape(text: object) -> str:
    """Return `text` with everything unprintable, line ends apart, shown as an escape (`\\x1b`)."""
    return "".join(c if c.isprintable() or c == "\n" else "    " if c == "\t" else ascii(c)[1:-1] for c in str(text))


def _json_default(value: object) -> object:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


class Terminal:
    """Standard output and error of one command. In JSON mode only `result` and `failure` write to standard output."""

    def __init__(
        self,
        stdout: TextIO,
        stderr: TextIO,
        env_vars: Mapping[str, str],
        *,
        json_mode: bool = False,
        verbosity: int = 0,
    ) -> None:
        self.stdout = stdout
        self.stderr = stderr
        self.json_mode = json_mode
        self.verbosity = verbosity
        self._plain = bool(env_vars.get("NO_COLOR")) or env_vars.get("TERM") == "dumb"

    @property
    def interactive(self) -> bool:
        """Whether a person sees the output."""
        return not self.json_mode and self.stdout.isatty()

    @property
    def colour(self) -> bool:
        """Whether output may be coloured: only at a terminal, and not when NO_COLOR is set."""
        return self.interactive and not self._plain

    def say(self, text: object = "") -> None:
        """Print a line for people."""
        if not self.json_mode:
            print(escape(text), file=self.stdout)

    def note(self, text: object, level: int = 0) -> None:
        """Print a line about what is going on to standard error; `level` 1 shows with -v, 2 with -vv."""
        if self.verbosity >= level:
            print(escape(text), file=self.stderr)

    def result(self, data: object) -> None:
        """Print the result for machines; nothing when people are reading. Call it once."""
        if self.json_mode:
            print(json.dumps(data, indent=2, ensure_ascii=True, default=_json_default), file=self.stdout)

    def failure(self, message: str, hint: str = "", **details: object) -> None:
        """Print why the command failed."""
        if self.json_mode:
            self.result({"error": {"message": message, "hint": hint, **details}})
            return
        print(escape(f"suffice: {message}"), file=self.stderr)
        if hint:
            print(escape(f"  fix: {hint}"), file=self.stderr)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table for people; columns whose name begins with `>` are aligned to the right."""
        if self.json_mode:
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(title=escape(title) or None, title_justify="left")
        for column in columns:
            table.add_column(
                Text(escape(column.removeprefix(">"))), justify="right" if column.startswith(">") else "left"
            )
        for row in rows:
            table.add_row(*(Text(escape(cell)) for cell in row))
        self._console(self.stdout).print(table)

    def _console(self, stream: TextIO) -> Any:
        from rich.console import Console

        tty = stream.isatty()
        return Console(
            file=stream,
            no_color=self._plain or not tty,
            force_terminal=tty and not self._plain,
            width=None if tty else _PLAIN_WIDTH,
            highlight=False,
            markup=False,
        )

    @contextlib.contextmanager
    def progress(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a bar on standard error while the body runs; it gets a function that adds to the count."""
        if self.json_mode or not self.stderr.isatty():
            yield lambda amount: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console(self.stderr), transient=True) as bar:
            task = bar.add_task(escape(label), total=total)
            yield lambda amount: bar.advance(task, amount)
