import apsw
import pytest

from suffice.errors import StorageError
from suffice.storage import migrate, statements
from suffice.storage.connection import SqliteSession

STEPS = statements.migrations()


@pytest.fixture
def session(tmp_path):
    session = SqliteSession(tmp_path / "s.db", statements.load(), "writer")
    yield session
    session.close()


def test_version_1_is_brought_forward_and_keeps_its_rows(session):
    assert migrate.migrate(session, STEPS[:1], 5) == 1
    session.run("put_budget", "b", "day", 7, 800000, 1)
    session.run("open_window", "b", 3)
    assert migrate.migrate(session, STEPS, 6) == len(STEPS) - 1
    assert session.run("budgets") == [("b", "day", 7, 800000, 1)]
    assert session.scalar("SELECT pruned_nano FROM windows") == 0
    assert migrate.version(session) == STEPS[-1][0]
    assert migrate.migrate(session, STEPS, 7) == 0


def test_a_step_that_fails_changes_nothing(session):
    migrate.migrate(session, STEPS, 5)
    with pytest.raises(apsw.Error):
        migrate.migrate(session, (*STEPS, (STEPS[-1][0] + 1, "CREATE TABLE extra (a); CREATE TABLE keys (a);")), 6)
    assert migrate.version(session) == STEPS[-1][0]
    assert not session.scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'")


def test_newer_and_foreign_databases_are_refused(session):
    migrate.migrate(session, STEPS, 5)
    with pytest.raises(StorageError, match="knows 1 at most"):
        migrate.check(session, 1)
    session.script("PRAGMA application_id=1")
    with pytest.raises(StorageError, match="another program"):
        migrate.version(session)
