"""What `gate-tools` costs a client: `python -m bench.holding [ROUNDS] [--json FILE]`.

One gateway process before one scripted provider; the same request goes through in `commit` and in `gate-tools`, by turns. Per
client dialect and size of the conversation: milliseconds until the first text and until the end of the answer, medians of
each mode, and the median of the paired differences. The provider waits nowhere, so the end in `commit` is the call's own
generation; the difference at the end is what holding and judging add. Beside it, on Linux, the processor time that the gateway
spent on a request in each mode: it does not move with what else runs on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx2 as httpx

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, ToolCall

TOML = """version = 1
[server]
port = {port}
control_port = {control}
[log]
level = "warning"
[storage]
path = "{folder}/data"
[endpoints.a]
provider = "openai"
base_url = "{url}"
private = true
dialects = ["chat"]
models = ["gpt-5.5"]
"""
SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("path", "old_str", "new_str")},
    "required": ["path", "old_str", "new_str"],
}
WORD = "Loo"
MODES = ("commit", "gate-tools")


def source(size: int) -> str:
    """Return about `size` characters of Python."""
    body = "".join(f"def f{n}(a, b):\n    return a - b + {n}\n\n\n" for n in range(size // 45))
    return body + "def add(a, b):\n    return a - b\n"


def behaviour() -> Behaviour:
    """Return text and an edit of about 4 KB that applies."""
    new = "    return a + b\n\n\n" + source(4000)
    arguments = json.dumps(
        {"path": "calc.py", "old_str": "def add(a, b):\n    return a - b\n", "new_str": f"def add(a, b):\n{new}"}
    )
    return Behaviour(
        text=f"{WORD}king at the file now.", tool_calls=(ToolCall(name="str_replace", arguments=arguments),)
    )


def request(dialect: str, size: int) -> tuple[str, dict[str, Any]]:
    """Return path and body of an agent's turn that has read a file of `size` characters."""
    text, ask, read = source(size), "Fix the bug in calc.py.", {"path": "calc.py"}
    if dialect == "messages":
        history: list[Any] = [
            {"role": "user", "content": ask},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "r1", "name": "read_file", "input": read}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "r1", "content": text}]},
        ]
        tools: list[Any] = [{"name": name, "input_schema": SCHEMA} for name in ("read_file", "str_replace")]
        return "/messages", {"max_tokens": 8000, "messages": history, "tools": tools}
    if dialect == "responses":
        history = [
            {"role": "user", "content": ask},
            {"type": "function_call", "call_id": "r1", "name": "read_file", "arguments": json.dumps(read)},
            {"type": "function_call_output", "call_id": "r1", "output": text},
        ]
        tools = [{"type": "function", "name": name, "parameters": SCHEMA} for name in ("read_file", "str_replace")]
        return "/responses", {"input": history, "tools": tools, "store": False}
    call = {"id": "r1", "type": "function", "function": {"name": "read_file", "arguments": json.dumps(read)}}
    history = [
        {"role": "user", "content": ask},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "r1", "content": text},
    ]
    tools = [{"type": "function", "function": {"name": n, "parameters": SCHEMA}} for n in ("read_file", "str_replace")]
    return "/chat/completions", {"messages": history, "tools": tools}


async def once(client: httpx.AsyncClient, url: str, body: bytes, mode: str) -> tuple[float, float]:
    """Return milliseconds until the first text and until the end. Raises RuntimeError for a wrong answer."""
    seen, first = b"", 0.0
    headers = {"content-type": "application/json", "x-suffice-mode": mode}
    begun = time.perf_counter()
    async with client.stream("POST", url, content=body, headers=headers) as got:
        async for chunk in got.aiter_raw():
            seen += chunk
            if not first and WORD.encode() in seen:
                first = time.perf_counter()
    ended = time.perf_counter()
    if not first or b"str_replace" not in seen or b"error" in seen[-300:]:
        raise RuntimeError(f"a wrong answer in {mode}: {seen[-300:]!r}")
    return (first - begun) * 1000, (ended - begun) * 1000


def busy_ms(pid: int) -> float:
    """Return how long the first thread of a process has run, in milliseconds; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
    except (OSError, ValueError, IndexError):
        return 0.0


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


async def ready(client: httpx.AsyncClient, url: str, patience_s: float = 60.0) -> None:
    """Wait until the gateway answers. Raises TimeoutError."""
    async with asyncio.timeout(patience_s):
        while True:
            try:
                if (await client.get(f"{url}/models")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def measure(url: str, rounds: int, pid: int) -> list[dict[str, Any]]:
    """Return one row for each dialect and size."""
    rows = []
    async with httpx.AsyncClient(timeout=60.0) as client:
        await ready(client, url)
        for dialect in ("chat", "messages", "responses"):
            for size in (4_000, 100_000):
                path, fields = request(dialect, size)
                body = json.dumps({"model": "openai/gpt-5.5", "stream": True, **fields}).encode()
                found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
                for at in range(rounds + 5):
                    for mode in MODES if at % 2 else MODES[::-1]:
                        busy = busy_ms(pid)
                        times = await once(client, url + path, body, mode)
                        if at >= 5:
                            found[mode].append((*times, busy_ms(pid) - busy))
                row: dict[str, Any] = {"dialect": dialect, "conversation_bytes": len(body), "rounds": rounds}
                for at, name in enumerate(("first_text", "end", "busy")):
                    plain, held = ([one[at] for one in found[mode]] for mode in MODES)
                    row[f"{name}_commit_ms"] = round(statistics.median(plain), 2)
                    row[f"{name}_gate_tools_ms"] = round(statistics.median(held), 2)
                    added = statistics.median([b - a for a, b in zip(plain, held, strict=True)])
                    row[f"{name}_added_ms"] = round(added, 2)
                rows.append(row)
    return rows


async def run(rounds: int) -> list[dict[str, Any]]:
    """Start provider and gateway, measure, stop both."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        async with FakeProvider(behaviour(), models=("gpt-5.5",), record=False) as fake:
            config = Path(folder) / "suffice.toml"
            config.write_text(TOML.format(port=port, control=free_port(), folder=folder, url=fake.base_url))
            command = [sys.executable, "-m", "suffice.cli.main", "serve", "--config", str(config)]
            process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
            try:
                return await measure(f"http://127.0.0.1:{port}/v1", rounds, process.pid)
            finally:
                process.terminate()
                process.wait(20)


def main(arguments: list[str] | None = None) -> int:
    """Print one table; with --json also write the rows."""
    parser = argparse.ArgumentParser(prog="bench.holding", description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=60)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(arguments)
    rows = asyncio.run(run(args.rounds))
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; medians of {args.rounds} pairs, ms")
    heads = "".join(f"{name:>12}{'held':>9}{'added':>9}" for name in ("first text", "end", "gateway"))
    print(f"{'client':12}{'bytes':>9}{heads}")
    for row in rows:
        cells = [row[f"{n}_{k}_ms"] for n in ("first_text", "end", "busy") for k in ("commit", "gate_tools", "added")]
        numbers = "".join(f"{cell:{width}.2f}" for cell, width in zip(cells, (12, 9, 9) * 3, strict=True))
        print(f"{row['dialect']:12}{row['conversation_bytes']:9}{numbers}")
    if args.json:
        args.json.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
