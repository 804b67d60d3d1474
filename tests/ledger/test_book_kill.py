"""kill -9 at every hook and under load: nothing billed is missing, nothing is there twice, no limit is passed (I1-I6)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from suffice.ledger import queries
from suffice.ledger.book import Ledger
from suffice.storage.database import Database
from suffice.values.system_env import SystemEnv

CHILD = Path(__file__).with_name("billing_child.py")
ROOM = 10**12


def start(folder: Path, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(CHILD), str(folder), *map(str, arguments)])


def noted(path: Path) -> dict[tuple[str, int], int]:
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    out = {(ident, int(attempt)): int(cost) for ident, attempt, cost in (line.split() for line in lines)}
    assert len(out) == len(lines)
    return out


async def recovered(folder: Path) -> Database:
    """Recover as the next start does, and leave the database open."""
    database = Database(SystemEnv(), folder / "suffice.db")
    database.open()
    ledger = Ledger(SystemEnv(), database, folder / "journal")
    await ledger.start()
    await ledger.stop()
    return database


def audit(folder: Path, limit: int = ROOM) -> None:
    """Check I1 to I6 against the provider's journal."""
    database = asyncio.run(recovered(folder))
    try:
        with database.reader() as session:
            assert queries.verify(session) == ()
            rows = {(a.row.request_id, a.row.attempt): a.row for a in queries.recent(session, 10**6)}
            assert session.run("counts")[0][:2] == (len(rows), 0)
            spent = {budget: (nano, leased) for budget, _, nano, leased in session.run("windows")}
    finally:
        database.close()
    billed, acked = noted(folder / "bill"), noted(folder / "acked")
    for ident, cost in billed.items():
        assert rows[ident].charge_nano >= cost, f"{ident} was billed {cost}"
    for ident, cost in acked.items():
        assert (rows[ident].kind, rows[ident].charge_nano) == ("S", cost)
    assert spent.get("team", (0, 0)) == (sum(row.charge_nano for row in rows.values()), 0)
    assert sum(billed.values()) <= spent.get("team", (0, 0))[0] <= limit
    assert not any((folder / "journal").iterdir())


@pytest.mark.parametrize("part", range(4))
def test_every_crash_point_alone(tmp_path, part):
    """Each hook of a short run kills a process of its own; the run is the same up to its death."""
    whole = tmp_path / "whole"
    whole.mkdir()
    assert start(whole, 0, 5, 2, ROOM, 1).wait() == 0
    hooks = (whole / "trail").read_text().split()
    assert {"reserve.before_append", "reserve.after_append", "settle.before_append", "settle.after_append"} < set(hooks)
    audit(whole)
    points = range(1 + part, len(hooks) + 1, 4)
    folders = {point: tmp_path / str(point) for point in points}
    for point, folder in folders.items():
        folder.mkdir()
        code = start(folder, point, 5, 2, ROOM, 1).wait()
        # How many groups the writer makes is up to the threads, so the last hooks may not be reached.
        assert code == -signal.SIGKILL or (code == 0 and point > len(hooks) - 8)
        audit(folder)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_death_during_recovery(tmp_path, step):
    """Recovery itself dies at its hooks, and the next one makes it whole."""
    assert start(tmp_path, 30, 40, 4, ROOM, 2).wait() == -signal.SIGKILL
    assert start(tmp_path, step, 3, 1, ROOM, 3).wait() in (-signal.SIGKILL, 0)
    audit(tmp_path)


def kills(folder: Path, count: int, limit: int, *extra: str) -> None:
    chance = random.Random(count)
    for number in range(count):
        child = start(folder, 0, 10**9, 24, limit, number, *extra)
        deadline = time.monotonic() + 20
        seen = len(noted(folder / "bill")) if (folder / "bill").exists() else 0
        # The kill comes while requests are under way, not while the process is still importing.
        while time.monotonic() < deadline and child.poll() is None:
            if (
                (folder / "bill").exists()
                and (folder / "bill").stat().st_size > seen * 8 + 1
                and noted_more(folder, seen)
            ):
                break
            time.sleep(0.005)
        time.sleep(chance.random() * 0.08)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    audit(folder, limit)
    assert len(noted(folder / "bill")) > 10 * count


def noted_more(folder: Path, seen: int) -> bool:
    return (folder / "bill").read_bytes().count(b"\n") > seen


def test_kills_under_load(tmp_path):
    kills(tmp_path, 10, ROOM)


def test_kills_under_load_strict(tmp_path):
    kills(tmp_path, 10, ROOM, "strict")


@pytest.mark.long
def test_a_hundred_kills(tmp_path):
    kills(tmp_path, 100, ROOM)
