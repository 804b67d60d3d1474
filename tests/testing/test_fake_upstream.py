"""The fake provider on its real socket."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.testing.raw import CHAT, Wire, ask, events

from suffice.testing.fake_upstream import FakeProvider, closed_port, silent_port
from suffice.testing.journal import read_journal
from suffice.testing.presets import answer, rate_limited
from suffice.testing.script import Behaviour, Timing, Toxic

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


async def test_answers_and_records_in_order() -> None:
    async with FakeProvider([rate_limited("2"), answer("hello", usage_tokens=9)], seed=5) as provider:
        status, headers, _ = await ask(provider.port, BODY, headers={"X-Client-Request-Id": "r1"})
        assert (status, headers["retry-after"]) == (429, "2")
        status, _, body = await ask(provider.port, BODY, headers={"X-Client-Request-Id": "r2"})
        assert status == 200
        whole = json.loads(body)
        assert whole["choices"][0]["message"]["content"] == "hello"
        assert [r.path for r in provider.requests] == [CHAT, CHAT]
        assert provider.requests[1].header("x-client-request-id") == "r2"
        assert provider.requests[1].parsed == BODY
        assert provider.requests[0].body == json.dumps(BODY).encode()
        [row] = provider.billed
        assert (row.caller_id, row.prompt_tokens, row.completion_tokens, row.closed) == ("r2", 9, 2, True)
        assert whole["usage"]["completion_tokens"] == 2
        assert row.id == whole["id"]


async def test_one_connection_serves_many_and_pipelined_requests() -> None:
    slow = Behaviour(text="abcdefgh", timing=Timing(between_tokens_s=0.001))
    async with FakeProvider([slow, answer("x")]) as provider:
        wire = await Wire.open(provider.port)
        wire.send({**BODY, "stream": True})
        wire.send(BODY)
        _, _, first = await wire.answer()
        _, _, second = await wire.answer()
        assert events(first)[-1] == "[DONE]"
        assert json.loads(second)["choices"][0]["message"]["content"] == "x"
        assert provider.connections == 1
        assert [r.outcome for r in provider.requests] == ["complete", "complete"]
        await wire.close()


async def test_a_caller_who_leaves_is_billed_for_what_was_made() -> None:
    slow = Behaviour(text="a" * 400, toxic=Toxic(stall_after_events=4))
    async with FakeProvider(slow) as provider:
        wire = await Wire.open(provider.port)
        wire.send({**BODY, "stream": True})
        await wire.head()
        await wire.reader.readuntil(b"aaaa")
        assert not provider.billed[0].closed
        await wire.close()
        while not provider.billed[0].closed:
            await asyncio.sleep(0.001)
        assert provider.billed[0].completion_tokens == 3
        assert provider.requests[0].outcome == "left"


async def test_connection_close_is_honoured() -> None:
    async with FakeProvider() as provider:
        wire = await Wire.open(provider.port)
        wire.send(BODY, headers={"connection": "close"})
        await wire.answer()
        assert await wire.reader.read() == b""
        await wire.close()


async def test_key_routes_and_models() -> None:
    async with FakeProvider(models=("a", "b"), api_key="k") as provider:
        good = {"authorization": "Bearer k"}
        assert (await ask(provider.port, BODY))[0] == 401
        status, _, body = await ask(provider.port, b"", "/v1/models", method="GET", headers=good)
        assert (status, [m["id"] for m in json.loads(body)["data"]]) == (200, ["a", "b"])
        assert (await ask(provider.port, BODY, "/v1/nothing", headers=good))[0] == 404
        assert (await ask(provider.port, BODY, headers=good))[0] == 200
        assert len(provider.billed) == 1


async def test_embeddings_and_completions_are_served() -> None:
    async with FakeProvider() as provider:
        _, _, body = await ask(provider.port, {"model": "m", "input": ["a", "b"]}, "/v1/embeddings")
        assert [d["index"] for d in json.loads(body)["data"]] == [0, 1]
        _, _, body = await ask(provider.port, {"model": "m", "prompt": "x"}, "/v1/completions")
        assert json.loads(body)["choices"][0]["text"]


async def test_refuse_and_listen_again_on_the_same_port() -> None:
    async with FakeProvider() as provider:
        await provider.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", provider.port)
        await provider.listen()
        assert (await ask(provider.port, BODY))[0] == 200


async def test_closed_and_silent_ports() -> None:
    with closed_port() as port, pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    async with silent_port() as port:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 0.05)


async def test_dropping_connections_reaches_idle_ones() -> None:
    async with FakeProvider() as provider:
        wire = await Wire.open(provider.port)
        wire.send(BODY)
        await wire.answer()
        assert provider.open_connections == 1
        provider.drop_connections()
        assert await wire.reader.read() == b""
        await wire.close()


async def test_same_seed_same_bytes(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        env = FixedEnv()
        async with FakeProvider(Behaviour(text="t" * 40), seed=11, env=env) as provider:
            seen.append([await ask(provider.port, {**BODY, "stream": s}) for s in (True, False)])
    assert seen[0] == seen[1]


async def test_the_journal_survives_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "bill"
    async with FakeProvider(answer("abcd"), journal_path=path) as provider:
        await ask(provider.port, BODY)
        assert read_journal(path) == provider.billed


async def test_the_script_can_be_exchanged() -> None:
    async with FakeProvider(answer("one")) as provider:
        provider.set_script(rate_limited())
        assert (await ask(provider.port, BODY))[0] == 429


class FixedEnv:
    def now(self) -> float:
        return 1_000_000.0

    def monotonic(self) -> float:
        return 5.0

    def random(self) -> float:
        return 0.5

    def token_bytes(self, n: int) -> bytes:
        return bytes(n)

    def new_id(self) -> str:
        return "0" * 26
