"""Launch time of the sandbox: `python -m bench.sandbox [RUNS]` prints p50 and p95 per tier and command, in milliseconds.

Measured from the call of `run` to its result: the job's way to the fork server, staging, launch, the command, the end of
every process and the removal of its files.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time

from suffice.errors import SandboxError
from suffice.sandbox.limits import Tier
from suffice.sandbox.sandbox import Sandbox

COMMANDS = {
    "true": ["true"],
    "python3 -I -S -c pass": ["python3", "-I", "-S", "-c", "pass"],
    "python3 -c 'import unittest'": ["python3", "-c", "import unittest"],
}


async def measure(box: Sandbox, argv: list[str], runs: int) -> list[float]:
    """Return sorted seconds of `runs` runs, one after the other."""
    out = []
    for _ in range(runs):
        begin = time.perf_counter()
        result = await box.run(argv, {"answer.py": b"x = 1\n"})
        out.append(time.perf_counter() - begin)
        assert result.passed, result
    return sorted(out)


async def main(runs: int) -> None:
    """Print one table."""
    print(
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; the baseline row is the same program unconfined"
    )
    print(f"{'tier':12}{'command':32}{'p50 ms':>9}{'p95 ms':>9}   ({runs} runs)")
    for name, argv in COMMANDS.items():
        times = []
        for _ in range(runs):
            begin = time.perf_counter()
            subprocess.run(argv, check=True)
            times.append(time.perf_counter() - begin)
        times.sort()
        print(f"{'(none)':12}{name:32}{times[runs // 2] * 1000:9.1f}{times[int(runs * 0.95)] * 1000:9.1f}")
    for tier in Tier:
        try:
            begin = time.perf_counter()
            box = Sandbox(tiers=(tier,), concurrency=4)
            report = await box.start()
            ready_s = time.perf_counter() - begin
        except SandboxError as e:
            print(f"{tier:12}{e.message}")
            continue
        print(f"{tier:12}{f'start with {report.probes} probes':32}{ready_s * 1000:9.1f}")
        for name, argv in COMMANDS.items():
            times = await measure(box, argv, runs)
            print(f"{tier:12}{name:32}{times[runs // 2] * 1000:9.1f}{times[int(runs * 0.95)] * 1000:9.1f}")
        begin = time.perf_counter()
        await asyncio.gather(*(box.run(["true"]) for _ in range(runs)))
        print(f"{tier:12}{'launches per second, 4 at once':32}{runs / (time.perf_counter() - begin):9.1f}")
        await box.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
