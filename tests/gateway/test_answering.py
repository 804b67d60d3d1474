import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

HEAD = b"POST /v1/x?a=%20b HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\n"
ASK = HEAD + b"\r\nab"
LAST = HEAD + b"Connection: close\r\n\r\nab"


async def whole(scope: Any, receive: Any, send: Any) -> None:
    scope["suffice.answer"].whole(200, [(b"content-type", b"text/plain")], (await receive())["body"])


async def pieces(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    answer = scope["suffice.answer"]
    answer.head(200, [(b"content-type", b"text/event-stream")])
    answer.push(b"one")
    answer.push(b"")
    answer.push(b"two")
    answer.end(b"three" if scope["query_string"] == b"a=%20b" else b"")


def begun(then: Callable[[Any], Awaitable[None]]) -> Any:
    """An application that gives the head of an answer and leaves the rest to `then`."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        answer = scope["suffice.answer"]
        answer.head(200, [])
        await then(answer)

    return app


async def test_an_answer_in_one_piece_keeps_the_connection(serve: Any, exchange: Any):
    async with serve(whole) as port:
        answer = await exchange(port, ASK + LAST)
    first, _, second = answer.partition(b"ab")
    assert first.startswith(b"HTTP/1.1 200 OK\r\n") and first.endswith(b"content-length: 2\r\n\r\n")
    assert b"connection: close" not in first and b"connection: close" in second and second.endswith(b"ab")


async def test_an_answer_in_pieces_is_framed_and_ended(serve: Any, exchange: Any):
    async with serve(pieces) as port:
        answer = await exchange(port, ASK + LAST)
    body = b"transfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"
    assert answer.count(body) == 2 and answer.endswith(body)


async def test_an_old_client_gets_its_answer_and_the_end_of_the_connection(serve: Any, exchange: Any):
    async with serve(whole) as port:
        answer = await exchange(port, ASK.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert b"connection: close\r\n" in answer and answer.endswith(b"\r\n\r\nab")


@pytest.mark.parametrize("value", [b"a\r\nx-evil: 1", b"a\nb", b"a\rb", b"a\0b"])
async def test_no_value_can_end_its_line(serve: Any, exchange: Any, value: bytes):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        with pytest.raises(RuntimeError):
            scope["suffice.answer"].whole(200, [(b"x-said", value)], b"body")
        scope["suffice.answer"].transport.close()

    async with serve(app) as port:
        assert await exchange(port, ASK) == b""


async def test_a_client_that_does_not_read_is_waited_for(serve: Any):
    wrote = asyncio.Event()

    async def fill(answer: Any) -> None:
        while not answer.full:
            answer.push(b"x" * 65_536)
        wrote.set()
        await answer.writable()
        answer.end(b"end")

    async with serve(begun(fill)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(ASK)
        await asyncio.wait_for(wrote.wait(), 10)
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).startswith(b"HTTP/1.1 200")
        tail = b""
        while not tail.endswith(b"end\r\n0\r\n\r\n"):
            tail = tail[-32:] + await asyncio.wait_for(reader.read(1 << 20), 10)
        writer.close()


async def test_what_is_written_to_a_client_that_left_goes_nowhere(serve: Any):
    gone = asyncio.Event()

    async def linger(answer: Any) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            while not answer.disconnected:
                await asyncio.sleep(0)
            answer.push(b"x")
            answer.end(b"y")
            await answer.writable()
            assert not answer.full and not answer.response_complete
            gone.set()

    async def under_task(scope: Any, receive: Any, send: Any) -> None:
        scope["suffice.connection"].request_task = asyncio.current_task()
        await begun(linger)(scope, receive, send)

    async with serve(under_task) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK)
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
        await asyncio.wait_for(gone.wait(), 10)
