"""Moderation and rerank pinned to a provider, and paid for, on real sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import gateway
from tests.gateway.shelf_provider import settings, shelf

MODERATED = {"id": "modr-1", "model": "omni-moderation", "results": [{"flagged": False}]}
RANKED = {"id": "r", "results": [{"index": 1, "relevance_score": 0.9}], "usage": {"total_tokens": 120}}
COHERE = {"results": [{"index": 0, "relevance_score": 0.5}], "meta": {"billed_units": {"search_units": 2}}}


def priced(model: str, price: str) -> str:
    return f'[models."{model}"]\nprice = {price}\n'


async def test_moderation_is_passed_through_with_the_providers_name(tmp_path: Path):
    async with shelf() as provider, gateway(settings(provider.base_url), tmp_path) as up:
        provider.answers["/v1/moderations"] = (200, MODERATED)
        answer = await up.post("/moderations", b'{ "input": ["a"],"model":"openai/omni-moderation-latest" }')
        assert (answer.status, answer.json) == (200, MODERATED)
        assert provider.seen[0][3] == b'{ "input": ["a"],"model":"omni-moderation-latest" }'
        assert answer.headers["x-suffice-cost-usd"] == "unknown" or answer.headers["x-suffice-cost-estimate-usd"]
        (row,) = await up.rows(answer)
        assert (row.row.price_kind, row.row.charge_class) == ("unknown", "unk")
        assert await up.findings() == []


async def test_the_providers_default_model_may_stay_unnamed(tmp_path: Path):
    async with shelf() as provider, gateway(settings(provider.base_url), tmp_path) as up:
        provider.answers["/v1/moderations"] = (200, MODERATED)
        assert (await up.post("/moderations", b'{"input":"a"}')).status == 200
        assert provider.seen[0][3] == b'{"input":"a"}'


@pytest.mark.parametrize("path", ["/rerank", "v2/rerank"])
async def test_a_rerank_costs_what_its_tokens_cost(path: str, tmp_path: Path):
    head = priced("vllm/bge", "{ input_usd_per_mtok = 2, output_usd_per_mtok = 2 }")
    async with shelf() as provider, gateway(head + settings(provider.base_url, provider="vllm"), tmp_path) as up:
        provider.answers["/v1/rerank"] = (200, RANKED)
        answer = await up.post(path, {"model": "vllm/bge", "query": "q", "documents": ["a", "b"]})
        assert answer.json == RANKED
        (row,) = await up.rows(answer)
        assert (row.row.charge_nano, row.row.charge_class) == (120 * 2000, "exact")
        assert answer.headers["x-suffice-cost-usd"] == "0.00024"
        provider.answers["/v1/rerank"] = (200, {"results": []})
        guessed = await up.post(path, {"model": "vllm/bge", "query": "q", "documents": ["a", "b"]})
        assert "x-suffice-cost-estimate-usd" in guessed.headers
        (row,) = await up.rows(guessed)
        assert row.row.charge_class == "est"
        assert row.row.charge_nano > 0


async def test_coheres_native_path_is_served(tmp_path: Path):
    async with shelf() as provider:
        url = provider.base_url.removesuffix("/v1") + "/v2"
        async with gateway(settings(url, provider="cohere"), tmp_path) as up:
            provider.answers["/v2/rerank"] = (200, COHERE)
            answer = await up.post("v2/rerank", {"model": "rerank-v4", "query": "q", "documents": ["a"]})
            assert answer.json == COHERE
            assert json.loads(provider.seen[0][3])["model"] == "rerank-v4"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/rerank", {"query": "q", "documents": []}, 400),
        ("/rerank", {"model": "m", "query": "q"}, 400),
        ("/rerank", {"model": "m", "query": "q", "documents": "x"}, 400),
        ("/rerank", {"model": 7, "query": "q", "documents": ["x"]}, 400),
        ("/moderations", {"input": "x"}, 400),
        ("/rerank", {"model": "m", "query": "q", "documents": ["x"]}, 404),
    ],
)
async def test_what_cannot_be_served_is_told(path: str, body: dict[str, Any], status: int, tmp_path: Path):
    async with shelf() as provider, gateway(settings(provider.base_url, provider="vllm"), tmp_path) as up:
        assert (await up.post(path, body)).status == status


async def test_keys_budgets_and_faults(tmp_path: Path):
    head = '[budgets.b]\nlimit_usd = 1\nwindow = "day"\n'
    async with shelf() as provider, gateway(head + settings(provider.base_url, provider="together"), tmp_path) as up:
        asked = {"model": "m", "query": "q", "documents": ["x"]}
        key = await up.key(owner="a", budgets=("b",))
        assert (await up.post("/rerank", asked)).status == 401
        provider.answers["/v1/rerank"] = (500, {"error": {"message": "boom"}})
        failed = await up.post("/rerank", asked, key)
        assert failed.status >= 500
        (row,) = await up.rows(failed)
        assert row.row.outcome == "failed"
        refused = await up.post("/rerank", asked | {"model": "unpriced"}, key)
        assert (refused.status, refused.error["code"]) == (402, "price_unknown")
        narrow = await up.key(owner="b", allowed_models=("together/other",))
        assert (await up.post("/rerank", asked, narrow)).status == 403
        assert len(provider.seen) == 1
        assert await up.findings() == []
