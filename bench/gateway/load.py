"""The load generator: keep-alive connections, each answer checked. Runs in a process of its own and prints one JSON line.

Closed loop (`concurrency` connections, each sends when its answer is whole) or open loop (`rate` requests a second). An answer
counts when its status is 200, it reports usage and, for a stream, it ends with `[DONE]`; everything else is an error.
"""

from __future__ import annotations

import asyncio
import json
import sys
from time import perf_counter  # the clock of uvloop has whole milliseconds
from typing import Any

import uvloop

from bench.gateway.bodies import CASES, body


class Load:
    """What is sent, and what came back."""

    def __init__(self, spec: dict[str, Any]) -> None:
        case = next(case for case in CASES if case.name == spec["case"])
        self.head, self.tail = body(case, spec["model"])
        self.stream = bool(case.chunks)
        size = len(self.head) + 8 + len(self.tail)
        lines = ["POST /v1/chat/completions HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
        lines += [f"content-length: {size}", f"authorization: Bearer {spec['key']}", "", ""]
        self.lines = "\r\n".join(lines).encode()
        self.sent = spec["first"]
        self.good = 0
        self.errors: list[str] = []
        self.latency_s: list[float] = []
        self.open = True

    def next(self) -> bytes:
        """Return the bytes of one more request."""
        self.sent += 1
        return b"".join((self.lines, self.head, b"%08d" % self.sent, self.tail))


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load, loop: asyncio.AbstractEventLoop) -> None:
        self.load, self.loop = load, loop
        self.parts: list[bytes] = []
        self.size, self.want = 0, 0
        self.idle = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def send(self) -> None:
        """Send one request."""
        self.idle = self.loop.create_future()
        self.begun_s = perf_counter()
        self.transport.write(self.load.next())

    def data_received(self, data: bytes) -> None:
        """Collect an answer until it is whole."""
        self.parts.append(data)
        self.size += len(data)
        if self.want == 0:
            whole = b"".join(self.parts)
            head, blank, _ = whole.partition(b"\r\n\r\n")
            if not blank:
                return
            at = head.lower().find(b"content-length:")
            self.want = -1 if at < 0 else len(head) + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
        ended = self.size >= self.want if self.want > 0 else (self.parts[-1][-5:] == b"0\r\n\r\n" or self._tail())
        if ended:
            self._done(b"".join(self.parts))

    def _tail(self) -> bool:
        return len(self.parts[-1]) < 5 and b"".join(self.parts[-3:])[-5:] == b"0\r\n\r\n"

    def _done(self, answer: bytes) -> None:
        self.parts, self.size, self.want = [], 0, 0
        load = self.load
        right = answer[9:12] == b"200" and b'"prompt_tokens":300' in answer.replace(b": ", b":")
        if right and (not load.stream or b"data: [DONE]" in answer):
            load.good += 1
            load.latency_s.append(perf_counter() - self.begun_s)
        else:
            load.errors.append(f"{answer[:60]!r} ... {answer[-300:]!r}")
        if not self.idle.done():
            self.idle.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """A closed connection in the middle of an answer is an error."""
        if not self.idle.done():
            self.load.errors.append("connection lost")
            self.idle.set_result(None)


async def run(spec: dict[str, Any]) -> dict[str, Any]:
    """Run one load and return what came of it."""
    loop = asyncio.get_running_loop()
    load = Load(spec)
    clients = []
    for _ in range(spec["concurrency"]):
        _, client = await loop.create_connection(lambda: Client(load, loop), "127.0.0.1", spec["port"])
        clients.append(client)
    begun, until = loop.time(), loop.time() + spec["seconds"]

    async def closed(client: Client) -> None:
        while loop.time() < until and load.sent - spec["first"] < spec["most"]:
            client.send()
            await asyncio.wait_for(client.idle, 60)
            if client.transport.is_closing():
                return

    async def paced(client: Client, number: int) -> None:
        at = begun + number / spec["rate"]
        while at < until:
            await asyncio.sleep(max(0.0, at - loop.time()))
            client.send()
            await asyncio.wait_for(client.idle, 60)
            at += len(clients) / spec["rate"]

    async with asyncio.TaskGroup() as group:
        for number, client in enumerate(clients):
            group.create_task(paced(client, number) if spec["rate"] else closed(client))
    took_s = loop.time() - begun
    for client in clients:
        client.transport.close()
    times = sorted(load.latency_s) or [0.0]
    return {
        "answers": load.good,
        "errors": len(load.errors),
        "first_error": load.errors[0] if load.errors else "",
        "took_s": took_s,
        "p50_ms": times[len(times) // 2] * 1e3,
        "p99_ms": times[min(len(times) - 1, len(times) * 99 // 100)] * 1e3,
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(json.loads(sys.argv[1])))))
