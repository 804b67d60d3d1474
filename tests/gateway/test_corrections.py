"""Estimates learn from what providers count, over real sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.gateway.running import endpoint, gateway, one_provider

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Usage

WORDS = "The quick brown fox jumps over the lazy dog and says so. " * 100


def ask(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": WORDS}], **more}


async def test_an_unreported_prompt_is_charged_as_the_model_counted_before(tmp_path: Path):
    script = [Behaviour(prompt_tokens=2400)] * 3 + [Behaviour(usage=Usage(where="none"))]
    async with one_provider(tmp_path, script) as (up, _):
        for _ in range(3):
            await up.chat(**ask())
        guessed = await up.chat(**ask())
        (row,) = await up.rows(guessed)
        assert row.row.charge_class == "est"
        assert abs(row.detail.result.usage.input_tokens - 2400) < 24


async def test_a_stream_announces_what_the_model_counted_before(tmp_path: Path):
    async with one_provider(tmp_path, Behaviour(prompt_tokens=2400)) as (up, _):
        first = await up.chat(**ask(stream=True))
        later = await up.chat(**ask(stream=True))
        name = "x-suffice-cost-estimate-usd"
        assert float(later.headers[name]) > float(first.headers[name])


async def test_a_count_is_corrected_by_the_models_own(tmp_path: Path):
    async with (
        FakeProvider(Behaviour(prompt_tokens=2400)) as fake,
        gateway(endpoint("one", fake.base_url), tmp_path) as up,
    ):
        body = {"model": "openai/m", "max_tokens": 9, **ask()}
        raw = (await up.post("/messages/count_tokens", body)).json["input_tokens"]
        await up.post("/messages", body)
        told = (await up.post("/messages/count_tokens", body)).json["input_tokens"]
        assert abs(told - 2400) < abs(raw - 2400)
        assert abs(told - 2400) < 24


async def test_absurd_counts_and_images_teach_nothing(tmp_path: Path):
    script = [Behaviour(prompt_tokens=10_000_000), Behaviour(prompt_tokens=2400)]
    async with one_provider(tmp_path, script) as (up, _):
        await up.chat(**ask())
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 3000}}
        await up.chat(messages=[{"role": "user", "content": [{"type": "text", "text": WORDS}, image]}])
        assert up.runtime.corrections.by_size("openai/m", 1000) == 1000
