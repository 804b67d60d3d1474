"""Times what a gate that runs code costs beside the code itself: one launch of the sandbox, in every tier that works here.

From the call of `run` to its result, staging and removal of the files included (`bench/sandbox.py` has more commands). Wall
clock, so other work on the machine counts too.
"""

from __future__ import annotations

import time
from typing import Any

from suffice.errors import SandboxError
from suffice.sandbox.limits import Tier
from suffice.sandbox.sandbox import Sandbox

COMMANDS = {"launch": ["true"], "launch-python": ["python3", "-I", "-S", "-c", "pass"]}


async def launches(runs: int) -> list[dict[str, Any]]:
    """Return one row for each tier and command, in the form of the bench's rows; none for a tier that does not work here."""
    rows: list[dict[str, Any]] = []
    for tier in Tier:
        box = Sandbox(tiers=(tier,), concurrency=1)
        try:
            await box.start()
        except SandboxError:
            continue
        try:
            for kind, argv in COMMANDS.items():
                rows.append(await _row(box, f"sandbox-{tier}", kind, argv, runs))
        finally:
            await box.stop()
    return rows


async def _row(box: Sandbox, gate: str, kind: str, argv: list[str], runs: int) -> dict[str, Any]:
    times_ms, passed = [], 0
    for _ in range(runs):
        begin = time.perf_counter()
        passed += (await box.run(argv, {"answer.py": b"x = 1\n"})).passed
        times_ms.append((time.perf_counter() - begin) * 1000)
    times_ms.sort()
    counts = {"n": runs, "rejected": runs - passed, "accepted": passed, "unknown": 0, "excluded": 0}
    return {
        "gate": gate,
        "kind": kind,
        "language": "",
        "task_set": "",
        **counts,
        "rate": round(1 - passed / runs, 5),
        "p50_ms": round(times_ms[runs // 2], 3),
        "p95_ms": round(times_ms[int(runs * 0.95)], 3),
    }
