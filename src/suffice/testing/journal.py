"""What a fake provider would bill: the oracle against which a ledger is tested.

One row opens when work on a request begins, before a byte of the answer is written, and one closes it with the counts.
Both are appended to a file, when one is named, with one `write` each, so that a killed process loses nothing that
had happened. Invariant: a request is billed at most once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec


@dataclass(slots=True, kw_only=True)
class Billed:
    """One billed request: the provider's `id`, the caller's id when one was sent, and tokens.

    `closed` is False while the provider is still at work, or when it died before it had finished.
    """

    id: str
    index: int
    caller_id: str
    model: str
    prompt_tokens: int
    cached_tokens: int = 0
    completion_tokens: int = 0
    closed: bool = False


class Journal:
    """The rows of one provider, in memory and, with a `path`, on disk."""

    def __init__(self, path: Path | None = None) -> None:
        self.rows: dict[str, Billed] = {}
        self._encode = msgspec.json.Encoder().encode
        self._file = -1
        if path is not None:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def open(self, row: Billed) -> Billed:
        """Note that work begins. Raises ValueError when the id is known already."""
        if row.id in self.rows:
            raise ValueError(f"{row.id} is billed already")
        self.rows[row.id] = row
        self._append(row)
        return row

    def close(self, row: Billed) -> None:
        """Note the final counts; a second call is without effect."""
        if not row.closed:
            row.closed = True
            self._append(row)

    def stop(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _append(self, row: Billed) -> None:
        if self._file >= 0:
            os.write(self._file, self._encode(row) + b"\n")


def read_journal(path: Path) -> list[Billed]:
    """Return the rows of a journal file in the order in which work began; a torn last line is left out."""
    rows: dict[str, Billed] = {}
    if not path.exists():
        return []
    for line in path.read_bytes().split(b"\n")[:-1]:
        row = msgspec.json.decode(line, type=Billed)
        rows[row.id] = row
    return list(rows.values())
