import apsw
import pytest

from suffice.errors import StorageError
from suffice.storage.connection import SqliteSession, told

STATEMENTS = {"make": "CREATE TABLE t (a)", "add": "INSERT INTO t VALUES (?)", "all": "SELECT a FROM t"}


def test_a_reader_cannot_write(tmp_path):
    writer = SqliteSession(tmp_path / "s.db", STATEMENTS, "writer")
    writer.run("make")
    writer.many("add", [(1,), (2,)])
    reader = SqliteSession(tmp_path / "s.db", STATEMENTS, "reader")
    assert reader.run("all") == [(1,), (2,)]
    with pytest.raises(apsw.ReadOnlyError):
        reader.run("add", 3)
    reader.close()
    writer.close()


def test_the_writer_syncs_fully_and_keeps_a_write_ahead_log(tmp_path):
    writer = SqliteSession(tmp_path / "s.db", STATEMENTS, "writer")
    assert (writer.scalar("PRAGMA synchronous"), writer.scalar("PRAGMA journal_mode")) == (2, "wal")
    writer.close()


def test_a_savepoint_undoes_itself_only(tmp_path):
    writer = SqliteSession(tmp_path / "s.db", STATEMENTS, "writer")
    writer.run("make")
    writer.script("BEGIN IMMEDIATE")
    writer.run("add", 1)
    with pytest.raises(ZeroDivisionError), writer.savepoint():
        writer.run("add", 2)
        raise ZeroDivisionError
    writer.script("COMMIT")
    assert writer.run("all") == [(1,)]
    writer.close()


@pytest.mark.parametrize(("kind", "code"), [(apsw.CorruptError, "storage_corrupt"), (apsw.FullError, "storage_full")])
def test_errors_tell_what_to_do(tmp_path, kind, code):
    error = told(kind("x"), tmp_path)
    assert isinstance(error, StorageError) and error.code == code and error.hint
