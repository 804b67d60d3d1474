"""A clock that tests turn by hand, and a ledger on a fresh folder."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from suffice.ledger.book import Ledger
from suffice.storage.database import Database
from suffice.values.system_env import SystemEnv


class TurnedEnv(SystemEnv):
    """The real environment with a wall clock that stands still until it is turned."""

    def __init__(self, at_s: float = 1_800_000_000.0) -> None:
        self.at_s = at_s

    def now(self) -> float:
        return self.at_s


@pytest.fixture
def env() -> TurnedEnv:
    return TurnedEnv()


@asynccontextmanager
async def opened(env, folder: Path, **options):
    """Yield (database, ledger) on `folder`, stopped in order at the end."""
    database = Database(env, folder / "suffice.db")
    database.open()
    try:
        ledger = Ledger(env, database, folder / "journal", **options)
        await ledger.start()
        yield database, ledger
        await ledger.stop()
    finally:
        database.close()


@pytest.fixture
def book(env, tmp_path):
    """A function that opens the ledger of this test's folder."""
    return lambda **options: opened(env, tmp_path, **options)
