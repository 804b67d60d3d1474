"""A canned upstream for the client benchmark: as little work per answer as Python allows, in a process of its own.

`python server.py PORT_FILE`: `/small` 1 KB of JSON with a length, `/large` 64 KB; `/burst` 200 chunked events of about
190 bytes written one per turn of the loop, `/paced` 100 of them 5 ms apart, so that the client sees each as a read of its own.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

EVENT = (
    b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"'
    + b"x" * 90
    + b'"}}]}\n\n'
)
FRAME = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
HEADERS = b"".join(b"x-header-%d: value-%d\r\n" % (i, i) for i in range(10))
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + HEADERS


def sized(size: int) -> bytes:
    return HEAD + b"content-length: %d\r\n\r\n" % size + b"a" * size


ANSWERS = {b"s": sized(1024), b"l": sized(65536)}
STREAM_HEAD = HEAD.replace(b"application/json", b"text/event-stream") + b"transfer-encoding: chunked\r\n\r\n"


class Upstream(asyncio.Protocol):
    """Answers when the last byte of a request (its closing brace) is there."""

    def connection_made(self, transport):
        self.transport = transport
        self.start = b""

    def data_received(self, data):
        if not self.start:
            self.start = data
        if not data.endswith(b"}"):
            return
        kind = self.start.partition(b" /")[2][:3]
        self.start = b""
        if kind in (b"bur", b"pac"):
            self.transport.write(STREAM_HEAD)
            self.stream(200 if kind == b"bur" else 100, 0.0 if kind == b"bur" else 0.005)
        else:
            self.transport.write(ANSWERS[kind[:1]])

    def stream(self, left, gap_s):
        if left:
            self.transport.write(FRAME)
            asyncio.get_running_loop().call_later(gap_s, self.stream, left - 1, gap_s)
        else:
            self.transport.write(b"0\r\n\r\n")


async def main(port_file: str) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
    Path(port_file).write_text(str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
