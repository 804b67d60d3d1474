"""Forward-only migrations: a database is brought to the newest version in one transaction per step.

Must not go back, and must not touch a database of a newer version. Invariant: `schema_version` names every step taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from suffice.errors import StorageError
from suffice.storage.connection import SqliteSession

_VERSIONS = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_s INTEGER NOT NULL) STRICT"
# "Suff" as a number: a foreign database is recognised before anything is written to it.
APPLICATION_ID = 0x53756666


def version(session: SqliteSession) -> int:
    """Return the version of the database, 0 when empty. Raises StorageError when it belongs to something else."""
    tables = session.scalar("SELECT count(*) FROM sqlite_schema")
    if not tables:
        return 0
    if session.scalar("PRAGMA application_id") != APPLICATION_ID:
        raise StorageError(
            f"{session.path} is a database of another program", code="storage_corrupt", hint="check storage.path"
        )
    return int(session.scalar("SELECT coalesce(max(version), 0) FROM schema_version"))


def check(session: SqliteSession, newest: int) -> int:
    """Return the version. Raises StorageError when the database is newer than this program."""
    found = version(session)
    if found > newest:
        raise StorageError(
            f"{session.path} has version {found}, this suffice knows {newest} at most",
            code="storage_newer",
            hint="run the newer suffice, or restore the backup made before the upgrade",
        )
    return found


def migrate(session: SqliteSession, steps: Sequence[tuple[int, str]], now_s: int) -> int:
    """Bring the database to the newest version and return how many steps that took."""
    found = check(session, steps[-1][0])
    taken = 0
    for number, text in steps:
        if number <= found:
            continue
        session.script("BEGIN IMMEDIATE")
        try:
            session.script(f"PRAGMA application_id={APPLICATION_ID}")
            session.script(_VERSIONS)
            session.script(text)
            session.script(f"INSERT INTO schema_version VALUES ({number}, {now_s})")  # noqa: S608 - two integers of ours
            session.script("COMMIT")
        except BaseException:
            session.rollback()
            raise
        taken += 1
    return taken
