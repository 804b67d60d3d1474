from __future__ import annotations

import threading

import pytest

from suffice.errors import StorageError
from suffice.storage import tables
from suffice.storage.database import Database
from suffice.values.system_env import SystemEnv


@pytest.fixture
def database(tmp_path):
    database = Database(SystemEnv(), tmp_path / "s.db", group_s=0.0)
    database.open()
    yield database
    database.close()


def test_a_second_gateway_is_refused_and_a_command_is_let_in(database):
    with pytest.raises(StorageError, match="has a writer already"):
        Database(SystemEnv(), database.path).open()
    command = Database(SystemEnv(), database.path, exclusive=False)
    command.open()
    seen = threading.Event()
    start = database.call(tables.generation).result()
    stop = database.listen(lambda generation: seen.set() if generation > start else None)
    command.call(lambda s: tables.put_budget(s, tables.BudgetRow("b", "day", 1, 0, 1))).result()
    assert seen.wait(10)
    stop()
    command.close()


def test_a_call_that_fails_undoes_only_itself(database):
    def bad(session):
        tables.put_budget(session, tables.BudgetRow("bad", "day", 1, 0, 1))
        raise ZeroDivisionError

    good = database.call(lambda s: tables.put_budget(s, tables.BudgetRow("good", "day", 1, 0, 1)))
    with pytest.raises(ZeroDivisionError):
        database.call(bad).result()
    with pytest.raises(StorageError):
        database.call(lambda s: tables.put_budget(s, tables.BudgetRow("x", "year", 1, 0, 1))).result()
    good.result()
    with database.reader() as session:
        assert [row.id for row in tables.budgets(session)] == ["good"]


def test_a_source_that_fails_is_asked_again_and_nothing_of_its_group_stays(database):
    class Stubborn:
        def __init__(self):
            self.tries, self.done, self.undone = 0, threading.Event(), 0

        def before(self):
            pass

        def pending(self):
            return not self.done.is_set()

        def post(self, session):
            if self.done.is_set():
                return
            self.tries += 1
            tables.put_budget(session, tables.BudgetRow(f"b{self.tries}", "day", 1, 0, 1))
            if self.tries == 1:
                raise OSError("disk")

        def committed(self):
            self.done.set()

        def rolled_back(self):
            self.undone += 1

    source = Stubborn()
    database.attach(source)
    database.nudge()
    assert source.done.wait(10)
    database.detach(source)
    assert (source.tries, source.undone) == (2, 1)
    with database.reader() as session:
        assert [row.id for row in tables.budgets(session)] == ["b2"]


def test_what_was_called_before_close_is_committed_and_later_calls_are_refused(database):
    for number in range(100):
        database.call(lambda s, n=number: tables.put_budget(s, tables.BudgetRow(f"{n:03}", "day", 1, 0, 1)))
    database.close()
    with pytest.raises(StorageError, match="closed"):
        database.call(tables.budgets).result()
    database.open()
    assert len(database.call(tables.budgets).result()) == 100


@pytest.mark.parametrize("damage", ["header", "page"])
def test_a_damaged_database_is_refused_and_said_so(tmp_path, damage):
    path = tmp_path / "s.db"
    database = Database(SystemEnv(), path)
    database.open()
    for number in range(300):
        database.call(lambda s, n=number: tables.put_budget(s, tables.BudgetRow(f"{n}" * 20, "day", 1, 0, 1))).result()
    database.close()
    data = bytearray(path.read_bytes())
    if damage == "header":
        data[:16] = b"not a database!!"
    else:
        data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(bytes(data))
    with pytest.raises(StorageError) as told:
        Database(SystemEnv(), path).open()
    assert told.value.code == "storage_corrupt" and told.value.hint
    path.unlink()
    database.open()
    database.close()
