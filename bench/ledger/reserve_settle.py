"""What the ledger costs per request: event-loop CPU of reserve + settle (journal writes included), and end-to-end rates.

Run: .venv/bin/python bench/ledger/reserve_settle.py [REQUESTS]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from suffice.ledger.book import Ledger
from suffice.ledger.budgets import Budget
from suffice.ledger.records import AttemptIntent, AttemptResult
from suffice.storage.database import Database
from suffice.values.system_env import SystemEnv
from suffice.values.usage import Usage

BUDGETS = ("key", "team")
BURST = 20


def intent() -> AttemptIntent:
    return AttemptIntent(
        owner="ann", team="core", session="s-1234567890", task="edit", language="python", model_requested="auto",
        model="openai/gpt-5-mini", endpoint="openai", client_dialect="openai", upstream_dialect="openai",
        price_version="2026-11-01",
    )  # fmt: skip


def result() -> AttemptResult:
    return AttemptResult(
        charge_nano=123456, usage=Usage(input_tokens=1200, cache_read_tokens=9000, output_tokens=400), reference_nano=923456,
        http_status=200, upstream_request_id="req_0123456789abcdef", upstream_model="gpt-5-mini-2026-08", connect_ms=3,
        first_token_ms=210, total_ms=2100, bytes_in=9000, bytes_out=48000,
    )  # fmt: skip


async def measure(durability: str, requests: int, folder: Path) -> tuple[float, float, float]:
    """Return (event-loop CPU µs per request, all CPU µs per request, requests per second)."""
    env = SystemEnv()
    database = Database(env, folder / "suffice.db")
    database.open()
    ledger = Ledger(env, database, folder / "journal", durability=durability)
    await ledger.start()
    await ledger.define_budgets([Budget(id=name, limit=10**15) for name in BUDGETS])
    numbers, loop_s = iter(range(requests)), 0.0

    async def client() -> None:
        nonlocal loop_s
        for number in numbers:
            begin = time.thread_time()
            held = ledger.reserve(f"req-{number:012d}-abcdefgh", 0, "key-1", BUDGETS, 500_000, intent())
            loop_s += time.thread_time() - begin
            await (ledger.durable(held) if durability == "strict" else asyncio.sleep(0))
            begin = time.thread_time()
            ledger.settle(held, result())
            loop_s += time.thread_time() - begin
            if number % BURST == 0:
                await asyncio.sleep(0.002)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(64)))
    wall = time.perf_counter() - wall
    await ledger.stop()
    cpu = time.process_time() - cpu
    database.close()
    return loop_s / requests * 1e6, cpu / requests * 1e6, requests / wall


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print("durability  event loop µs  all threads µs  requests/s (64 in flight)")
    for durability in ("standard", "strict"):
        with tempfile.TemporaryDirectory() as folder:
            loop_us, cpu_us, rate = asyncio.run(measure(durability, requests, Path(folder)))
        print(f"{durability:10} {loop_us:14.1f} {cpu_us:15.1f} {rate:11.0f}")


if __name__ == "__main__":
    main()
