"""Counts of tokens: the provider's own where it counts, else an estimate; never from one that may not see the prompt."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import PRICE, Gateway, gateway
from tests.gateway.shelf_provider import Shelf, shelf

from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.counting import Counting
from suffice.wire.prescan import scan

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}], "system": "Be brief."}
GOOGLE = 'region = "us-east1"\nproject = "acme"\napi_key = "k-of-ours"\n'
VERTEX = "/v1/projects/acme/locations/us-east1"
HELLO = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
# Provider, path of its address, model, settings, the path where it counts, what it says, and what it must have been asked.
COUNTERS = {
    "anthropic": ("anthropic", "", "m", "", "/v1/messages/count_tokens", {"input_tokens": 41}, {**ASK, "model": "m"}),
    "vertex-claude": (
        "google-vertex", VERTEX, "claude-x", GOOGLE, f"{VERTEX}/publishers/anthropic/models/count-tokens:rawPredict",
        {"input_tokens": 41}, {**ASK, "model": "claude-x", "anthropic_version": "vertex-2023-10-16"},
    ),
    "gemini": (
        "google-gemini", "/v1beta", "g", "", "/v1beta/models/g:countTokens", {"totalTokens": 41}, "generateContentRequest",
    ),
    "vertex-gemini": (
        "google-vertex", VERTEX, "gemini-3", GOOGLE, f"{VERTEX}/publishers/google/models/gemini-3:countTokens",
        {"totalTokens": 41}, "contents",
    ),
}  # fmt: skip


@asynccontextmanager
async def counting(name: str, folder: Path, answer: Any = None) -> AsyncIterator[tuple[Gateway, Shelf]]:
    provider, base, model, more, path, said, _ = COUNTERS[name]
    async with shelf() as fake:
        fake.answers[path] = answer or (200, said)
        toml = f'[aliases]\none = ["{provider}/{model}"]\n[endpoints.one]\nprovider = "{provider}"\nprivate = true\n'
        toml += f'base_url = "{fake.base_url.removesuffix("/v1")}{base}"\nmodels = ["{model}"]\n{more}'
        async with gateway(toml + f'[endpoints.one.prices]\n"{model}" = {PRICE}\n', folder) as up:
            yield up, fake


@pytest.mark.parametrize("name", list(COUNTERS))
async def test_messages_are_counted_by_the_models_own_provider(name: str, tmp_path: Path):
    async with counting(name, tmp_path) as (up, fake):
        answer = await up.post("/messages/count_tokens", {**ASK, "model": "one"}, {"anthropic-beta": "b-1"})
        assert (answer.status, answer.json["input_tokens"]) == (200, 41)
        ((method, path, headers, body),) = fake.seen
        asked = COUNTERS[name][6]
        assert (method, path) == ("POST", COUNTERS[name][4])
        assert json.loads(body) == asked if isinstance(asked, dict) else asked in json.loads(body)
        assert b"hello" in body and b"Be brief." in body
        assert (headers.get("anthropic-beta") == "b-1") == isinstance(asked, dict)
        assert await up.recent() == []  # it costs nothing


@pytest.mark.parametrize("name", ["gemini", "vertex-gemini"])
async def test_gemini_clients_are_counted_for_there_too(name: str, tmp_path: Path):
    async with counting(name, tmp_path) as (up, fake):
        answer = await up.post("v1beta/models/one:countTokens", HELLO)
        assert (answer.status, answer.json["totalTokens"]) == (200, 41)
        assert fake.seen[0][1] == COUNTERS[name][4] and b"hello" in fake.seen[0][3]


@pytest.mark.parametrize("name", list(COUNTERS))
@pytest.mark.parametrize("answer", [(500, {"error": "later"}), (200, {"odd": 1}), (200, b"<html>")])
async def test_a_provider_that_cannot_count_is_estimated(name: str, answer: Any, tmp_path: Path):
    async with counting(name, tmp_path, answer) as (up, fake):
        told = await up.post("/messages/count_tokens", {**ASK, "model": "one"})
        assert told.status == 200 and 1 <= told.json["input_tokens"] < 41
        assert len(fake.seen) == 1
        unknown = await up.post("/messages/count_tokens", {**ASK, "model": "none"})
        assert unknown.error["type"] == "not_found_error"


AWS = (
    '[aliases]\none = ["bedrock/us.anthropic.claude-x-v1:0"]\n[endpoints.one]\nprovider = "bedrock"\nprivate = true\n'
    'region = "us-east-1"\naccess_key_id = "${ID}"\nsecret_access_key = "${SECRET}"\nmodels = ["us.anthropic.claude-x-v1:0"]\n'
)
COUNT, COUNT_BY_PROFILE = (f"/model/{prefix}anthropic.claude-x-v1:0/count-tokens" for prefix in ("", "us."))


@pytest.mark.parametrize("refused", [(), (COUNT,), (COUNT, COUNT_BY_PROFILE)])
async def test_bedrock_counts_under_the_models_own_name_or_the_profiles(refused: tuple[str, ...], tmp_path: Path):
    """Which of the two it takes differs between models; where it takes neither, the estimate stands in."""
    async with shelf() as fake:
        fake.answers = dict.fromkeys((COUNT, COUNT_BY_PROFILE), (200, {"inputTokens": 41}))
        fake.answers |= dict.fromkeys(
            refused, (400, {"message": "The provided model doesn't support counting tokens."})
        )
        toml = AWS + f'base_url = "{fake.base_url.removesuffix("/v1")}"\n'
        async with gateway(toml, tmp_path, {"ID": "AKIDEXAMPLE00000", "SECRET": "not-a-real-secret"}) as up:
            answer = await up.post("/messages/count_tokens", {**ASK, "model": "one"}, {"anthropic-beta": "b-1, b-2"})
            assert answer.status == 200 and (answer.json["input_tokens"] == 41) == (len(refused) < 2)
            assert [path for _, path, *_ in fake.seen] == [COUNT, COUNT_BY_PROFILE][: len(refused) + 1]
            assert all(headers["authorization"].startswith("AWS4-HMAC-SHA256") for _, _, headers, _ in fake.seen)
            inside = json.loads(base64.b64decode(json.loads(fake.seen[0][3])["input"]["invokeModel"]["body"]))
            assert (inside["messages"], inside["anthropic_beta"]) == (ASK["messages"], ["b-1", "b-2"])
            assert await up.recent() == []


class Closed:
    """A transport that may not be used."""

    async def request(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("the prompt was sent")


@pytest.mark.parametrize("name", list(COUNTERS))
async def test_a_prompt_is_not_counted_where_it_may_not_be_seen(name: str, tmp_path: Path):
    provider, _, model, more, *_ = COUNTERS[name]
    toml = (
        f'[privacy]\nallowed_regions = ["mars"]\n[endpoints.one]\nprovider = "{provider}"\nmodels = ["{model}"]\n{more}'
    )
    toml += "" if more else 'api_key = "k-of-ours"\n'
    async with gateway(toml, tmp_path) as up:
        runtime: Any = up.runtime
        counting = Counting(runtime.reading, Closed(), runtime.corrections)  # type: ignore[arg-type]
        asked = json.dumps({**ASK, "model": f"{provider}/{model}"}).encode()
        call = Call(
            request_id="r", dialect="messages", path="/", query=b"", headers={}, body=asked, received_s=0, started_mono_s=0,
            deadline_mono_s=1,
        )  # fmt: skip
        everybody = Principal(key_id="k", allowed_models=("*",))
        assert await counting.asked_upstream(call, everybody, scan(asked)) is None
        told = await up.post("/messages/count_tokens", asked)
        assert told.status == 200 and told.json["input_tokens"] >= 1
