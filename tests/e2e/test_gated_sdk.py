"""The official SDKs, unchanged, with `gate-tools`: a cheap provider makes every kind of mistake, the SDK sees the right edit alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from google import genai
from google.genai import types
from openai import AsyncOpenAI
from tests.e2e.edit_clients import GOOD, MISTAKES, RIGHT, bad, body
from tests.e2e.test_dialects import talking
from tests.e2e.test_held_edits import FIRST, FITTING, ROLE, SECOND, TASK
from tests.gateway.running import Gateway

HOLD = {"x-suffice-mode": "gate-tools"}
EVERY = pytest.mark.parametrize("mistake", MISTAKES)


@asynccontextmanager
async def cheap(folder: Path, mistake: str) -> AsyncIterator[Gateway]:
    """A gateway before one chat provider that makes `mistake` and mends it when it is told."""
    async with talking(folder, "chat", [bad(mistake), GOOD]) as (running, _):
        yield running


def asked(dialect: str) -> Any:
    """What the SDK is given: the body without what its method stands for."""
    return {key: value for key, value in body(dialect).items() if key not in ("stream", "stream_options")}


async def full_cost(running: Gateway) -> None:
    """The ledger shows both answers of the one request, each with its own cost, the first with why it was not given."""
    rows = await running.recent()
    assert [r.row.outcome for r in rows] == ["rejected", "ok"]
    assert len({r.row.request_id for r in rows}) == 1
    assert all(r.row.charge_nano > 0 for r in rows)
    story = await running.story(rows[0].row.request_id)
    assert story.charged == sum(r.row.charge_nano for r in rows)
    assert [v.reason for v in story.attempts[0].detail.result.verdicts if v.rejected]
    assert await running.findings() == []


@EVERY
async def test_openai_chat(mistake: str, tmp_path: Path):
    async with cheap(tmp_path, mistake) as running, AsyncOpenAI(base_url=running.base_url, api_key="x") as sdk:
        seen: dict[int, str] = {}
        text = ""
        async for chunk in await sdk.chat.completions.create(**asked("chat"), stream=True, extra_headers=HOLD):
            for choice in chunk.choices:
                text += choice.delta.content or ""
                for call in choice.delta.tool_calls or []:
                    part = call.function.arguments if call.function else ""
                    seen[call.index] = seen.get(call.index, "") + (part or "")
        assert [json.loads(arguments) for arguments in seen.values()] == [RIGHT]
        assert text == "Let me look."
        await full_cost(running)


@EVERY
async def test_openai_responses(mistake: str, tmp_path: Path):
    async with cheap(tmp_path, mistake) as running, AsyncOpenAI(base_url=running.base_url, api_key="x") as sdk:
        done = None
        async for event in await sdk.responses.create(**asked("responses"), stream=True, extra_headers=HOLD):
            if event.type == "response.completed":
                done = event.response
        assert done is not None
        assert done.output_text == "Let me look."
        assert [json.loads(item.arguments) for item in done.output if item.type == "function_call"] == [RIGHT]
        assert done.usage is not None and done.usage.total_tokens > 0
        await full_cost(running)


@EVERY
async def test_anthropic_messages(mistake: str, tmp_path: Path):
    async with cheap(tmp_path, mistake) as running:
        sdk = AsyncAnthropic(base_url=running.base_url.removesuffix("/v1"), api_key="x")
        async with sdk, sdk.messages.stream(**asked("messages"), extra_headers=HOLD) as stream:
            message = await stream.get_final_message()
        said, called = message.content
        assert said.type == "text" and said.text == "Let me look."
        assert called.type == "tool_use" and (called.input, message.stop_reason) == (RIGHT, "tool_use")
        rows = await running.recent()
        assert message.usage.output_tokens == sum(r.detail.result.usage.completion_tokens for r in rows)
        await full_cost(running)


@pytest.mark.parametrize("provider", ["chat", "responses"])
async def test_an_edit_in_the_text_of_responses_is_what_the_sdk_puts_together(provider: str, tmp_path: Path):
    async with talking(tmp_path, provider, [FIRST, SECOND]) as (running, _):
        sdk = AsyncOpenAI(base_url=running.base_url, api_key="x")
        asks = {"model": "one", "instructions": ROLE, "input": TASK}
        async with sdk, sdk.responses.stream(**asks, extra_headers=HOLD) as stream:
            deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
            done = await stream.get_final_response()
        assert done.output_text == "".join(deltas) and FITTING in done.output_text
        assert [item.status for item in done.output] == ["completed"]
        await full_cost(running)


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
@pytest.mark.parametrize("provider", ["chat", "gemini"])
async def test_an_edit_in_the_text_of_gemini_is_what_the_sdk_puts_together(provider: str, tmp_path: Path):
    async with talking(tmp_path, provider, [FIRST, SECOND]) as (running, _):
        options = types.HttpOptions(base_url=running.base_url.removesuffix("/v1"), headers=HOLD)
        client = genai.Client(api_key="x", http_options=options)
        sdk = client.aio
        config = types.GenerateContentConfig(system_instruction=ROLE)
        chunks = [c async for c in await sdk.models.generate_content_stream(model="one", contents=TASK, config=config)]
        await sdk.aclose()
        client.close()
        text = "".join(chunk.text or "" for chunk in chunks)
        assert FITTING in text and "a * b" not in text and "Here you are" not in text
        assert chunks[-1].candidates is not None and chunks[-1].candidates[0].finish_reason == "STOP"
        await full_cost(running)
