"""A canned provider in a process of its own: `python -m bench.gateway.upstream PORT`.

A body that says `mode=burst` gets 200 chunks as fast as they go, `mode=paced` 100 chunks 10 ms apart, anything else 1 KB of JSON.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

PROMPT_TOKENS, COMPLETION_TOKENS = 300, 120
USAGE = b'"usage":{"prompt_tokens":300,"completion_tokens":120,"total_tokens":420}'
_START = b'"id":"chatcmpl-1","created":1790000000,"model":"gpt-5.5"'
WHOLE = (
    b'{"object":"chat.completion",' + _START + b',"choices":[{"index":0,"message":{"role":"assistant","content":"'
    + b"Done and dusted. " * 45
    + b'"},"finish_reason":"stop"}],' + USAGE + b"}"
)  # fmt: skip
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(WHOLE)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


# LiteLLM ends a stream that repeats itself.
CHUNKS = [
    _frame(
        b'data: {"object":"chat.completion.chunk",' + _START
        + b',"choices":[{"index":0,"delta":{"content":"word %03d and some more words "},"finish_reason":null}]}\n\n' % number
    )
    for number in range(200)
]  # fmt: skip
LAST = _frame(
    b'data: {"object":"chat.completion.chunk",' + _START + b',"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"object":"chat.completion.chunk",' + _START + b',"choices":[],' + USAGE + b"}\n\ndata: [DONE]\n\n"
) + b"0\r\n\r\n"  # fmt: skip


class Upstream(asyncio.Protocol):
    """One connection: one request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start empty."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.parts: list[bytes] = []
        self.missing = -1
        self.tasks: set[asyncio.Task[None]] = set()

    def data_received(self, data: bytes) -> None:
        """Answer when the whole body is there."""
        self.parts.append(data)
        if self.missing < 0:
            data = b"".join(self.parts)
            head, blank, rest = data.partition(b"\r\n\r\n")
            if not blank:
                self.parts = [data]
                return
            at = head.lower().index(b"content-length:") + 15
            self.missing = int(head[at:].split(b"\r\n", 1)[0]) - len(rest)
        else:
            self.missing -= len(data)
        if self.missing > 0:
            return
        body, self.parts, self.missing = b"".join(self.parts), [], -1
        if b"mode=whole" in body:
            self.transport.write(HEAD + WHOLE)
        elif b"mode=" in body:
            task = asyncio.ensure_future(self._stream(paced=b"mode=paced" in body))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        else:
            self.transport.write(HEAD + WHOLE)

    async def _stream(self, *, paced: bool) -> None:
        self.transport.write(STREAM_HEAD)
        for chunk in CHUNKS[: 99 if paced else 199]:
            if self.transport.is_closing():
                return  # whoever asked has left
            self.transport.write(chunk)
            await asyncio.sleep(0.01 if paced else 0)
        self.transport.write(LAST)


async def main(port: int) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
