"""The routes beside the models' own: stored responses, counts, lists, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.gateway.running import endpoint, gateway, one_provider

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour

ASK = {"model": "openai/m", "input": "hi"}
CHAT_ONLY = 'dialects = ["chat"]'


def chat_only(url: str) -> str:
    return endpoint("one", url, more=CHAT_ONLY)


async def test_a_response_is_kept_read_and_deleted(tmp_path: Path):
    async with (
        FakeProvider(Behaviour(text="yes"), models=("m",)) as fake,
        gateway(chat_only(fake.base_url), tmp_path) as up,
    ):
        made = (await up.post("/responses", ASK)).json
        got = await up.get(f"/responses/{made['id']}")
        assert (got.status, got.json) == (200, made)
        items = (await up.get(f"/responses/{made['id']}/input_items?order=asc")).json
        assert items["data"][0]["role"] == "user" and items["has_more"] is False
        assert (await up.get(f"/responses/{made['id']}/input_items?limit=0")).json["data"] == items["data"]
        assert (await up.get(f"/responses/{made['id']}/input_items?limit=x")).status == 400
        again = await up.get(f"/responses/{made['id']}?stream=true")
        assert again.headers["content-type"] == "text/event-stream"
        assert json.loads(again.events[-1])["response"] == made
        rest = await up.get(f"/responses/{made['id']}?stream=true&starting_after=1")
        assert rest.events == again.events[2:]
        assert (await up.post(f"/responses/{made['id']}/cancel", {})).status == 400
        url = f"{up.base_url}/responses/{made['id']}"
        assert (await up.client.delete(url)).json()["deleted"] is True
        assert (await up.get(f"/responses/{made['id']}")).error["code"] == "response_not_found"
        assert (await up.get("/responses/x/y")).status == 404


async def test_nothing_is_kept_that_shall_not_be(tmp_path: Path):
    async with FakeProvider(models=("m",)) as fake, gateway(chat_only(fake.base_url), tmp_path) as up:
        made = (await up.post("/responses", {**ASK, "store": False})).json
        assert (await up.get(f"/responses/{made['id']}")).status == 404
        answer = await up.post("/responses", {**ASK, "previous_response_id": made["id"]})
        assert (answer.status, answer.error["code"]) == (400, "previous_response_not_found")


async def test_another_tenant_sees_nothing(tmp_path: Path):
    async with FakeProvider(models=("m",)) as fake, gateway(chat_only(fake.base_url), tmp_path) as up:
        mine, other = await up.key(owner="a"), await up.key(owner="b")
        made = (await up.post("/responses", ASK, mine)).json
        assert (await up.get(f"/responses/{made['id']}", other)).status == 404
        assert (await up.get(f"/responses/{made['id']}", mine)).status == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_of_the_dialect_is_told_nothing_of_our_state(stream: bool, tmp_path: Path):
    async with (
        FakeProvider(Behaviour(text="yes"), models=("m",)) as fake,
        gateway(endpoint("one", fake.base_url), tmp_path) as up,
    ):
        assert (await up.post("/responses", {**ASK, "stream": stream})).status == 200
        more = {**ASK, "input": "and?", "previous_response_id": "resp_fake-0-000000"}
        assert (await up.post("/responses", more)).status == 200
        told = fake.requests[1].parsed
        assert told is not None and fake.requests[1].path == "/v1/responses"
        assert "previous_response_id" not in told and told["store"] is False
        assert [item.get("role") for item in told["input"]] == ["user", "assistant", "user"]


async def test_a_socket_is_refused_so_that_clients_fall_back(tmp_path: Path):
    async with one_provider(tmp_path) as (up, _):
        assert (await up.get("/responses")).status == 426


async def test_compaction_and_counts_need_no_model(tmp_path: Path):
    async with one_provider(tmp_path) as (up, fake):
        compacted = await up.post("/responses/compact", {**ASK, "input": [{"role": "user", "content": "hi"}]})
        assert compacted.json["object"] == "response.compaction"
        assert (await up.post("/responses/compact", {"input": "hi"})).status == 400
        counted = await up.post("/responses/input_tokens", ASK)
        assert counted.json["input_tokens"] >= 1
        body = {"model": "openai/m", "messages": [{"role": "user", "content": "hello " * 50}]}
        assert 40 < (await up.post("/messages/count_tokens", body)).json["input_tokens"] < 120
        gemini = {"contents": [{"role": "user", "parts": [{"text": "hello " * 50}]}]}
        assert (await up.post("v1beta/models/m:countTokens", gemini)).json["totalTokens"] > 40
        assert fake.requests == []


async def test_lists_in_the_shape_of_each_dialect(tmp_path: Path):
    async with one_provider(tmp_path) as (up, _):
        ours = {"auto", "fast", "best", "cheap", "openai/m"}
        version = {"anthropic-version": "2023-06-01"}
        assert {row["id"] for row in (await up.get("/models")).json["data"]} == ours
        listed = (await up.get("/models?limit=1000", version)).json
        assert {row["id"] for row in listed["data"]} == ours and listed["has_more"] is False
        assert (await up.get("/models/openai%2Fm", version)).json["type"] == "model"
        assert {r["baseModelId"] for r in (await up.get("v1beta/models")).json["models"]} == ours
        assert (await up.get("v1beta/models/auto")).json["name"] == "models/auto"
        assert (await up.get("v1beta/models/none")).error["status"] == "NOT_FOUND"


@pytest.mark.parametrize("path", ["v1beta/models/m:embedContent", "v1beta/models/m:dance", "v1beta/models/m"])
async def test_unknown_gemini_calls(path: str, tmp_path: Path):
    async with one_provider(tmp_path) as (up, _):
        assert (await up.post(path, {"contents": []})).status == 404
