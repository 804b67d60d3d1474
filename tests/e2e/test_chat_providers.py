"""Chat clients at chat providers with peculiarities: nothing is lost that a client of OpenAI would have had."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.clients import Chat, Messages, ask
from tests.gateway.running import Gateway, endpoint, gateway

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Frames, ToolCall

CLIENT = Chat()
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@asynccontextmanager
async def talking(folder: Path, provider: str, script: Any) -> AsyncIterator[tuple[Gateway, FakeProvider]]:
    async with FakeProvider(script) as fake:
        toml = f'[aliases]\none = ["{provider}/m"]\n' + endpoint("one", fake.base_url, provider=provider)
        toml += f'[models."{provider}/m"]\ncapabilities = ["tools", "structured", "reasoning"]\n'
        async with gateway(toml, folder) as running:
            yield running, fake


@BOTH
@pytest.mark.parametrize("provider", ["together", "deepseek", "vllm"])
async def test_freeform_tools_reach_a_provider_that_has_none(provider: str, stream: bool, tmp_path: Path):
    patch = '*** Begin\n+ a "b" \\ c\n'
    calls = (ToolCall(name="patch", arguments=json.dumps({"input": patch})),)
    async with talking(tmp_path, provider, Behaviour(text="", tool_calls=calls)) as (running, fake):
        told = await ask(running, CLIENT, "custom", stream)
        assert told.calls == [("patch", patch)]
        assert "emulated=tools.custom" in told.answer.headers["x-suffice-losses"]
        assert fake.requests[0].parsed["tools"][0]["type"] == "function"


@pytest.mark.parametrize("provider", ["deepseek", "moonshot", "zai"])
@BOTH
async def test_thinking_comes_back_in_a_tool_loop_although_the_client_drops_it(
    provider: str, stream: bool, tmp_path: Path
):
    call = ToolCall(name="weather", arguments='{"city":"Oslo"}')
    script = [Behaviour(text="", reasoning="I must look it up.", tool_calls=(call,)), Behaviour(text="Rain.")]
    async with talking(tmp_path, provider, script) as (running, fake):
        told = await ask(running, CLIENT, "tools", stream)
        assert told.thought == "I must look it up."
        answer = CLIENT.told(await running.post(CLIENT.path, CLIENT.history(told, ["It rains."])))
        assert answer.text == "Rain."
        assistant = next(m for m in fake.requests[1].parsed["messages"] if m["role"] == "assistant")
        assert assistant["reasoning_content"] == "I must look it up."


async def test_typed_content_of_a_thinking_model_is_read_for_the_client(tmp_path: Path):
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "Sunny."},
    ]
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13},
    }
    async with talking(tmp_path, "mistral", Behaviour(body=json.dumps(body))) as (running, _):
        told = await ask(running, CLIENT, "text", False)
        assert (told.text, told.thought) == ("Sunny.", "Hm.")


@BOTH
async def test_thinking_inside_the_text_is_taken_out_of_it(stream: bool, tmp_path: Path):
    async with talking(tmp_path, "minimax", Behaviour(text="<think>Hm.</think>Sunny.")) as (running, _):
        told = await ask(running, CLIENT, "text", stream)
        assert (told.text, told.thought) == ("Sunny.", "Hm.")


@BOTH
async def test_an_error_that_minimax_tells_inside_a_success_is_one(stream: bool, tmp_path: Path):
    body = json.dumps({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}, "choices": None})
    async with talking(tmp_path, "minimax", Behaviour(body=body)) as (running, _):
        told = await ask(running, CLIENT, "text", stream)
        assert (told.status, told.error) == (503, "upstream_billing")
        (row,) = await running.rows(told.answer)
        assert (row.row.charge_class, row.row.charge_nano) == ("none", 0)


@pytest.mark.parametrize(
    ("client", "provider", "most"),
    [
        (Chat(), "openai", 4),
        (Chat(), "deepseek", 16),
        (Chat(), "vllm", 20),
        (Messages(), "openai", 4),
        (Messages(), "groq", 4),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
async def test_more_stop_sequences_than_a_provider_takes_are_declared(
    client: Any, provider: str, most: int, tmp_path: Path
):
    words = [f"word {n}" for n in range(20)]
    name = "stop" if client.name == "chat" else "stop_sequences"
    async with talking(tmp_path, provider, Behaviour(text="Yes.")) as (running, fake):
        told = client.told(await running.post(client.path, client.body("text", False) | {name: words}))
        assert told.text == "Yes."
        assert fake.requests[0].parsed["stop"] == words[:most]
        assert ("dropped=stop" in told.answer.headers.get("x-suffice-losses", "")) == (most < 20)


@BOTH
async def test_a_call_without_arguments_costs_no_second_attempt(stream: bool, tmp_path: Path):
    """Servers that write nothing where OpenAI writes `{}`: clients decode the arguments, and the checks take them for broken."""
    said = Behaviour(text="", tool_calls=(ToolCall(name="now", arguments=""),), frames=Frames(finish_stop=True))
    body = CLIENT.body("tools", stream)
    body["tools"] = [
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}
    ]
    async with talking(tmp_path, "vllm", said) as (running, fake):
        told = CLIENT.told(await running.post(CLIENT.path, body))
        assert (told.calls, told.stop, told.ended) == ([("now", {})], "tool_calls", True)
        assert len(fake.requests) == 1
