from __future__ import annotations

from typing import Any, get_args

import pytest

from suffice.testing.script import Shape
from suffice.testing.usage_shapes import usage_object


def made(shape: Any = "openai", values: Any = "true") -> Any:
    return usage_object(shape, values, prompt=100, cached=40, completion=30, reasoning=10)


@pytest.mark.parametrize("shape", get_args(Shape))
def test_every_shape_adds_up(shape: str) -> None:
    usage = made(shape)
    assert usage["total_tokens"] == 130
    extra = 10 if shape == "xai" else 0
    assert usage["prompt_tokens"] + usage["completion_tokens"] + extra == 130


def test_where_each_provider_puts_cached_tokens() -> None:
    assert made("deepseek")["prompt_cache_hit_tokens"] == 40
    assert made("deepseek")["prompt_cache_miss_tokens"] == 60
    assert made("moonshot")["cached_tokens"] == 40
    assert "prompt_tokens_details" not in made("moonshot")
    for shape in ("openai", "xai", "groq", "openrouter", "mistral"):
        assert made(shape)["prompt_tokens_details"]["cached_tokens"] == 40
    assert made("openrouter")["cost"] > 0
    assert made("xai")["cost_in_usd_ticks"] > 0


def test_lies() -> None:
    assert made(values="null") is None
    assert made(values="empty") == {}
    assert made(values="list") == [100, 30]
    assert min(made(values="negative").values()) < 0
    assert made(values="strings")["prompt_tokens"] == "100"
    assert made(values="absurd")["prompt_tokens"] == 10**15
    wrong = made(values="contradictory")
    assert wrong["prompt_tokens"] + wrong["completion_tokens"] != wrong["total_tokens"]
    assert wrong["prompt_tokens_details"]["cached_tokens"] > wrong["prompt_tokens"]
