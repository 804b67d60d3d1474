"""The official OpenAI SDK for Python, unchanged, against a whole gateway."""

from __future__ import annotations

import base64
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from tests.gateway.running import Gateway, one_provider

from suffice.testing import presets
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Frames, ToolCall

USER: list[Any] = [{"role": "user", "content": "What is the weather in Paris and in Rome?"}]
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
]
CALLS = Behaviour(
    text="",
    tool_calls=(
        ToolCall(name="weather", arguments='{"city": "Paris"}'),
        ToolCall(name="weather", arguments='{"city": "Rome"}'),
    ),
)


@asynccontextmanager
async def sdk(
    folder: Path, script: Any = None, *, key: str = "unused", **more: Any
) -> AsyncIterator[tuple[AsyncOpenAI, Gateway, FakeProvider]]:
    async with (
        one_provider(folder, script, **more) as (running, provider),
        AsyncOpenAI(base_url=running.base_url, api_key=key) as client,
    ):
        yield client, running, provider


async def test_chat(tmp_path: Path):
    async with sdk(tmp_path) as (client, running, _):
        raw = await client.chat.completions.with_raw_response.create(model="auto", messages=USER)
        answer = raw.parse()
        assert answer.choices[0].message.content == "Hello from the fake provider."
        assert raw.headers["x-suffice-model"] == "openai/m"
        assert answer.usage is not None
        (row,) = await running.rows(raw.headers["x-request-id"])
        usage = row.detail.result.usage
        assert (usage.prompt_tokens, usage.output_tokens) == (
            answer.usage.prompt_tokens,
            answer.usage.completion_tokens,
        )


@pytest.mark.parametrize("frames", [Frames(), Frames(crlf=True), Frames(comments=True), Frames(no_done=True)])
async def test_a_stream(frames: Frames, tmp_path: Path):
    async with sdk(tmp_path, Behaviour(frames=frames)) as (client, _, _):
        stream = await client.chat.completions.create(model="openai/m", messages=USER, stream=True)
        text = "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])
    assert text == "Hello from the fake provider."


@pytest.mark.parametrize("asked", [False, True])
async def test_the_usage_chunk_is_shown_to_who_asked_and_booked_always(asked: bool, tmp_path: Path):
    options: Any = {"stream_options": {"include_usage": True}} if asked else {}
    async with sdk(tmp_path) as (client, running, provider):
        stream = await client.chat.completions.create(model="openai/m", messages=USER, stream=True, **options)
        chunks = [chunk async for chunk in stream]
        (billed,) = provider.billed
        assert [bool(c.usage) for c in chunks].count(True) == asked
        assert all(c.choices for c in chunks[:-1])
        assert bool(chunks[-1].choices) != asked
        (row,) = await running.recent()
        usage = row.detail.result.usage
        assert row.row.charge_class == "exact"
        assert (usage.prompt_tokens, usage.output_tokens) == (billed.prompt_tokens, billed.completion_tokens)


async def test_parallel_tool_calls(tmp_path: Path):
    async with sdk(tmp_path, CALLS) as (client, _, provider):
        answer = await client.chat.completions.create(model="auto", messages=USER, tools=TOOLS)
        calls = answer.choices[0].message.tool_calls
        assert calls is not None
        assert [c.function.arguments for c in calls if c.type == "function"] == [
            '{"city": "Paris"}',
            '{"city": "Rome"}',
        ]
        assert answer.choices[0].finish_reason == "tool_calls"
        history = [
            *USER,
            answer.choices[0].message,
            *({"role": "tool", "tool_call_id": c.id, "content": "12"} for c in calls),
        ]
        provider.set_script(Behaviour(text="12 in both."))
        final = await client.chat.completions.create(model="auto", messages=history, tools=TOOLS)
        assert final.choices[0].message.content == "12 in both."


@pytest.mark.parametrize(
    "frames", [Frames(), Frames(tools="whole"), Frames(tools="one_chunk"), Frames(repeat_ids=True)]
)
async def test_streamed_tool_calls(frames: Frames, tmp_path: Path):
    script = Behaviour(text="", tool_calls=CALLS.tool_calls, frames=frames)
    async with sdk(tmp_path, script) as (client, _, _):
        stream = await client.chat.completions.create(model="openai/m", messages=USER, tools=TOOLS, stream=True)
        found: dict[int, str] = {}
        async for chunk in stream:
            for part in chunk.choices[0].delta.tool_calls or () if chunk.choices else ():
                assert part.function is not None
                found[part.index] = found.get(part.index, "") + (part.function.arguments or "")
    assert found == {0: '{"city": "Paris"}', 1: '{"city": "Rome"}'}


