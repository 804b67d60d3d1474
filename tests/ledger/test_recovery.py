from suffice.ledger import recovery
from suffice.ledger.journal import Journal
from suffice.storage import tables
from suffice.storage.database import Database
from suffice.values.system_env import SystemEnv


def test_entries_that_cannot_be_read_are_kept_aside_and_leases_without_a_journal_withheld(tmp_path):
    database = Database(SystemEnv(), tmp_path / "s.db")
    database.open()
    journal = Journal(tmp_path / "journal", "old", segment_bytes=4096)
    journal.append(b"from another version")
    journal.close(remove=False)
    database.call(lambda s: tables.put_budget(s, tables.BudgetRow("b", "total", 100, 0, 1))).result()
    database.call(lambda s: tables.take_lease(s, "gone", "b", 0, 60, 1)).result()
    found = recovery.recover(database, tmp_path / "journal", 0)
    assert (found.boots, found.unreadable, found.lost) == (1, 1, ("gone",))
    assert [p.name for p in (tmp_path / "journal").iterdir()] == ["old.kept"]
    assert recovery.recover(database, tmp_path / "journal", 0).boots == 0
    with database.reader() as session:
        assert session.run("windows") == [("b", 0, 0, 100)]
    database.close()


def test_nothing_to_recover(tmp_path):
    database = Database(SystemEnv(), tmp_path / "s.db")
    database.open()
    assert recovery.recover(database, tmp_path / "journal", 0) == recovery.Recovery()
    database.close()
