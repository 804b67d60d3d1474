"""Batches pinned to a provider: begun on files that were read, paid for at most, corrected once to what they really cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import Gateway
from tests.gateway.shelf_provider import line, shelved, upload

ASK = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}


async def begin(up: Gateway, key: dict[str, str], *lines: str) -> Any:
    made = await upload(up, key, "\n".join(lines).encode())
    assert made.status == 200, made.body
    return await up.post("/batches", {"input_file_id": made.json["id"], **ASK}, key)


async def spent(up: Gateway) -> list[tuple[str, int]]:
    return [(row.row.kind, row.row.charge_nano) for row in await up.recent()]


async def test_a_batch_is_begun_seen_listed_and_cancelled(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        made = await begin(up, key, line(max_tokens=100))
        assert (made.status, made.json["id"]) == (200, "batch_0")
        assert made.headers["x-suffice-model"] == "openai/m"
        assert (await up.get("/batches/batch_0", key)).json["status"] == "validating"
        assert [row["id"] for row in (await up.get("/batches", key)).json["data"]] == ["batch_0"]
        assert (await up.post("/batches/batch_0/cancel", b"", key)).json["status"] == "cancelling"
        assert provider.seen[-1][:2] == ("POST", "/v1/batches/batch_0/cancel")
        other = await up.key(owner="b")
        assert (await up.get("/batches/batch_0", other)).status == 404
        assert (await up.get("/batches", other)).json["data"] == []
        assert (await up.post("/batches", {"input_file_id": "file-0", **ASK}, other)).status == 404


async def test_it_is_booked_with_the_most_that_its_lines_can_come_to_at_the_batch_price(tmp_path: Path):
    async with shelved(tmp_path) as (up, _):
        key = await up.key(owner="a")
        lines = [line(max_tokens=100), line(max_tokens=50, n=2)]
        made = await begin(up, key, *lines)
        tokens = int(sum(map(len, lines)) / 2.5) + 2
        bound = -(-(tokens * 1000 + 200 * 10_000) // 2)
        assert await spent(up) == [("S", bound)]
        assert made.headers["x-suffice-cost-estimate-usd"] == f"{bound / 1e9:.9f}".rstrip("0")
        (row,) = await up.recent()
        assert (row.row.charge_class, row.row.price_kind) == ("est", "known")
        assert await up.findings() == []


@pytest.mark.parametrize("reported", [True, False], ids=["usage", "output"])
async def test_the_charge_is_corrected_once_when_it_has_ended(reported: bool, tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        await begin(up, key, line(max_tokens=100), line(max_tokens=100))
        usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
        provider.output("batch_0", [usage, usage])
        if reported:
            provider.batches["batch_0"]["usage"] = {"input_tokens": 20, "output_tokens": 40}
        await up.written()
        for _ in range(2):
            assert (await up.get("/batches/batch_0", key)).status == 200
        assert sum(charge for _, charge in await spent(up)) == (20 * 1000 + 40 * 10_000) // 2
        assert [kind for kind, _ in await spent(up)] == ["S", "A"]
        assert await up.findings() == []
        assert (await up.get("/files/file-out/content", key)).status == 200
        assert (await up.get("/files/file-out/content", await up.key(owner="b"))).status == 404


async def test_a_batch_that_answered_nothing_costs_nothing(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        await begin(up, key, line(max_tokens=100))
        provider.batches["batch_0"]["status"] = "failed"
        await up.written()
        await up.get("/batches/batch_0", key)
        assert sum(charge for _, charge in await spent(up)) == 0


async def test_a_refused_batch_is_not_charged(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        provider.answers["/v1/batches"] = (400, {"error": {"message": "no", "type": "invalid_request_error"}})
        assert (await begin(up, key, line(max_tokens=100))).status == 400
        assert await spent(up) == [("X", 0)]


async def test_a_budget_pays_for_the_most_that_it_can_come_to(tmp_path: Path):
    head = '[budgets.small]\nlimit_usd = 0.001\nwindow = "day"\n'
    async with shelved(tmp_path, head=head) as (up, provider):
        key = await up.key(owner="a", budgets=("small",))
        assert (await begin(up, key, line(max_tokens=50))).status == 200
        assert (await begin(up, key, line(max_tokens=100_000))).status == 402
        assert (await begin(up, key, line())).status == 402  # without a limit it may write as much as the model can
        assert len(provider.batches) == 1


async def test_an_unknown_price_is_unknown_and_no_budget_pays_for_it(tmp_path: Path):
    head = '[budgets.small]\nlimit_usd = 10\nwindow = "day"\n'
    async with shelved(tmp_path, head=head, price="") as (up, _):
        made = await begin(up, await up.key(owner="a"), line(max_tokens=5))
        assert made.headers["x-suffice-cost-estimate-usd"] == "unknown"
        (row,) = await up.recent()
        assert (row.row.price_kind, row.row.charge_class) == ("unknown", "unk")
        refused = await begin(up, await up.key(owner="b", budgets=("small",)), line(max_tokens=5))
        assert (refused.status, refused.error["code"]) == (402, "price_unknown")


async def test_only_a_file_that_was_read_here_begins_one(tmp_path: Path):
    async with shelved(tmp_path) as (up, _):
        key = await up.key(owner="a")
        plain = (await upload(up, key, line().encode(), "user_data")).json["id"]
        assert (await up.post("/batches", {"input_file_id": plain, **ASK}, key)).status == 400
        assert (await up.post("/batches", {**ASK}, key)).status == 400
        assert (await up.post("/batches", {"input_file_id": "../x", **ASK}, key)).status == 404


async def test_ids_that_a_path_would_read_are_none(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        provider.answers["/v1/files"] = (200, {"id": "../admin", "object": "file"})
        await upload(up, key, b"x", "user_data")
        count = len(provider.seen)
        for path in ("/files/..%2Fadmin", "/files/../admin"):
            assert (await up.get(path, key)).status in (400, 404)
        assert len(provider.seen) == count