async def test_completions(tmp_path: Path):
    async with sdk(tmp_path) as (client, _, provider):
        answer = await client.completions.create(model="openai/m", prompt="def f(", suffix="return x", max_tokens=20)
        assert answer.choices[0].text == "Hello from the fake provider."
        stream = await client.completions.create(model="openai/m", prompt="def f(", stream=True)
        assert "".join([c.choices[0].text async for c in stream if c.choices]) == "Hello from the fake provider."
        assert [r.path for r in provider.requests] == ["/v1/completions"] * 2


async def test_embeddings_as_numbers_and_as_base64(tmp_path: Path):
    async with sdk(tmp_path) as (client, running, _):
        numbers = await client.embeddings.create(model="openai/m", input=["a", "b"], encoding_format="float")
        default = await client.embeddings.create(model="openai/m", input=["a", "b"])
        coded: Any = await client.embeddings.create(model="openai/m", input=["a", "b"], encoding_format="base64")
        vector = numbers.data[0].embedding
        assert len(numbers.data) == 2
        assert default.data[0].embedding == pytest.approx(vector, rel=1e-5)
        raw = base64.b64decode(coded.data[0].embedding)
        assert list(struct.unpack(f"<{len(raw) // 4}f", raw)) == pytest.approx(vector, rel=1e-5)
        rows = await running.recent()
        assert [r.row.charge_class for r in rows] == ["exact"] * 3
        assert all(r.row.charge_nano > 0 for r in rows)


async def test_models(tmp_path: Path):
    async with sdk(tmp_path) as (client, _, _):
        listed = [model.id async for model in client.models.list()]
        assert {"auto", "fast", "best", "cheap", "openai/m"} <= set(listed)
        assert (await client.models.retrieve("openai/m")).id == "openai/m"
        assert (await client.models.retrieve("auto")).owned_by == "suffice"
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("openai/none")


async def test_an_unknown_model(tmp_path: Path):
    async with sdk(tmp_path) as (client, _, _):
        with pytest.raises(openai.NotFoundError, match="did you mean openai/m") as caught:
            await client.chat.completions.create(model="opena/m", messages=USER)
    assert caught.value.code == "model_not_found"


async def test_a_wrong_key(tmp_path: Path):
    async with sdk(tmp_path, key="sk-sf-wrong") as (client, running, provider):
        await running.key()
        with pytest.raises(openai.AuthenticationError):
            await client.chat.completions.create(model="openai/m", messages=USER)
        assert provider.requests == []


async def test_a_budget_that_is_spent_is_402_and_not_tried_again(tmp_path: Path):
    head = "[budgets.small]\nlimit_usd = 0.000001\n"
    async with sdk(tmp_path, head=head) as (client, running, provider):
        key = await running.key(budgets=("small",))
        with pytest.raises(openai.APIStatusError) as caught:
            await client.with_options(api_key=key["authorization"][7:]).chat.completions.create(
                model="openai/m", messages=USER
            )
        assert (caught.value.status_code, caught.value.code) == (402, "budget_exceeded")
        assert caught.value.response.headers["x-should-retry"] == "false"
        assert provider.requests == []


async def test_our_retries_are_not_multiplied_by_the_sdk(tmp_path: Path):
    async with sdk(tmp_path, presets.failing(500)) as (client, _, provider):
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="openai/m", messages=USER)
        assert caught.value.code == "upstream_error"
        # The gateway's own two attempts; the SDK's default would have made six of them.
        assert len(provider.requests) == 2


async def test_a_stream_that_breaks_raises(tmp_path: Path):
    async with sdk(tmp_path, presets.error_event(3)) as (client, running, provider):
        slow = presets.cut(after_events=4)
        provider.set_script(Behaviour(toxic=slow.toxic, timing=presets.dripping(0.01).timing))
        stream = await client.chat.completions.create(model="openai/m", messages=USER, stream=True)
        with pytest.raises(openai.APIError, match="ended or broke"):
            async for _ in stream:
                pass
        (row,) = await running.recent()
        assert row.row.charge_class == "est"


async def test_too_large_a_body(tmp_path: Path):
    async with sdk(tmp_path, head="[server]\nmax_body_bytes = 2000\n") as (client, _, provider):
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(model="openai/m", messages=[{"role": "user", "content": "x" * 3000}])
        assert (caught.value.status_code, caught.value.code) == (413, "request_too_large")
        assert provider.requests == []
