"""Batches of Messages pinned to Anthropic: whose they are, what they may cost, what they really cost, where results are fetched."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import PRICE, Gateway, gateway
from tests.gateway.shelf_provider import Shelf, settings, shelf

ASK = [{"role": "user", "content": "hi"}]
PATH = "/messages/batches"
SMALL = '[budgets.small]\nlimit_usd = 0.001\nwindow = "day"\n'


@asynccontextmanager
async def shelved(folder: Path, *, head: str = "", price: str = PRICE) -> AsyncIterator[tuple[Gateway, Shelf]]:
    async with shelf() as provider:
        url = provider.base_url.removesuffix("/v1")
        async with gateway(head + settings(url, provider="anthropic", price=price), folder) as up:
            yield up, provider


def request(model: str = "anthropic/m", **more: Any) -> dict[str, Any]:
    return {"custom_id": "a", "params": {"model": model, "max_tokens": 100, "messages": ASK, **more}}


async def begin(up: Gateway, key: dict[str, str], *requests: Any) -> Any:
    return await up.post(PATH, {"requests": list(requests)}, key | {"anthropic-beta": "b-1"})


async def spent(up: Gateway) -> list[tuple[str, int]]:
    return [(row.row.kind, row.row.charge_nano) for row in await up.recent()]


async def test_a_batch_is_begun_seen_listed_cancelled_and_deleted_by_its_key_alone(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key, other = await up.key(owner="a"), await up.key(owner="b")
        made = await begin(up, key, request(), request("m"))
        assert (made.status, made.json["id"], made.headers["x-suffice-model"]) == (200, "msgbatch_0", "anthropic/m")
        method, path, headers, body = provider.seen[0]
        assert (method, path, headers["anthropic-version"]) == ("POST", "/v1/messages/batches", "2023-06-01")
        assert (headers["anthropic-beta"], headers["x-api-key"]) == ("b-1", "key-of-ours-1234")
        assert [row["params"]["model"] for row in json.loads(body)["requests"]] == ["m", "m"]
        assert (await up.get(f"{PATH}/msgbatch_0", key)).json["processing_status"] == "in_progress"
        assert [row["id"] for row in (await up.get(PATH, key)).json["data"]] == ["msgbatch_0"]
        assert (await up.get(PATH, other)).json["data"] == []
        assert (await up.get("/batches", key)).json["data"] == []  # the other dialect's are others
        for call in (up.get(f"{PATH}/msgbatch_0", other), up.post(f"{PATH}/msgbatch_0/cancel", b"", other)):
            refused = await call
            assert (refused.status, refused.json["error"]["type"]) == (404, "not_found_error")
        assert (await up.post(f"{PATH}/msgbatch_0/cancel", b"", key)).json["processing_status"] == "canceling"
        gone = await up.client.delete(f"{up.base_url}{PATH}/msgbatch_0", headers=key)
        assert gone.json()["type"] == "message_batch_deleted"
        assert (await up.get(f"{PATH}/msgbatch_0", key)).status == 404


async def test_requests_that_need_no_other_name_stay_byte_for_byte(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        raw = json.dumps({"requests": [request("m", a_field_of_next_year=1.50)]}, indent=3).encode()
        assert (await up.post(PATH, raw, await up.key(owner="a"))).status == 200
        assert provider.seen[0][3] == raw


async def test_the_most_is_booked_and_corrected_once_to_what_it_came_to(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        requests = [request("m"), request("m", max_tokens=50)]
        await begin(up, key, *requests)
        tokens = int(sum(len(json.dumps(row)) for row in requests) / 2.5) + 2
        assert await spent(up) == [("S", -(-(tokens * 1000 + 150 * 10_000) // 2))]
        provider.results("msgbatch_0", [{"input_tokens": 10, "output_tokens": 20}, None])
        await up.written()
        for _ in range(2):
            seen = (await up.get(f"{PATH}/msgbatch_0", key)).json
            assert seen["results_url"] == "/v1/messages/batches/msgbatch_0/results"
        assert sum(charge for _, charge in await spent(up)) == (10 * 1000 + 20 * 10_000) // 2
        assert [kind for kind, _ in await spent(up)] == ["S", "A"]
        assert await up.findings() == []
        results = await up.get(f"{PATH}/msgbatch_0/results", key)
        assert results.body == provider.contents["msgbatch_0"]
        assert (await up.get(f"{PATH}/msgbatch_0/results", await up.key(owner="b"))).status == 404


async def test_what_is_deleted_is_paid_for_first(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        await begin(up, key, request())
        provider.results("msgbatch_0", [None])
        await up.written()
        assert (await up.client.delete(f"{up.base_url}{PATH}/msgbatch_0", headers=key)).status_code == 200
        assert sum(charge for _, charge in await spent(up)) == 0


async def test_budgets_prices_and_models_are_looked_at_before_anything_is_sent(tmp_path: Path):
    async with shelved(tmp_path, head=SMALL) as (up, provider):
        key = await up.key(owner="a", budgets=("small",))
        assert (await begin(up, key, request(max_tokens=1000))).status == 402
        assert (await begin(up, key, request(max_tokens=5))).status == 200
        forbidden = await up.key(owner="b", allowed_models=("openai/*",))
        assert (await begin(up, forbidden, request())).status == 403
        assert (await begin(up, await up.key(owner="c"), request(), request("other"))).status == 404
        assert len(provider.batches) == 1
    async with shelved(tmp_path / "unpriced", head=SMALL, price="") as (up, provider):
        refused = await begin(up, await up.key(owner="a", budgets=("small",)), request(max_tokens=5))
        assert refused.status == 402 and not provider.batches


@pytest.mark.parametrize(
    "body", [{}, {"requests": 1}, {"requests": []}, {"requests": [1]}, {"requests": [{"params": {}}]}]
)
async def test_a_batch_that_cannot_be_read_is_refused(body: Any, tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        answer = await up.post(PATH, body)
        assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")
        limit = await begin(up, {}, request(), request(max_tokens=-1))
        assert limit.status == 400 and "requests[1]" in limit.json["error"]["message"]
        assert not provider.seen and await spent(up) == []


async def test_pages_go_both_ways(tmp_path: Path):
    async with shelved(tmp_path) as (up, _):
        key = await up.key(owner="a")
        for _ in range(3):
            await begin(up, key, request())

        async def ids(query: str) -> tuple[list[str], bool]:
            found = (await up.get(f"{PATH}?{query}", key)).json
            return [row["id"][-1] for row in found["data"]], found["has_more"]

        assert sorted((await ids("limit=10"))[0]) == ["0", "1", "2"]
        order = (await ids("limit=10"))[0]
        assert await ids("limit=2") == (order[:2], True)
        assert await ids(f"limit=2&after_id=msgbatch_{order[1]}") == (order[2:], False)
        assert await ids(f"limit=1&before_id=msgbatch_{order[2]}") == (order[1:2], True)
        assert await ids("before_id=none") == ([], False)
