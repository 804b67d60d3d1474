"""Resource attacks: each is stopped by its limit, and nothing of it is left."""

from __future__ import annotations

import os

import pytest

from suffice.sandbox.limits import MIB, KilledBy, Limits
from suffice.sandbox.sandbox import Sandbox

SMALL = Limits(
    wall_s=15.0,
    memory_bytes=128 * MIB,
    address_space_bytes=512 * MIB,
    processes=24,
    work_bytes=8 * MIB,
    tmp_bytes=4 * MIB,
)
FORKS = """
import os, time
n = 0
try:
    while n < 200:
        if os.fork() == 0:
            time.sleep(60); os._exit(0)
        n += 1
except OSError: pass
print(n, flush=True)
"""
HOGS = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        block = bytearray(os.urandom(1 << 20) * 40); time.sleep(60)
time.sleep(60)
"""
STUBBORN = "import signal, time\nfor s in (15, 2, 1, 14): signal.signal(s, signal.SIG_IGN)\nwhile True: pass"
FILL = """
import os, sys
total = 0
try:
    for i in range(40):
        with open(f"f{i}", "wb") as f:
            f.write(b"x" * (1 << 20)); f.flush(); os.fsync(f.fileno()); total += 1
except OSError as e: print(e.strerror, total, flush=True)
if total > 30: import time; time.sleep(60)
"""


async def test_a_fork_bomb_stops_at_its_limit(sandbox: Sandbox) -> None:
    result = await sandbox.run(["python3", "-c", FORKS], limits=SMALL)
    assert result.exit_code == 0
    # Of 200 tried. Without a namespace the count is the uid's, which a neighbour may share for a moment.
    assert 10 <= int(result.output) < 100


async def test_many_small_hogs_are_killed_together(sandbox: Sandbox) -> None:
    result = await sandbox.run(["python3", "-c", HOGS], limits=Limits(wall_s=3.0, memory_bytes=128 * MIB))
    # The watchdog kills the run; a control group may kill single hogs instead, and the clock ends the rest.
    assert result.exit_code is None
    assert result.killed_by in (KilledBy.MEMORY, KilledBy.TIMEOUT)


async def test_one_hog_gets_a_memory_error(sandbox: Sandbox) -> None:
    result = await sandbox.run(["python3", "-c", "bytearray(4 << 30)"], limits=SMALL)
    assert result.exit_code == 1
    assert b"MemoryError" in result.output


@pytest.mark.parametrize("code", [STUBBORN, "import time; time.sleep(60)"])
async def test_time_ends_what_ignores_signals(sandbox: Sandbox, code: str) -> None:
    result = await sandbox.run(["python3", "-c", code], limits=Limits(wall_s=0.5))
    assert result.timed_out
    assert result.exit_code is None


async def test_a_flood_of_output_is_cut(sandbox: Sandbox) -> None:
    result = await sandbox.run(["yes"], limits=SMALL)
    assert result.killed_by is KilledBy.OUTPUT
    assert len(result.output) == SMALL.output_bytes


async def test_the_work_tree_is_bounded(sandbox: Sandbox) -> None:
    result = await sandbox.run(["python3", "-c", FILL], limits=SMALL)
    assert result.killed_by is KilledBy.DISK or b"No space left" in result.output


async def test_a_huge_file_is_refused(sandbox: Sandbox) -> None:
    code = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); open('f', 'wb').truncate(10 << 40)"
    result = await sandbox.run(["python3", "-c", code], limits=SMALL)
    assert b"File too large" in result.output


async def test_a_daemon_does_not_outlive_the_run(sandbox: Sandbox) -> None:
    mark = f"daemon-{os.getpid()}-{sandbox.tier}"
    script = f"setsid sh -c 'setsid sleep 63 {mark} & sleep 62' {mark} >/dev/null 2>&1 & exit 0"
    result = await sandbox.run(["sh", "-c", script], limits=SMALL)
    assert result.exit_code == 0
    alive = [pid for pid in os.listdir("/proc") if pid.isdigit() and mark in _command(pid)]
    assert alive == []


def _command(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/cmdline") as f:
            return f.read()
    except OSError:
        return ""
