from suffice.errors import LedgerError
from suffice.ledger.journal import Journal
from suffice.ledger.records import AttemptIntent, Opened
from suffice.ledger.spool import Spool


class NoStore:
    def __init__(self):
        self.many_rows = []

    def savepoint(self):
        from contextlib import nullcontext

        return nullcontext()

    def many(self, name, rows):
        self.many_rows += [(name, row[0]) for row in rows]


def entry(ident):
    return Opened(ident, 0, 1, 1, (), "k", AttemptIntent())


def test_an_entry_stays_until_its_commit_and_its_segment_too(tmp_path):
    journal = Journal(tmp_path, "boot", segment_bytes=256, ballast_bytes=0)
    spool, store = Spool(journal), NoStore()
    for ident in "abcd":
        journal.append(b"x" * 100)
        spool.put(entry(ident), None)
    spool.post(store)
    spool.rolled_back()
    assert len(spool) == 4 and spool.pending() and len(list((tmp_path / "boot").glob("*.seg"))) == 2
    spool.post(store)
    spool.committed()
    assert not spool.pending() and [p.stem for p in (tmp_path / "boot").glob("*.seg")] == ["000000002"]
    assert store.many_rows == [("open_reservation", ident) for ident in "abcdabcd"]
    journal.close(remove=True)


def test_a_barrier_is_called_after_the_sync_or_told_of_its_failure(tmp_path, monkeypatch):
    journal = Journal(tmp_path, "boot", segment_bytes=4096)
    spool, told = Spool(journal), []
    spool.barrier(told.append)
    spool.before()
    monkeypatch.setattr(journal, "sync", lambda: (_ for _ in ()).throw(OSError(5, "I/O error")))
    spool.barrier(told.append)
    spool.before()
    assert told[0] is None and isinstance(told[1], LedgerError)
    journal.close(remove=True)
