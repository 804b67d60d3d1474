"""The first answer for every repeat, one charge for all of them, and memory that stays bounded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.gateway.running import CHAT, Gateway, endpoint, gateway, one_provider, until
from tests.upstream.fake_env import FakeEnv

from suffice.errors import RequestError, UpstreamError
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.idempotency import KEY_CHARS, Bounds, Idempotency
from suffice.gateway.reply import Reply
from suffice.testing import presets
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Timing

KEY = {"idempotency-key": "k-1"}


# Through the whole gateway.


async def charged(running: Gateway) -> list[str]:
    return [r.row.charge_class for r in await running.recent()]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_repeat_gets_the_same_answer_and_is_charged_once(stream: bool, tmp_path: Path):
    async with one_provider(tmp_path) as (running, fake):
        first = await running.chat(headers=KEY, stream=stream)
        again = await running.chat(headers=KEY, stream=stream)
        assert again.body == first.body
        assert again.status == 200
        assert again.headers["content-type"] == first.headers["content-type"]
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers["x-suffice-request-id"] == first.request_id != again.request_id
        assert again.headers.get_list("x-suffice-request-id") == [first.request_id]
        assert len(fake.requests) == 1
        assert await charged(running) == ["exact"]


async def test_the_key_is_not_told_to_the_provider(tmp_path: Path):
    async with one_provider(tmp_path) as (running, fake):
        await running.chat(headers=KEY)
        assert fake.requests[0].header("idempotency-key") is None


async def test_another_request_under_the_same_key_is_refused(tmp_path: Path):
    async with one_provider(tmp_path) as (running, fake):
        await running.chat(headers=KEY)
        other = await running.chat(headers=KEY, temperature=0.5)
        assert (other.status, other.error["code"]) == (422, "idempotency_key_reused")
        told = await running.chat(headers={**KEY, "x-suffice-task": "explain"})
        assert told.status == 422
        assert len(fake.requests) == 1


async def test_a_repeat_while_the_first_runs_is_told_to_wait(tmp_path: Path):
    slow = Behaviour(timing=Timing(before_head_s=0.3))
    async with one_provider(tmp_path, slow) as (running, fake):
        async with asyncio.TaskGroup() as group:
            first = group.create_task(running.chat(headers=KEY))
            await until(lambda: fake.requests)
            early = await running.chat(headers=KEY)
        assert (early.status, early.error["code"]) == (409, "idempotency_in_progress")
        assert (await running.chat(headers=KEY)).body == first.result().body
        assert len(fake.requests) == 1


async def test_what_cost_nothing_may_be_tried_again(tmp_path: Path):
    async with one_provider(tmp_path, [presets.invalid(), Behaviour()]) as (running, fake):
        assert (await running.chat(headers=KEY)).status == 400
        assert (await running.chat(headers=KEY)).status == 200
        assert len(fake.requests) == 2


async def test_a_failure_that_is_charged_is_told_again_and_not_paid_again(tmp_path: Path):
    async with one_provider(tmp_path, presets.reset()) as (running, fake):
        first = await running.chat(headers=KEY)
        again = await running.chat(headers=KEY)
        assert (again.status, again.error) == (first.status, first.error)
        assert again.headers["idempotent-replayed"] == "true"
        assert len(fake.requests) == 1
        assert await charged(running) == ["unk"]


async def test_a_client_that_left_pays_once(tmp_path: Path):
    slow = Behaviour(text="word " * 400, timing=Timing(between_tokens_s=0.01))
    async with one_provider(tmp_path, slow) as (running, fake):
        body = {"model": "openai/m", **CHAT, "stream": True}
        url = running.base_url + "/chat/completions"
        async with running.client.stream("POST", url, json=body, headers=KEY) as got:
            left = got.headers["x-request-id"]
            async for _ in got.aiter_lines():
                break
        await until(lambda: not running.runtime.ledger._open)
        again = await running.client.post(url, json=body, headers=KEY)
        assert (again.status_code, again.json()["error"]["code"]) == (409, "idempotency_answer_gone")
        assert left in again.text
        assert len(fake.requests) == 1


async def test_a_key_belongs_to_the_virtual_key_that_sent_it(tmp_path: Path):
    async with one_provider(tmp_path) as (running, fake):
        one, two = await running.key(owner="a"), await running.key(owner="b")
        assert (await running.chat(headers={**KEY, **one})).status == 200
        other = await running.chat(headers={**KEY, **two}, temperature=0.5)
        assert other.status == 200
        assert "idempotent-replayed" not in other.headers
        assert len(fake.requests) == 2


async def test_every_dialect_keeps_its_promise(tmp_path: Path):
    async with one_provider(tmp_path) as (running, fake):
        body = {"model": "openai/m", "max_tokens": 50, **CHAT}
        first, again = [await running.post("/messages", body, KEY) for _ in range(2)]
        assert first.status == 200
        assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
        # The same key for the same bytes elsewhere is another request.
        assert (await running.post("/chat/completions", body, KEY)).status == 422
        assert len(fake.requests) == 1


@pytest.mark.parametrize("key", ["x" * (KEY_CHARS + 1), "caf\u00e9"])
async def test_an_unusable_key_is_refused(key: str, tmp_path: Path):
    async with FakeProvider(models=("m",)) as fake, gateway(endpoint("one", fake.base_url), tmp_path) as running:
        body = httpx.Request("POST", running.base_url + "/chat/completions", json={"model": "openai/m", **CHAT})
        body.headers.raw.append((b"idempotency-key", key.encode("latin-1")))
        answer = await running.client.post(
            body.url, json={"model": "openai/m", **CHAT}, headers=[(b"idempotency-key", key.encode("latin-1"))]
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "idempotency_key_invalid")
        assert fake.requests == []


# Its memory.


class Plane:
    """A store with a handler that answers each call with as many bytes as told, and counts how often it ran."""

    def __init__(self, size: int = 10, **bounds: Any) -> None:
        self.env = FakeEnv()
        self.store = Idempotency(self.env, Bounds(**bounds))
        self.size = size
        self.ran = 0
        self.fails: Exception | None = None
        self.worked = False

    async def handler(self, call: Call, principal: Principal, reply: Reply) -> None:
        self.ran += 1
        reply.worked = self.worked
        if self.fails is not None:
            raise self.fails
        await reply.head(200, [])
        await reply.write(b"x" * (self.size // 2))
        await reply.end(b"x" * (self.size - self.size // 2))

    async def ask(self, key: str, who: str = "one", body: bytes = b"{}") -> bytes:
        sent = bytearray()

        async def send(message: dict[str, Any]) -> None:
            sent.extend(message.get("body", b""))

        call = Call(
            request_id="R", dialect="chat", path="/v1/chat/completions", query=b"", headers={"idempotency-key": key},
            body=body, received_s=0, started_mono_s=0, deadline_mono_s=9,
        )  # fmt: skip
        await self.store.serve(call, Principal(key_id=who), Reply(send, "chat", "R"), self.handler)
        return bytes(sent)

    async def code(self, key: str, who: str = "one") -> str:
        with pytest.raises(RequestError) as refused:
            await self.ask(key, who)
        return refused.value.code


async def test_a_day_later_the_key_is_new():
    plane = Plane(ttl_s=100.0)
    await plane.ask("a")
    plane.env.at += 99.0
    await plane.ask("a")
    assert plane.ran == 1
    plane.env.at += 1.0
    await plane.ask("a")
    assert (plane.ran, plane.store.entries, plane.store.size) == (2, 1, 10)


async def test_an_answer_over_the_limit_is_not_kept_and_not_paid_twice():
    plane = Plane(size=100, answer_bytes=100)
    assert len(await plane.ask("a")) == len(await plane.ask("a")) == 100
    plane.size = 101
    await plane.ask("b")
    assert await plane.code("b") == "idempotency_answer_gone"
    assert (plane.ran, plane.store.size) == (2, 100)


async def test_of_many_answers_the_oldest_lose_their_bytes_and_keep_their_mark():
    plane = Plane(caller_bytes=25)
    for key in "abc":
        await plane.ask(key)
    assert plane.store.size == 20
    assert await plane.code("a") == "idempotency_answer_gone"
    await plane.ask("b")
    assert plane.ran == 3


async def test_one_caller_cannot_push_out_the_answers_of_another():
    plane = Plane(bytes=45, caller_entries=4)
    await plane.ask("mine", "quiet")
    for n in range(20):
        await plane.ask(f"k{n}", "loud")
    assert plane.store.entries == 5
    assert plane.store.size <= 45
    await plane.ask("mine", "quiet")
    assert plane.ran == 21


async def test_the_number_of_marks_is_bounded_in_all():
    plane = Plane(entries=6)
    for n in range(10):
        for who in "xyz":
            await plane.ask(f"k{n}", who)
    assert plane.store.entries == 6
    assert plane.store.size == 60


async def test_failures_leave_nothing_behind_unless_they_may_have_cost():
    plane = Plane()
    plane.fails = UpstreamError("down", code="upstream_dns")
    for _ in range(2):
        with pytest.raises(UpstreamError):
            await plane.ask("a")
    assert (plane.ran, plane.store.entries, plane.store.size) == (2, 0, 0)
    plane.worked = True
    for _ in range(2):
        with pytest.raises(UpstreamError) as told:
            await plane.ask("a")
        assert told.value.code == "upstream_dns"
    assert (plane.ran, plane.store.entries) == (3, 1)
    plane.fails = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await plane.ask("b")
    assert await plane.code("b") == "idempotency_answer_gone"
