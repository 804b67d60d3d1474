"""One SQLite connection with the settings that keep money safe, and the errors of SQLite told for people.

Must not hold SQL of its own beyond PRAGMAs. Invariant: only a writer's connection may change or checkpoint anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from suffice.errors import StorageError
from suffice.storage.tables import Value

_OPEN = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_NOFOLLOW
_ALWAYS = ("foreign_keys=ON", "trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0")
# FULL, not NORMAL: with NORMAL a power cut loses acknowledged commits. A checkpoint belongs to the one writer.
_WRITER = ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=1000")
_ADMIN = ("synchronous=FULL", "wal_autocheckpoint=0")
_READER = ("query_only=ON", "wal_autocheckpoint=0")
BUSY_MS = 5000
_HINTS: dict[type[apsw.Error], tuple[str, str]] = {
    apsw.CorruptError: (
        "storage_corrupt",
        "restore it from a backup; the ledger's journal folder replays what came after",
    ),
    apsw.NotADBError: ("storage_corrupt", "the file is not a Suffice database: check storage.path"),
    apsw.FullError: ("storage_full", "free disk space: the gateway goes on by itself"),
    apsw.IOError: ("storage_unavailable", "the disk refused: look at the kernel log and the free space"),
    apsw.ReadOnlyError: ("storage_read_only", "make the file and its folder writable for the user that runs suffice"),
    apsw.CantOpenError: ("storage_unavailable", "make the file and its folder writable for the user that runs suffice"),
    apsw.BusyError: ("storage_busy", "another process holds the database for long: stop it"),
}


def told(error: apsw.Error, path: Path) -> StorageError:
    """Return SQLite's error as ours, with what to do."""
    for kind, (code, hint) in _HINTS.items():
        if isinstance(error, kind):
            return StorageError(f"{path}: {error}", code=code, hint=hint, retryable=code != "storage_corrupt")
    return StorageError(f"{path}: {error}")


class SqliteSession:
    """`tables.Session` on an apsw connection. Not shared between threads at the same time."""

    def __init__(self, path: Path, statements: Mapping[str, str], role: str) -> None:
        self.path = path
        self._statements = statements
        try:
            self._connection = apsw.Connection(str(path), flags=_OPEN)
            self._connection.set_busy_timeout(BUSY_MS)
            for setting in (*_ALWAYS, *{"writer": _WRITER, "admin": _ADMIN, "reader": _READER}[role]):
                self._connection.execute(f"PRAGMA {setting}")
        except apsw.Error as error:
            raise told(error, path) from error

    def run(self, name: str, *values: Value) -> list[tuple[Any, ...]]:
        """Run a named statement. Raises apsw.Error inside a writer's group, which tells it once for the whole group."""
        return self._connection.execute(self._statements[name], values).fetchall()

    def many(self, name: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a named statement once per row."""
        self._connection.executemany(self._statements[name], rows)

    def changes(self) -> int:
        """Rows changed by the last statement."""
        return self._connection.changes()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A nested unit, undone when its block raises."""
        with self._connection:
            yield

    def script(self, text: str) -> None:
        """Run a script of several statements (migrations, transaction control, PRAGMAs)."""
        self._connection.execute(text)

    def scalar(self, text: str) -> Any:
        """Return the first column of the first row."""
        return self._connection.execute(text).fetchone()[0]  # type: ignore[index]

    def rollback(self) -> None:
        """End the transaction without its changes; SQLite may have done so already."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
