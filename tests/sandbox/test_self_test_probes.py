"""The hundred probes: what code inside must not be able to do, tried on a host with real secrets, services and processes.

The list is probes/probes.txt; each tier tries all of them in one launch. The Landlock tier hides less: what it lets through
is named here, and nothing else may be.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from suffice.sandbox.limits import Limits, Tier
from suffice.sandbox.sandbox import Sandbox
from suffice.sandbox.syscalls import NUMBERS

FOLDER = Path(__file__).parent / "probes"
LINES = [line for line in (FOLDER / "probes.txt").read_text().splitlines() if line and not line.startswith("#")]
PROBES = [tuple(part.strip() for part in line.split("|", 1)) for line in LINES]
KNOWN: dict[Tier, set[str]] = {Tier.BUBBLEWRAP: set(), Tier.LANDLOCK: set()}
_KEY = 0x5FF1CE


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Things worth stealing: a service, sockets, a secret file and variable, a process, shared memory."""
    mark = f"suffice-probe-{os.getpid()}"
    monkeypatch.setenv("OPENAI_API_KEY", mark)
    secret = Path("/tmp") / mark
    secret.write_text("secret")
    secret.chmod(0o644)
    shm = Path("/dev/shm") / mark
    shm.write_text("secret")
    libc = ctypes.CDLL(None)
    segment = libc.shmget(_KEY, 4096, 0o1666)
    service, unix, abstract = (
        socket.create_server(("127.0.0.1", 0)),
        socket.socket(socket.AF_UNIX),
        socket.socket(socket.AF_UNIX),
    )
    unix.bind(f"/tmp/{mark}.sock")
    os.chmod(f"/tmp/{mark}.sock", 0o777)
    abstract.bind("\0" + mark)
    unix.listen()
    abstract.listen()
    sleeper = subprocess.Popen(["sh", "-c", "sleep 100; exit 0", mark], start_new_session=True)
    try:
        yield {
            "port": service.getsockname()[1], "unix": f"/tmp/{mark}.sock", "abstract": mark, "secret": str(secret), "token": mark,
            "marker": mark, "pid": sleeper.pid, "mark": mark, "shm": mark, "shm_key": _KEY,
        }  # fmt: skip
    finally:
        os.killpg(sleeper.pid, signal.SIGKILL)
        sleeper.wait()
        for opened in (service, unix, abstract):
            opened.close()
        for path in (secret, shm, Path(f"/tmp/{mark}.sock")):
            path.unlink()
        libc.shmctl(segment, 0, None)


async def test_no_probe_gets_through(sandbox: Sandbox, host: dict[str, Any]) -> None:
    machine = platform.machine()
    job = {"host": host, "numbers": NUMBERS[machine], "probes": PROBES}
    core_pattern = Path("/proc/sys/kernel/core_pattern").read_text()
    result = await sandbox.run(
        ["python3", "-c", (FOLDER / "driver.py").read_text()],
        stdin=json.dumps(job).encode(),
        limits=Limits(wall_s=30.0),
    )
    *said, last = result.output.decode().splitlines()
    report = json.loads(last)
    assert set(report["through"]) <= KNOWN[sandbox.tier], said
    assert report["strange"] == [], said
    assert Path("/proc/sys/kernel/core_pattern").read_text() == core_pattern


async def test_the_probes_find_an_open_door(host: dict[str, Any]) -> None:
    """Harmless ones among them, outside of any sandbox, must succeed, or the test above shows nothing."""
    names = {
        "TCP to a host service on loopback", "host's unix socket by path", "host's abstract unix socket",
        "secret file of the host",
        "secret in the environment", "password file", "host's temporary files", "command line of a host process",
        "signal a host process", "shared memory of the host", "System V shared memory of the host", "netlink",
        "privileges can be gained", "seccomp is off",
    }  # fmt: skip
    job = {"host": host, "numbers": NUMBERS[platform.machine()], "probes": [p for p in PROBES if p[0] in names]}
    done = subprocess.run(
        ["python3", FOLDER / "driver.py"], input=json.dumps(job), capture_output=True, text=True, timeout=60
    )
    assert set(json.loads(done.stdout)["through"]) == names, done.stderr


def test_there_are_at_least_ninety() -> None:
    assert len(PROBES) >= 90
    assert len({name for name, _ in PROBES}) == len(PROBES)
    for _, code in PROBES:
        compile(code, "probe", "eval")
