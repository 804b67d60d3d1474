import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.catalog.book import Catalog
from suffice.catalog.load import load
from suffice.values.money import Estimated, Known, Unknown
from suffice.values.usage import Usage

CATALOG = load()
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()

# $/Mtok as published by the vendors in November 2026, entered by hand: input, output, cache read, cache write.
LIST_PRICES = {
    "openai/gpt-5-mini": ("0.25", "2", "0.025", None),
    "openai/gpt-5.4": ("2.5", "15", "0.25", None),
    "openai/gpt-5.6-sol": ("4", "20", "0.4", "5"),
    "openai/gpt-4o-mini": ("0.15", "0.6", "0.075", None),
    "anthropic/claude-haiku-4-5": ("1", "5", "0.1", "1.25"),
    "anthropic/claude-haiku-5-5": ("0.1", "0.5", "0.01", "0.125"),
    "anthropic/claude-sonnet-4-5": ("3", "15", "0.3", "3.75"),
    "anthropic/claude-opus-4-6": ("5", "25", "0.5", "6.25"),
    "google-gemini/gemini-2.5-pro": ("1.25", "10", "0.125", None),
    "google-gemini/gemini-2.5-flash": ("0.3", "2.5", "0.03", None),
    "google-gemini/gemini-4-argon": ("2", "10", "0.1", None),
    "deepseek/deepseek-v4-pro": ("0.66", "1.98", "0.022", None),
    "mistral/mistral-large-4": ("0.7", "2.1", "0.07", None),
    "zai/GLM-5.3": ("1.4", "4.4", "0.26", None),
}


def pico(text: str) -> int:
    whole, _, rest = text.partition(".")
    return int(whole) * 1_000_000 + int((rest + "000000")[:6])


def known(name: str, at: float = NOW, **kind: object) -> Known:
    price = CATALOG.price(name, at, **kind)  # type: ignore[arg-type]
    assert isinstance(price, Known), price
    return price


@pytest.mark.parametrize("name", LIST_PRICES)
def test_current_list_prices(name: str) -> None:
    rates, (input_, output, read, write) = known(name).rates, LIST_PRICES[name]
    assert (rates.input, rates.output) == (pico(input_), pico(output))
    assert read is None or rates.cache_read == pico(read)
    assert write is None or rates.cache_write == pico(write)


def test_size_and_the_unknown_is_never_zero() -> None:
    models = CATALOG.models()
    assert len(models) >= 1500 and [m.id for m in models] == sorted({m.id for m in models})
    for model in models:
        for tier in ("", "batch", "flex", "priority"):
            price = CATALOG.price(model.id, NOW, service_tier=tier)
            if isinstance(price, Known | Estimated) and not model.free:
                assert price.rates.input > 0 and (price.rates.output > 0 or model.kind == "embedding"), model.id
                assert price.rates.cache_read > 0 and price.rates.cache_write > 0, model.id


@given(st.text(), st.floats(), st.integers(), st.text())
def test_nothing_makes_it_raise(name: str, at: float, tokens: int, tier: str) -> None:
    assert isinstance(CATALOG.price(name, at, tokens, tier), Known | Estimated | Unknown)
    CATALOG.model(name), CATALOG.provider(name), CATALOG.same_model(name)


@given(st.sampled_from(sorted(m.id for m in CATALOG.models())), st.floats(), st.integers(), st.text(max_size=8))
def test_no_moment_makes_a_listed_model_raise(name: str, at: float, tokens: int, tier: str) -> None:
    price = CATALOG.price(name, at, tokens, tier)
    assert isinstance(price, Unknown) or math.isfinite(at) or price.source.startswith("declared free")  # type: ignore[union-attr]


@given(st.sampled_from(["openai/gpt-5.4", "anthropic/claude-haiku-5-5", "google-gemini/gemini-2.5-pro"]),
       st.integers(0, 2_000_000), st.integers(0, 2_000_000))  # fmt: skip
def test_a_longer_prompt_is_never_cheaper(name: str, a: int, b: int) -> None:
    low, high = known(name, prompt_tokens=min(a, b)).rates, known(name, prompt_tokens=max(a, b)).rates
    assert low.input <= high.input and low.output <= high.output and low.cache_read <= high.cache_read


