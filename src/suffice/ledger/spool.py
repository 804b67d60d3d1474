"""Between the event loop and the writer thread: entries wait here until the store has committed them.

Must not drop anything. Invariant: an entry leaves the queue, and its segment the disk, only after its commit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from suffice.errors import LedgerError
from suffice.ledger import posting
from suffice.ledger.journal import Journal
from suffice.ledger.records import Entry, Opened
from suffice.storage.tables import Session

GROUP_ENTRIES = 2000


class Spool:
    """A `storage.Source`: `put` belongs to the event loop, everything else to the writer thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._queue: deque[tuple[int, Entry, Opened | None]] = deque()
        self._posting = 0
        self._dropped = 1
        self._barriers: deque[Callable[[LedgerError | None], None]] = deque()
        self.repeats = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, entry: Entry, opened: Opened | None) -> None:
        """Queue an entry that the journal has (or, in an emergency, only memory)."""
        self._queue.append((self._journal.segment, entry, opened))

    def barrier(self, done: Callable[[LedgerError | None], None]) -> None:
        """Call `done` on the writer thread once everything appended so far is on disk."""
        self._barriers.append(done)

    def before(self) -> None:
        """Sync the journal when somebody waits for it."""
        waiting = [self._barriers.popleft() for _ in range(len(self._barriers))]
        if not waiting:
            return
        problem = None
        try:
            self._journal.sync()
        except OSError as error:
            problem = LedgerError(f"the journal could not be forced to disk: {error.strerror}")
        for done in waiting:
            done(problem)

    def pending(self) -> bool:
        """True when entries wait."""
        return bool(self._queue)

    def post(self, session: Session) -> None:
        """Book what waits, without taking it out of the queue yet."""
        self._posting = min(len(self._queue), GROUP_ENTRIES)
        batch = [(self._queue[i][1], self._queue[i][2]) for i in range(self._posting)] if self._posting else []
        self.repeats += posting.post(session, self._journal.boot, batch) if batch else 0

    def committed(self) -> None:
        """Take out what was booked, and remove the segments that nothing waits for."""
        for _ in range(self._posting):
            self._queue.popleft()
        self._posting = 0
        # A segment read before the queue is looked at: an entry put in between belongs to it or to a later one.
        segment = self._journal.segment
        oldest = self._queue[0][0] if self._queue else segment
        if oldest > self._dropped:
            self._dropped = oldest
            self._journal.drop_before(oldest)

    def rolled_back(self) -> None:
        """Nothing was booked; the next group books the same entries."""
        self._posting = 0
