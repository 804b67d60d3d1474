"""The self-test finds leaks: it passes inside each tier, and fails outside of any."""

from __future__ import annotations

import subprocess
import sys

import pytest

from suffice.errors import SandboxError
from suffice.sandbox.limits import KilledBy, RunResult, Tier
from suffice.sandbox.sandbox import Sandbox
from suffice.sandbox.self_test import PROBES_SCRIPT, read_report


def _result(output: bytes) -> RunResult:
    return RunResult(exit_code=0, killed_by=KilledBy.NOTHING, output=output, duration_s=0.1, tier=Tier.LANDLOCK)


async def test_no_leak_inside(sandbox: Sandbox) -> None:
    report = await sandbox.start()
    assert report.leaks == ()
    assert report.probes >= 20
    assert report.tier is sandbox.tier


def test_outside_it_finds_leaks(tmp_path: object) -> None:
    script = PROBES_SCRIPT.replace("kernel/core_pattern", "nowhere").replace("/usr/suffice-probe", "/nowhere/x")
    script = (
        script.replace("/etc/suffice-probe", "/nowhere/x")
        .replace("libc.mount(", "(lambda *a: 1)(")
        .replace("libc.ptrace(", "(lambda *a: 1)(")
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, cwd=str(tmp_path))
    leaks = set(read_report(_result(done.stdout)).leaks)
    assert {"may gain privileges", "seccomp is off", "reads the password file", "inherits an environment"} <= leaks


@pytest.mark.parametrize("output", [b"", b"{}", b"[]", b'{"probes": 1}', b"traceback"])
def test_a_report_that_is_none_is_an_error(output: bytes) -> None:
    with pytest.raises(SandboxError, match="did not finish"):
        read_report(_result(output))


def test_what_must_work_is_told() -> None:
    with pytest.raises(SandboxError, match="makes a process"):
        read_report(_result(b'{"probes": 1, "leaks": [], "broken": ["makes a process: no"]}'))
