"""CPU per request and per stream chunk: our transport beside aiohttp's client, interleaved in one run.

`python bench/transport/run.py [--rounds 5] [--seconds 1.0] [--concurrency 32]`. The server has its own process and, where
there are two cores, its own core; what is counted is the user and system time of this process. Only the ratios mean anything.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import uvloop

from suffice.upstream.endpoints import make_endpoint
from suffice.upstream.transport import Transport
from suffice.values.system_env import SystemEnv

HERE = Path(__file__).parent
# How many units the CPU time of one request is divided by: itself, or its stream events.
CASES = {"small": 1, "large": 1, "upload": 1, "burst": 200, "paced": 100}
STREAMS = ("burst", "paced")
BODIES = {"small": b"{%s}" % (b"a" * 1000), "upload": b"{%s}" % (b"a" * 400_000)}
BODIES |= dict.fromkeys(("large", "burst", "paced"), b"{}")
PATHS = {"small": "/small", "large": "/large", "upload": "/small", "burst": "/burst", "paced": "/paced"}
HEADERS = ((b"content-type", b"application/json"), (b"accept", b"application/json"))


class Ours:
    name = "suffice"

    def __init__(self, port: int) -> None:
        self.transport = Transport(SystemEnv())
        self.endpoint = make_endpoint(
            "e", provider="p", base_url=f"http://127.0.0.1:{port}", private=True, api_key="sk-test"
        )

    async def once(self, case: str) -> tuple[int, int]:
        """Return (body bytes, pieces)."""
        response = await self.transport.request(self.endpoint, b"POST", PATHS[case].encode(), HEADERS, (BODIES[case],))
        if case not in STREAMS:
            return len(await response.read(2**20)), 1
        size = pieces = 0
        while data := await response.chunk():
            size += len(data)
            pieces += 1
        return size, pieces

    async def close(self) -> None:
        await self.transport.close()


class Aiohttp:
    name = "aiohttp"

    def __init__(self, port: int) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=False,
            headers={
                "authorization": "Bearer sk-test",
                "content-type": "application/json",
                "accept": "application/json",
            },
        )
        self.base = f"http://127.0.0.1:{port}"

    async def once(self, case: str) -> tuple[int, int]:
        async with self.session.post(self.base + PATHS[case], data=BODIES[case], allow_redirects=False) as response:
            if case not in STREAMS:
                return len(await response.read()), 1
            size = pieces = 0
            async for data in response.content.iter_any():
                size += len(data)
                pieces += 1
            return size, pieces

    async def close(self) -> None:
        await self.session.close()


async def measure(client: Ours | Aiohttp, case: str, seconds: float, concurrency: int) -> tuple[float, float, int]:
    """Return (CPU µs per request or stream event, pieces per request, requests)."""
    done = pieces = 0
    expected, _ = await client.once(case)
    stop = time.perf_counter() + seconds

    async def worker() -> None:
        nonlocal done, pieces
        while time.perf_counter() < stop:
            size, count = await client.once(case)
            assert size == expected
            done += 1
            pieces += count

    gc.collect()
    before = time.process_time()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    used = (time.process_time() - before) * 1e6
    return used / done / CASES[case], pieces / done, done


async def main(options: argparse.Namespace, port: int) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(options.rounds):
        for case in CASES:
            for kind in (Ours, Aiohttp):
                client = kind(port)
                per_unit, _, _ = await measure(client, case, options.seconds, options.concurrency)
                await client.close()
                found.setdefault(case, {}).setdefault(kind.name, []).append(per_unit)
    return found


def report(found: dict[str, dict[str, list[float]]]) -> None:
    print("| case | suffice, CPU µs | aiohttp, CPU µs | ratio | difference µs |\n|---|---|---|---|---|")
    for case, by_name in found.items():
        ours, theirs = (statistics.median(by_name[name]) for name in ("suffice", "aiohttp"))
        unit = "per event" if case in STREAMS else "per request"
        print(f"| {case}, {unit} | {ours:.1f} | {theirs:.1f} | {theirs / ours:.2f} | {theirs - ours:.0f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        server = subprocess.Popen([sys.executable, str(HERE / "server.py"), str(port_file)])
        try:
            if len(cores) > 1:
                os.sched_setaffinity(server.pid, {cores[0]})
                os.sched_setaffinity(0, {cores[1]})
            while not port_file.exists() or not port_file.read_text():
                time.sleep(0.01)
            found = uvloop.run(main(options, int(port_file.read_text())))
        finally:
            server.terminate()
            server.wait()
    if options.json:
        print(json.dumps(found))
    else:
        report(found)
