"""The embedded store: one writer thread with group commit, readers apart, on SQLite in WAL mode.

Must not know what is stored. Invariants: one process writes (an OS lock says so); a group is committed whole or not at
all; nobody on the event loop waits here unless it awaits a future.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import apsw

from suffice.errors import StorageError
from suffice.storage import migrate, place, statements, tables
from suffice.storage.connection import SqliteSession, told
from suffice.storage.tables import Session
from suffice.values.env import Env

T = TypeVar("T")
POLL_S = 0.4
RETRY_S = 0.1
MAX_CALLS = 10_000


def no_crash(name: str) -> None:
    """The hook of a process that does not want to die at `name`."""


class Source(Protocol):
    """Something that fills every group with work of its own. All methods run on the writer thread."""

    def before(self) -> None:
        """Called before each group, also when there is nothing to post."""
        ...

    def pending(self) -> bool:
        """True when `post` has something to do."""
        ...

    def post(self, session: Session) -> None:
        """Write into the open transaction."""
        ...

    def committed(self) -> None:
        """What was posted is durable."""
        ...

    def rolled_back(self) -> None:
        """What was posted is not; the next group posts it again."""
        ...


class Database:
    """A SQLite database of Suffice. `open` before use, `close` at the end."""

    def __init__(
        self,
        env: Env,
        path: Path,
        *,
        exclusive: bool = True,
        group_s: float = 0.05,
        crash: Callable[[str], None] = no_crash,
    ) -> None:
        """`exclusive` is the gateway; without it (commands) the gateway may run, and only migrates when it does not.

        `group_s` is how long a group waits for company when nobody awaits it.
        """
        self.path = path
        self._env = env
        self._exclusive = exclusive
        self._group_s = group_s
        self._crash = crash
        self._statements = statements.load()
        self._lock: int | None = None
        self._session: SqliteSession | None = None
        self._thread: threading.Thread | None = None
        self._wake, self._urgent, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._calls: deque[tuple[Callable[[Session], Any], Future[Any]]] = deque()
        self._sources: tuple[Source, ...] = ()
        self._listeners: tuple[Callable[[int], None], ...] = ()
        self._generation = 0
        self.failure: StorageError | None = None

    def open(self) -> None:
        """Lock, check, migrate, start the writer. Raises StorageError with what is wrong and what to do."""
        place.prepare(self.path)
        steps = statements.migrations()
        lock_path = self.path.with_name(self.path.name + ".lock")
        try:
            self._lock = place.lock(lock_path)
        except StorageError:
            if self._exclusive:
                raise
        try:
            self._session = SqliteSession(self.path, self._statements, "writer" if self._lock is not None else "admin")
            self._check(self._session)
            if self._lock is not None:
                migrate.migrate(self._session, steps, int(self._env.now()))
            elif migrate.check(self._session, steps[-1][0]) < steps[-1][0]:
                raise StorageError(
                    f"{self.path} is of an older version and in use", hint="restart the gateway with this version first"
                )
            self._generation = tables.generation(self._session)
        except apsw.Error as error:
            self._abandon()
            raise told(error, self.path) from error
        except BaseException:
            self._abandon()
            raise
        if not self._exclusive:
            self._unlock()
        self._stop.clear()
        self._thread = threading.Thread(target=self._serve, name="suffice-storage", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Commit what is waiting, stop the writer, give the lock back. What the disk refused stays in the journals."""
        if self._thread is not None:
            self._stop.set()
            self.wake()
            self._thread.join()
            self._thread = None
        self._abandon()

    def call(self, work: Callable[[Session], T]) -> Future[T]:
        """Run `work` in the next group and return its result once that is durable. Its errors undo only itself."""
        future: Future[T] = Future()
        if self._thread is None or self._stop.is_set() or len(self._calls) >= MAX_CALLS:
            future.set_exception(StorageError(f"{self.path} is closed or overloaded", retryable=True))
            return future
        self._calls.append((work, future))
        self.wake()
        return future

    def nudge(self) -> None:
        """A source has something; a group starts within `group_s`. Cheap when the writer is awake already."""
        if not self._wake.is_set():
            self._wake.set()

    def wake(self) -> None:
        """Somebody waits: start a group now."""
        self._urgent.set()
        self._wake.set()

    def attach(self, source: Source) -> None:
        """Let `source` take part in every group from now on."""
        self._sources = (*self._sources, source)

    def detach(self, source: Source) -> None:
        """Leave `source` out from now on; what it has posted is committed first."""
        self.call(lambda session: None).result()
        self._sources = tuple(s for s in self._sources if s is not source)

    def listen(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener(generation)` on the writer thread within a second of any change of keys or budgets.

        It is also called about twice a second without a change, as the tick of periodic work. Returns how to stop it.
        """
        self._listeners = (*self._listeners, listener)

        def stop() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

        return stop

    @contextmanager
    def reader(self) -> Iterator[Session]:
        """A connection that can only read, closed at the end. Raises StorageError."""
        session = SqliteSession(self.path, self._statements, "reader")
        try:
            yield session
        except apsw.Error as error:
            raise told(error, self.path) from error
        finally:
            session.close()

    def _check(self, session: SqliteSession) -> None:
        found = session.scalar("PRAGMA quick_check(1)")
        if found != "ok":
            raise StorageError(
                f"{self.path} is damaged: {found}",
                code="storage_corrupt",
                hint="restore it from a backup; the ledger's journal folder replays what came after",
            )

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _abandon(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self._unlock()

    def _serve(self) -> None:
        """The writer thread: wait, let a group gather, commit it, until told to stop and nothing waits."""
        while True:
            self._wake.wait(POLL_S)
            if not self._stop.is_set() and self._wake.is_set():
                self._urgent.wait(self._group_s)
            # Cleared before the work is taken: what comes later sets them again and is not missed.
            self._wake.clear()
            self._urgent.clear()
            stopping = self._stop.is_set()
            done = self._group()
            if stopping:
                break
            if not done:
                self._stop.wait(RETRY_S)
                self._wake.set()
            else:
                self._tick()
        while self._calls:
            self._calls.popleft()[1].set_exception(StorageError(f"{self.path} is closed"))

    def _tick(self) -> None:
        assert self._session is not None
        try:
            self._generation = tables.generation(self._session)
        except apsw.Error as error:
            self.failure = told(error, self.path)
            return
        for listener in self._listeners:
            try:
                listener(self._generation)
            except StorageError as error:
                self.failure = error  # told in `failure`; the next tick tries again

    def _group(self) -> bool:
        """Commit one group. Returns False when the database refused it."""
        session, sources = self._session, self._sources
        assert session is not None
        for source in sources:
            source.before()
        taken = [self._calls.popleft() for _ in range(len(self._calls))]
        calls = [call for call in taken if call[1].set_running_or_notify_cancel()]
        if not calls and not any(source.pending() for source in sources):
            return True
        results: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            session.script("BEGIN IMMEDIATE")
            for source in sources:
                source.post(session)
            for work, future in calls:
                results.append((future, *_attempt(session, work)))
            self._crash("writer.before_commit")
            session.script("COMMIT")
            self._crash("writer.after_commit")
        except Exception as error:  # whatever went wrong, the group is undone whole and told to everyone in it
            self.failure = (
                told(error, self.path) if isinstance(error, apsw.Error) else StorageError(f"{self.path}: {error}")
            )
            session.rollback()
            for source in sources:
                source.rolled_back()
            for _, future in calls:
                future.set_exception(self.failure)
            return False
        self.failure = None
        for source in sources:
            source.committed()
        for future, value, problem in results:
            if problem is None:
                future.set_result(value)
            else:
                future.set_exception(problem)
        return True


def _attempt(session: SqliteSession, work: Callable[[Session], T]) -> tuple[T | None, BaseException | None]:
    try:
        with session.savepoint():
            return work(session), None
    except (apsw.FullError, apsw.IOError, apsw.CorruptError):
        raise  # these end the whole transaction
    except apsw.Error as error:
        return None, told(error, session.path)
    except Exception as error:  # told to the caller through its future
        return None, error