def test_dated_traps() -> None:
    assert known("anthropic/claude-haiku-5-5", prompt_tokens=100_001).rates.input == 500_000
    assert known("openai/gpt-5.4", prompt_tokens=272_001).rates.output == 22_500_000
    assert known("openai/gpt-5.4", service_tier="priority", prompt_tokens=272_001).rates.output == 30_000_000
    assert known("anthropic/claude-sonnet-4-5", prompt_tokens=500_000).rates.input == 3_000_000
    assert known("openai/gpt-5-mini", service_tier="batch").rates.input == 125_000
    monday_peak = datetime(2026, 11, 23, 2, tzinfo=UTC).timestamp()
    assert known("deepseek/deepseek-v4-pro", monday_peak).rates.input == 1_320_000
    assert known("deepseek/deepseek-v4-pro", datetime(2026, 6, 1, 2, tzinfo=UTC).timestamp()).rates.input == 435_000
    assert known("google-gemini/gemini-4-argon", datetime(2026, 12, 2, tzinfo=UTC).timestamp()).rates.input == 4_000_000
    new_year = datetime(2027, 1, 2, tzinfo=UTC).timestamp()
    assert known("google-gemini/gemini-3.8-flash", new_year, service_tier="batch").rates.input == 750_000
    retired = CATALOG.model("openai/gpt-5-mini")
    assert retired is not None and retired.deprecated_at == "2026-12-11"


def test_a_derived_cache_price_is_an_estimate_only_if_it_was_used() -> None:
    fresh, written = Usage(input_tokens=10, cache_read_tokens=5), Usage(input_tokens=10, cache_write_tokens=5)
    assert isinstance(CATALOG.price("openai/gpt-5.4", NOW, usage=fresh), Known)
    price = CATALOG.price("openai/gpt-5.4", NOW, usage=written)
    assert isinstance(price, Estimated) and "cache_write" in price.why and price.rates.cache_write == 2_500_000
    big = Usage(input_tokens=200_000, cache_read_tokens=80_000)
    assert known("openai/gpt-5.4", usage=big).rates.input == 5_000_000


@pytest.mark.parametrize(
    ("name", "model_id", "sent"),
    [
        ("gpt-5.4", "openai/gpt-5.4", "gpt-5.4"),
        ("gpt-5.4-2026-03-05", "openai/gpt-5.4", "gpt-5.4-2026-03-05"),
        ("openai/gpt-5-4", "openai/gpt-5.4", "gpt-5.4"),
        ("claude-sonnet-4.5", "anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("google/gemini-2.5-pro", "google-gemini/gemini-2.5-pro", "gemini-2.5-pro"),
        ("x-ai/grok-4.3", "xai/grok-4.3", "grok-4.3"),
        ("claude-haiku-5-5[1m]", "anthropic/claude-haiku-5-5", "claude-haiku-5-5"),
        (
            "openrouter/anthropic/claude-haiku-4.5",
            "openrouter/anthropic/claude-haiku-4.5",
            "anthropic/claude-haiku-4.5",
        ),
        ("gpt-5.1-codex", "openai/gpt-5.1-codex", "gpt-5.1-codex"),
    ],
)
def test_names(name: str, model_id: str, sent: str) -> None:
    model = CATALOG.model(name)
    assert model is not None and (model.id, model.name) == (model_id, sent)
    assert type(CATALOG.price(name, NOW)) is type(CATALOG.price(model_id, NOW))


def test_an_unlisted_snapshot_is_an_estimate_and_a_pinned_provider_is_never_another() -> None:
    assert isinstance(CATALOG.price("gpt-5.4-2027-01-01", NOW), Estimated)
    assert CATALOG.model("openrouter/mistralai/mistral-7b-instruct") is not None
    assert isinstance(CATALOG.price("mistral/claude-sonnet-4-5", NOW), Unknown)
    assert isinstance(CATALOG.price("openai/no-such-model", NOW), Unknown)


def test_other_providers_of_one_model() -> None:
    same = CATALOG.same_model("claude-sonnet-4.5")
    assert {"anthropic/claude-sonnet-4-5", "google-vertex/claude-sonnet-4-5"} <= set(same)
    assert any(i.startswith("bedrock/") for i in same) and not any("opus" in i for i in same)


def test_local_is_free_and_their_cloud_is_not() -> None:
    assert known("ollama/qwen3:8b").rates.input == 0 and "own machine" in known("ollama/qwen3:8b").source
    assert isinstance(CATALOG.price("ollama/kimi-k3:cloud", NOW), Unknown)
    assert isinstance(CATALOG.price("ollama/", NOW), Unknown)


def test_mirrored_prices_are_estimates() -> None:
    price = CATALOG.price("azure-openai/gpt-5.4", NOW)
    assert isinstance(price, Estimated) and price.rates == known("openai/gpt-5.4").rates and "OpenAI" in price.why
    alone = Catalog(
        version="v", providers=(), models=[m for m in CATALOG.models() if m.provider == "azure-openai"], calendars={}
    )
    assert isinstance(alone.price("azure-openai/gpt-5.4", NOW), Unknown)
