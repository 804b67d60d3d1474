"""OpenAI's and Anthropic's own SDKs with what is passed through to one provider: files, batches, moderation, and lists of models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI, NotFoundError
from tests.gateway.running import Gateway
from tests.gateway.shelf_provider import Shelf, line, shelved
from tests.gateway.test_message_batches import shelved as anthropics


@asynccontextmanager
async def sdk(folder: Path) -> AsyncIterator[tuple[AsyncOpenAI, Gateway, Shelf]]:
    async with shelved(folder) as (up, provider):
        key = (await up.key(owner="a"))["authorization"].removeprefix("Bearer ")
        async with AsyncOpenAI(base_url=up.base_url, api_key=key, max_retries=0) as client:
            yield client, up, provider


async def test_a_batch_from_its_file_to_its_results(tmp_path: Path):
    async with sdk(tmp_path) as (client, up, provider):
        file = await client.files.create(file=("in.jsonl", line("openai/m", max_tokens=9).encode()), purpose="batch")
        batch = await client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        assert (await client.batches.retrieve(batch.id)).status == "validating"
        provider.output(batch.id, [{"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}])
        await up.written()
        done = await client.batches.retrieve(batch.id)
        assert done.output_file_id is not None
        assert b"m-dated" in (await client.files.content(done.output_file_id)).content
        assert [b.id async for b in client.batches.list()] == [batch.id]
        assert {f.id async for f in client.files.list()} == {file.id, done.output_file_id}
        assert (await client.files.delete(file.id)).deleted
        with pytest.raises(NotFoundError):
            await client.files.retrieve(file.id)
        assert sum(row.row.charge_nano for row in await up.recent()) == (10 * 1000 + 2 * 10_000) // 2


async def test_a_large_file_in_parts(tmp_path: Path):
    async with sdk(tmp_path) as (client, _, provider):
        data = bytes(range(256)) * 10
        done = await client.uploads.upload_file_chunked(
            file=data,
            filename="big.bin",
            bytes=len(data),
            mime_type="application/pdf",
            purpose="user_data",
            part_size=999,
        )
        assert done.status == "completed" and done.file is not None
        assert provider.contents[done.file.id] == data
        assert (await client.files.content(done.file.id)).content == data


async def test_moderation(tmp_path: Path):
    async with sdk(tmp_path) as (client, _, provider):
        provider.answers["/v1/moderations"] = (200, {"id": "m", "model": "omni", "results": []})
        assert (await client.moderations.create(input="x", model="omni-moderation-latest")).id == "m"


async def test_models_are_listed_and_retrieved(tmp_path: Path):
    async with sdk(tmp_path) as (client, _, _):
        listed = [model.id async for model in client.models.list()]
        assert "auto" in listed and "openai/m" in listed
        assert (await client.models.retrieve("openai/m")).owned_by == "openai"


async def test_a_batch_of_messages_to_its_results_which_are_fetched_here(tmp_path: Path):
    async with anthropics(tmp_path) as (up, provider):
        key = (await up.key(owner="a"))["authorization"].removeprefix("Bearer ")
        base = up.base_url.removesuffix("/v1")
        async with AsyncAnthropic(base_url=base, api_key=key, max_retries=0) as client:
            params = {"model": "anthropic/m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
            batch = await client.messages.batches.create(requests=[{"custom_id": "a", "params": params}])
            assert [row.id async for row in client.messages.batches.list()] == [batch.id]
            provider.results(batch.id, [{"input_tokens": 10, "output_tokens": 2}, None])
            await up.written()
            found = [row.custom_id async for row in await client.messages.batches.results(batch.id)]
            assert found == ["0", "1"]
            assert (await client.messages.batches.delete(batch.id)).id == batch.id
        assert all(headers.get("x-api-key") == "key-of-ours-1234" for _, _, headers, _ in provider.seen)
        assert sum(row.row.charge_nano for row in await up.recent()) == (10 * 1000 + 2 * 10_000) // 2
