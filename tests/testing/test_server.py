"""Damage that only a socket can show."""

from __future__ import annotations

import asyncio

import pytest
from tests.testing.raw import Wire, ask

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.presets import cut, reset
from suffice.testing.script import Behaviour, Timing, Toxic

BODY = {"model": "m", "messages": [], "stream": True}


async def test_reset_before_an_answer_on_a_used_connection() -> None:
    async with FakeProvider([Behaviour(), reset()]) as provider:
        wire = await Wire.open(provider.port)
        wire.send(BODY)
        await wire.answer()
        wire.send(BODY)
        with pytest.raises(ConnectionResetError):
            await wire.reader.readexactly(1)
        assert [r.outcome for r in provider.requests] == ["complete", "cut"]
        await wire.close()


async def test_cut_streams_end_without_the_last_chunk() -> None:
    async with FakeProvider(cut(after_events=2)) as provider:
        wire = await Wire.open(provider.port)
        wire.send(BODY)
        await wire.head()
        rest = await wire.reader.read()
        assert rest.count(b"data: ") == 2
        assert not rest.endswith(b"0\r\n\r\n")
        await wire.close()


async def test_a_hanging_provider_holds_until_the_caller_leaves() -> None:
    async with FakeProvider(Behaviour(toxic=Toxic(connection="hang"), bill="full")) as provider:
        wire = await Wire.open(provider.port)
        wire.send(BODY)
        while not provider.requests:
            await asyncio.sleep(0.001)
        assert provider.requests[0].outcome == "open"
        await wire.close()
        while provider.requests[0].outcome == "open":
            await asyncio.sleep(0.001)
        assert provider.requests[0].outcome == "left"
        [row] = provider.billed
        assert row.completion_tokens == 8


async def test_a_slow_reader_stops_generation() -> None:
    async with FakeProvider(Behaviour(text="abcd" * 100_000)) as provider:
        wire = await Wire.open(provider.port)
        wire.send(BODY)
        await wire.head()
        assert not provider.billed[0].closed
        seen = b""
        while b"[DONE]" not in seen[-64:]:
            seen += await wire.reader.read(1 << 20)
        while not provider.billed[0].closed:
            await asyncio.sleep(0.001)
        assert provider.billed[0].completion_tokens == 100_000
        await wire.close()


async def test_expect_continue_and_garbage() -> None:
    async with FakeProvider() as provider:
        wire = await Wire.open(provider.port)
        wire.send(BODY, headers={"expect": "100-continue"})
        assert (await wire.head())[0] == 100
        assert (await wire.answer())[0] == 200
        await wire.close()
        wire = await Wire.open(provider.port)
        wire.writer.write(b"\x00\x01\x02 not http\r\n\r\n")
        assert await wire.reader.read() == b""
        await wire.close()


async def test_bodies_that_are_no_json_still_get_an_answer() -> None:
    async with FakeProvider() as provider:
        assert (await ask(provider.port, b"\xff{"))[0] == 200
        assert provider.requests[0].parsed is None


async def test_leaving_while_a_wait_is_due_leaves_nothing_behind() -> None:
    async with FakeProvider(Behaviour(timing=Timing(before_head_s=60))) as provider:
        wire = await Wire.open(provider.port)
        wire.send(BODY)
        while not provider.requests:
            await asyncio.sleep(0.001)
        await wire.close()
    assert provider.requests[0].outcome == "left"
    assert provider.open_connections == 0
