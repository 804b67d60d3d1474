from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.catalog.load import load
from suffice.catalog.overrides import apply
from suffice.config.sections import ModelSettings, PriceSettings
from suffice.errors import ConfigError
from suffice.values.money import Estimated, Known

BASE = load()
NOW = 1_795_305_600.0


def test_the_operator_wins_and_the_original_stays() -> None:
    changed = apply(BASE, {"openai/gpt-5.4": {"price": {"input": "1.25", "output": 7, "cache_read": "0.1"}}})
    price = changed.price("gpt-5.4", NOW, 900_000)
    assert isinstance(price, Known) and price.source == "operator"
    assert (price.rates.input, price.rates.output, price.rates.cache_read) == (1_250_000, 7_000_000, 100_000)
    before = BASE.price("gpt-5.4", NOW)
    assert isinstance(before, Known) and before.rates.input == 2_500_000
    assert changed.version != BASE.version and changed.version.startswith(BASE.version + "+operator.")
    mirrored = changed.price("azure-openai/gpt-5.4", NOW)
    assert isinstance(mirrored, Estimated) and mirrored.rates.input == 1_250_000


def test_a_new_local_model_with_a_nominal_price() -> None:
    row = {"price": {"input": "0.05", "output": "0.1"}, "nominal": True, "capabilities": ["tools"], "context_window": 8192,
           "attributes": {"region": "here"}, "services": {"batch": [1, 2]}, "aliases": ["tiny"]}  # fmt: skip
    changed = apply(BASE, {"vllm/smol": row})
    model = changed.model("tiny")
    assert (
        model is not None and model.id == "vllm/smol" and model.has("vision") is False and model.context_window == 8192
    )
    assert model.attributes["region"].confidence == "operator"
    price = changed.price("vllm/smol", NOW, service_tier="batch")
    assert isinstance(price, Known) and price.source == "operator (nominal)" and price.rates.input == 25_000
    free = apply(BASE, {"vllm/smol": {"price": {"input": 0, "output": 0}, "nominal": True}}).price("vllm/smol", NOW)
    assert isinstance(free, Known) and free.rates.input == 0


def test_an_override_without_a_price_keeps_the_listed_one() -> None:
    changed = apply(BASE, {"openai/gpt-5.4": {"context_window": 1000, "attributes": {"region": "eu"}}})
    price, model = changed.price("openai/gpt-5.4", NOW), changed.model("openai/gpt-5.4")
    assert isinstance(price, Known) and price.rates.input == 2_500_000
    assert model is not None and model.context_window == 1000 and model.has("tools") is True
    assert apply(BASE, {}) is BASE


def test_the_configuration_speaks_this_form() -> None:
    price = PriceSettings(input_usd_per_mtok=Decimal(0), output_usd_per_mtok=Decimal("0.1"), nominal=True)
    rows = {
        "vllm/m": ModelSettings(price=price, name="org/m").as_override(),
        "openai/gpt-5.4": ModelSettings(context_window_tokens=5, capabilities=("tools",)).as_override(),
    }
    changed = apply(BASE, rows)
    local, hosted = changed.model("vllm/m"), changed.model("openai/gpt-5.4")
    assert local is not None and local.name == "org/m" and isinstance(changed.price("vllm/m", NOW), Known)
    assert hosted is not None and hosted.context_window == 5 and hosted.has("vision") is False


@pytest.mark.parametrize(
    ("model", "row", "says"),
    [
        ("openai/x", {"price": {"input": "1"}}, r'suffice.toml: models."openai/x".price has no output'),
        ("openai/x", {"price": {"input": "0", "output": "1"}}, "nominal = true"),
        ("openai/x", {"price": {"input": "abc", "output": "1"}}, "price.input is not a number"),
        ("openai/x", {"price": {"input": "NaN", "output": "1"}}, "finite"),
        ("openai/x", {"price": {"input": "-1", "output": "1"}}, "at least 0"),
        ("openai/x", {"price": {"input": True, "output": "1"}}, "is not a price"),
        ("openai/x", {"price": {"input": "0.0000001", "output": "1"}}, "more than six decimals"),
        ("openai/x", {"price": {"inptu": "1", "output": "1"}}, "did you mean input"),
        ("openai/x", {"price": 3}, "price is not a table"),
        ("openai/x", {"pirce": {}}, "did you mean price"),
        ("openai/x", {"capabilities": ["tool"]}, "did you mean tools"),
        ("openai/x", {"capabilities": "tools"}, "not a list"),
        ("openai/x", {"context_window": 0}, "above 0"),
        ("openai/x", {"context_window": True}, "above 0"),
        ("openai/x", {"nominal": True}, "belong to a price"),
        ("openai/x", {"price": {"input": 1, "output": 1}, "services": {"batch": 0.5}}, "half price is"),
        ("openai/x", {"price": {"input": 1, "output": 1}, "nominal": "yes"}, "not true or false"),
        ("openia/x", {"context_window": 5}, "did you mean openai/x"),
        ("x", {"context_window": 5}, "not a provider"),
        ("openai/x", {"kind": "chta"}, "did you mean chat"),
        ("openai/x", {"attributes": {"region": 3}}, "attributes.region is not a string"),
        ("openai/x", [], "is not a table"),
    ],
)
def test_errors_name_place_and_remedy(model: str, row: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        apply(BASE, {model: row})  # type: ignore[dict-item]


@given(st.decimals(min_value="0.000001", max_value="100000", places=6), st.integers(1, 10**6))
def test_operator_prices_are_exact(price: object, tokens: int) -> None:
    got = apply(BASE, {"vllm/m": {"price": {"input": str(price), "output": "1"}}}).price("vllm/m", NOW)
    assert isinstance(got, Known)
    assert got.rates.input * tokens == int(price * 1_000_000) * tokens  # type: ignore[operator]
