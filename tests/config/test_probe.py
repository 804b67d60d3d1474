import asyncio
import contextlib

import pytest

from suffice.config.discover import ServedModel
from suffice.config.probe import probe


@contextlib.asynccontextmanager
async def serving(answer: bytes | None):
    """A server on loopback that sends `answer` and closes; None says nothing and stays."""
    seen = []
    done = asyncio.Event()

    async def handle(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        if answer is None:
            await done.wait()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        done.set()
        server.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


async def test_a_model_server():
    async with serving(OK + b'{"object":"list","data":[{"id":"m","owned_by":"vllm","x":1},{"id":"n"}]}') as (
        port,
        seen,
    ):
        assert await probe(port, 5) == (ServedModel(id="m", owned_by="vllm"), ServedModel(id="n"))
    assert seen[0].startswith(b"GET /v1/models HTTP/1.0\r\nHost: 127.0.0.1:")


STRANGERS = [
    b"",
    b"SSH-2.0-x\r\n",
    b"HTTP/1.1 404 No\r\n\r\n{}",
    OK + b"<html>",
    OK + b"{}",
    OK + b'{"data":[{"id":1}]}',
    OK + b'{"data":[{"id":"\xff"}]}',
    OK + b"[" * 100_000,
    OK + b" " * 2_000_000,
]


@pytest.mark.parametrize("answer", STRANGERS, ids=range(len(STRANGERS)))
async def test_anything_else_is_no_server(answer):
    async with serving(answer) as (port, _):
        assert await probe(port, 5) is None


async def test_silence_and_absence():
    async with serving(None) as (port, _):
        assert await probe(port, 0.05) is None
    assert await probe(port, 0.05) is None
