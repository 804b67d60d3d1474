"""A provider that is silent in the middle of a stream: what the client hears meanwhile, in each dialect."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.e2e.clients import Chat, Messages, ask
from tests.e2e.clients_more import Gemini, Responses
from tests.e2e.test_dialects import talking

from suffice.gateway.beat import Beat
from suffice.testing.script import Behaviour, Timing

COMMENT, PING = b": keep-alive\n\n", b'event: ping\ndata: {"type":"ping"}\n\n'
SLOW = Behaviour(text="one two three", timing=Timing(between_tokens_s=0.15))


@pytest.mark.parametrize("provider", ["chat", "messages", "responses", "gemini"])
@pytest.mark.parametrize(
    ("client", "sign"), [(Chat(), COMMENT), (Responses(), COMMENT), (Messages(), PING), (Gemini(), b"")]
)
async def test_silence_is_filled_in_the_clients_own_form(client: Any, sign: bytes, provider: str, tmp_path: Path):
    async with talking(tmp_path, provider, SLOW) as (up, _):
        up.runtime.pipeline.holding.keep_alive_s = 0.02
        told = await ask(up, client, "text", True)
        assert (told.text, told.ended) == ("one two three", True)
        body = told.answer.body if told.answer is not None else b""
        if sign:
            assert body.count(sign) >= 2
        assert body.count(b"keep-alive") == (body.count(COMMENT) if sign == COMMENT else 0)
        assert not (sign and body.startswith(sign))


async def test_a_buffered_answer_to_messages_is_announced_by_pings(tmp_path: Path):
    async with talking(tmp_path, "messages", SLOW) as (up, _):
        up.runtime.pipeline.holding.keep_alive_s = 0.02
        told = await ask(up, Messages(), "text", True, {"x-suffice-mode": "buffer"})
        assert (told.text, told.ended) == ("one two three", True)
        body = told.answer.body if told.answer is not None else b""
        assert body.startswith(PING)
        assert b"keep-alive" not in body


class Reply:
    def __init__(self) -> None:
        self.finished = False
        self.written: list[bytes] = []
        self.full = asyncio.Event()

    async def write(self, data: bytes) -> None:
        self.written.append(data)
        await self.full.wait()
        raise ConnectionError("gone")


def live(reply: Reply) -> Any:
    reader = SimpleNamespace(keep_alive=lambda: b"sign")
    return SimpleNamespace(bytes_in=0, ended=False, reader=reader, turn=SimpleNamespace(reply=reply))


async def test_nothing_is_sent_while_bytes_come_or_the_socket_is_full():
    reply = Reply()
    one = live(reply)
    beat = Beat(one, 3600.0)
    one.bytes_in = 5
    beat._due()
    await asyncio.sleep(0)
    assert reply.written == []
    for _ in range(3):
        beat._due()
        await asyncio.sleep(0)
    assert reply.written == [b"sign"]
    reply.full.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    beat.stop()


async def test_nothing_is_sent_once_the_answer_has_ended():
    reply = Reply()
    beat = Beat(live(reply), 3600.0)
    reply.finished = True
    beat._due()
    await asyncio.sleep(0)
    beat.stop()
    assert reply.written == []
