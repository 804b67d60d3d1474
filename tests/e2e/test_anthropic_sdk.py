"""The official Anthropic SDK for Python, unchanged, against a whole gateway before providers of every dialect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic
from tests.e2e.clients import SCHEMA
from tests.e2e.test_dialects import PROVIDERS, talking
from tests.gateway.running import Gateway

from suffice.testing import presets
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Error, Frames, Timing, ToolCall, Toxic

USER: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
TOOLS: list[Any] = [{"name": "weather", "description": "d", "input_schema": SCHEMA}]
CALL = Behaviour(text="", tool_calls=(ToolCall(name="weather", arguments='{"city":"Oslo"}'),))
VIA = pytest.mark.parametrize("provider", list(PROVIDERS))


@asynccontextmanager
async def sdk(folder: Path, provider: str, script: Any) -> AsyncIterator[tuple[AsyncAnthropic, Gateway, FakeProvider]]:
    async with talking(folder, provider, script) as (running, fake):
        base = running.base_url.removesuffix("/v1")
        async with AsyncAnthropic(base_url=base, api_key="unused", max_retries=0) as client:
            yield client, running, fake


@VIA
async def test_a_message(provider: str, tmp_path: Path):
    said = Behaviour(text="Rain.", prompt_tokens=100, cached_tokens=40)
    async with sdk(tmp_path, provider, said) as (client, running, _):
        raw = await client.messages.with_raw_response.create(model="one", max_tokens=500, messages=USER)
        message = await _parsed(raw)
        assert [block.text for block in message.content] == ["Rain."]
        assert (message.stop_reason, message.role, message.type) == ("end_turn", "assistant", "message")
        # This dialect's input leaves the cache out.
        assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (60, 40)
        (row,) = await running.rows(raw.headers["x-request-id"])
        assert row.detail.result.usage.output_tokens == message.usage.output_tokens


async def _parsed(raw: Any) -> Any:
    found = raw.parse()
    return await found if hasattr(found, "__await__") else found


@VIA
@pytest.mark.parametrize("frames", [Frames(), Frames(crlf=True), Frames(comments=True)], ids=["plain", "crlf", "notes"])
async def test_a_stream(provider: str, frames: Frames, tmp_path: Path):
    said = Behaviour(text="It rains all day.", frames=frames, timing=Timing(write_bytes=11))
    async with (
        sdk(tmp_path, provider, said) as (client, _, _),
        client.messages.stream(model="one", max_tokens=500, messages=USER) as stream,
    ):
        text = "".join([piece async for piece in stream.text_stream])
        final = await stream.get_final_message()
    assert text == "It rains all day."
    assert (final.stop_reason, final.content[0].type) == ("end_turn", "text")
    assert final.usage.output_tokens > 0


@VIA
async def test_a_streamed_tool_loop(provider: str, tmp_path: Path):
    async with sdk(tmp_path, provider, [CALL, Behaviour(text="Rain.")]) as (client, _, fake):
        ask: dict[str, Any] = {"model": "one", "max_tokens": 500, "tools": TOOLS}
        async with client.messages.stream(messages=USER, **ask) as stream:
            first = await stream.get_final_message()
        (block,) = first.content
        assert block.type == "tool_use"
        assert (first.stop_reason, block.name, block.input) == ("tool_use", "weather", {"city": "Oslo"})
        result = {"type": "tool_result", "tool_use_id": block.id, "content": "It rains."}
        turns: list[Any] = [
            *USER,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [result]},
        ]
        second = await client.messages.create(messages=turns, **ask)
        assert second.content[0].text == "Rain."  # type: ignore[union-attr]
        assert b"It rains." in fake.requests[1].body


@VIA
async def test_thinking_comes_with_a_signature_and_may_be_sent_back(provider: str, tmp_path: Path):
    said = Behaviour(text="", reasoning="Let me think.", tool_calls=CALL.tool_calls)
    async with sdk(tmp_path, provider, [said, Behaviour(text="Rain.")]) as (client, _, fake):
        ask: dict[str, Any] = {"model": "one", "max_tokens": 4000, "tools": TOOLS}
        ask["thinking"] = {"type": "enabled", "budget_tokens": 2000}
        async with client.messages.stream(messages=USER, **ask) as stream:
            first = await stream.get_final_message()
        thinking, call = first.content
        assert thinking.type == "thinking" and call.type == "tool_use"
        assert thinking.thinking == "Let me think." and thinking.signature
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "It rains."}
        turns: list[Any] = [
            *USER,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [result]},
        ]
        assert (await client.messages.create(messages=turns, **ask)).content[-1].text == "Rain."  # type: ignore[union-attr]
        # What is sealed for one provider is never sent as it left us.
        assert b"sfx1." not in fake.requests[1].body


@VIA
async def test_counting_tokens(provider: str, tmp_path: Path):
    async with sdk(tmp_path, provider, Behaviour()) as (client, _, _):
        few = await client.messages.count_tokens(model="one", messages=USER)
        more = await client.messages.count_tokens(model="one", messages=USER * 9, tools=TOOLS)
        assert 0 < few.input_tokens < more.input_tokens


async def test_models(tmp_path: Path):
    async with sdk(tmp_path, "messages", Behaviour()) as (client, _, _):
        listed = [model.id async for model in client.models.list()]
        assert "anthropic/m" in listed
        assert (await client.models.retrieve("anthropic/m")).type == "model"


ERRORS = {
    "invalid": (presets.invalid(), anthropic.BadRequestError, "invalid_request_error"),
    "context": (presets.too_long(), anthropic.BadRequestError, "invalid_request_error"),
    "rate": (
        Behaviour(status=429, error=Error(type="rate_limit_error"), retry_after="30"),
        anthropic.RateLimitError,
        "rate_limit_error",
    ),
    "overloaded": (presets.failing(529), anthropic.APIStatusError, "overloaded_error"),
    "credential": (presets.bad_credential(), anthropic.InternalServerError, "api_error"),
}


@VIA
@pytest.mark.parametrize("error", list(ERRORS))
async def test_errors_raise_the_right_exception(provider: str, error: str, tmp_path: Path):
    script, kind, told = ERRORS[error]
    async with sdk(tmp_path, provider, script) as (client, _, _):
        with pytest.raises(kind) as caught:
            await client.messages.create(model="one", max_tokens=500, messages=USER)
        body: Any = caught.value.body
        assert (body["type"], body["error"]["type"]) == ("error", told)
        if error == "rate":
            assert int(caught.value.response.headers["retry-after"]) >= 1
        if error == "context":
            assert "too long" in body["error"]["message"] or "maximum context length" in body["error"]["message"]


@VIA
async def test_a_cut_stream_raises(provider: str, tmp_path: Path):
    said = Behaviour(text="It rains all day.", toxic=Toxic(cut_after_events=4), timing=Timing(between_tokens_s=0.01))
    async with sdk(tmp_path, provider, said) as (client, _, _):
        with pytest.raises(anthropic.APIStatusError):
            async with client.messages.stream(model="one", max_tokens=500, messages=USER) as stream:
                await stream.get_final_message()


async def test_what_only_this_dialect_knows_arrives_untouched(tmp_path: Path):
    async with sdk(tmp_path, "messages", Behaviour()) as (client, _, fake):
        await client.beta.messages.create(
            model="one",
            max_tokens=500,
            messages=USER,
            betas=["context-management-2025-06-27"],
            extra_body={"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}},
        )
        (request,) = fake.requests
        assert request.header("anthropic-beta") == "context-management-2025-06-27"
        assert (request.parsed or {})["context_management"]["edits"] == [{"type": "clear_tool_uses_20250919"}]
