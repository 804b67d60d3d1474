"""The official Google Gen AI SDK for Python, unchanged, against a whole gateway before providers of every dialect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from tests.e2e.test_dialects import PROVIDERS, talking
from tests.gateway.running import Gateway

from suffice.testing import presets
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Frames, Timing, ToolCall, Toxic

ASK = "What is the weather in Oslo?"
PARAMETERS = types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)})
TOOL = types.Tool(
    function_declarations=[types.FunctionDeclaration(name="weather", description="d", parameters=PARAMETERS)]
)
CALL = Behaviour(text="", tool_calls=(ToolCall(name="weather", arguments='{"city":"Oslo"}'),))
VIA = pytest.mark.parametrize("provider", list(PROVIDERS))
# The SDK builds on aiohttp in a way that aiohttp speaks against.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


@asynccontextmanager
async def sdk(folder: Path, provider: str, script: Any) -> AsyncIterator[tuple[Any, Gateway, FakeProvider]]:
    async with talking(folder, provider, script) as (running, fake):
        base = running.base_url.removesuffix("/v1")
        client = genai.Client(api_key="unused", http_options=types.HttpOptions(base_url=base))
        try:
            yield client.aio, running, fake
        finally:
            await client.aio.aclose()
            client.close()


@VIA
async def test_an_answer(provider: str, tmp_path: Path):
    said = Behaviour(text="Rain.", prompt_tokens=100, cached_tokens=40)
    async with sdk(tmp_path, provider, said) as (client, running, _):
        answer = await client.models.generate_content(model="one", contents=ASK)
        assert answer.text == "Rain."
        assert answer.candidates[0].finish_reason is types.FinishReason.STOP
        usage = answer.usage_metadata
        assert (usage.prompt_token_count, usage.cached_content_token_count) == (100, 40)
        (row,) = await running.recent()
        assert row.detail.result.usage.output_tokens == usage.candidates_token_count


@VIA
@pytest.mark.parametrize("frames", [Frames(), Frames(crlf=True), Frames(comments=True)], ids=["plain", "crlf", "notes"])
async def test_a_stream(provider: str, frames: Frames, tmp_path: Path):
    said = Behaviour(text="It rains all day.", frames=frames, timing=Timing(write_bytes=11))
    async with sdk(tmp_path, provider, said) as (client, _, _):
        stream = await client.models.generate_content_stream(model="one", contents=ASK)
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.text or "" for chunk in chunks) == "It rains all day."
    assert chunks[-1].candidates[0].finish_reason is types.FinishReason.STOP
    assert chunks[-1].usage_metadata.candidates_token_count > 0


@VIA
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_tool_loop(provider: str, stream: bool, tmp_path: Path):
    async with sdk(tmp_path, provider, [CALL, Behaviour(text="Rain.")]) as (client, _, fake):
        config = types.GenerateContentConfig(tools=[TOOL])
        if stream:
            came = await client.models.generate_content_stream(model="one", contents=ASK, config=config)
            contents = [chunk.candidates[0].content async for chunk in came if chunk.candidates]
        else:
            contents = [
                (await client.models.generate_content(model="one", contents=ASK, config=config)).candidates[0].content
            ]
        parts = [part for content in contents if content for part in content.parts or []]
        (call,) = [part.function_call for part in parts if part.function_call]
        assert (call.name, call.args) == ("weather", {"city": "Oslo"})
        answer = types.Part.from_function_response(name="weather", response={"result": "It rains."})
        turns = [
            types.Content(role="user", parts=[types.Part(text=ASK)]),
            types.Content(role="model", parts=[part for part in parts if part.function_call]),
            types.Content(role="user", parts=[answer]),
        ]
        second = await client.models.generate_content(model="one", contents=turns, config=config)
        assert second.text == "Rain."
        assert b"It rains." in fake.requests[1].body


@VIA
async def test_thinking(provider: str, tmp_path: Path):
    said = Behaviour(text="42", reasoning="Let me think.")
    async with sdk(tmp_path, provider, said) as (client, _, _):
        thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=2000)
        config = types.GenerateContentConfig(thinking_config=thinking)
        answer = await client.models.generate_content(model="one", contents=ASK, config=config)
        parts = answer.candidates[0].content.parts
        assert [(part.text, bool(part.thought)) for part in parts] == [("Let me think.", True), ("42", False)]
        assert answer.usage_metadata.thoughts_token_count > 0


@VIA
async def test_counting_tokens(provider: str, tmp_path: Path):
    async with sdk(tmp_path, provider, Behaviour()) as (client, _, _):
        few = await client.models.count_tokens(model="one", contents=ASK)
        more = await client.models.count_tokens(model="one", contents=ASK * 9)
        assert 0 < few.total_tokens < more.total_tokens


async def test_models(tmp_path: Path):
    async with sdk(tmp_path, "gemini", Behaviour()) as (client, _, _):
        listed = [model.name async for model in await client.models.list()]
        assert "models/google-gemini/m" in listed


ERRORS = {
    "invalid": (presets.invalid(), errors.ClientError, 400),
    "context": (presets.too_long(), errors.ClientError, 400),
    "rate": (presets.rate_limited("30"), errors.ClientError, 429),
    "overloaded": (presets.failing(529), errors.ServerError, 503),
    "credential": (presets.bad_credential(), errors.ServerError, 502),
}


@VIA
@pytest.mark.parametrize("error", list(ERRORS))
async def test_errors_raise_the_right_exception(provider: str, error: str, tmp_path: Path):
    script, kind, status = ERRORS[error]
    async with sdk(tmp_path, provider, script) as (client, _, _):
        with pytest.raises(kind) as caught:
            await client.models.generate_content(model="one", contents=ASK)
        assert caught.value.code == status
        assert caught.value.status and caught.value.message


@VIA
async def test_a_cut_stream_raises(provider: str, tmp_path: Path):
    said = Behaviour(text="It rains all day.", toxic=Toxic(cut_after_events=4), timing=Timing(between_tokens_s=0.01))
    async with sdk(tmp_path, provider, said) as (client, _, _):
        stream = await client.models.generate_content_stream(model="one", contents=ASK)
        with pytest.raises(errors.APIError):
            async for _chunk in stream:
                pass
