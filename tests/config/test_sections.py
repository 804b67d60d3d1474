import dataclasses
import re
from decimal import Decimal

import pytest

from suffice.catalog.load import load
from suffice.catalog.models import CAPABILITIES
from suffice.catalog.overrides import apply
from suffice.config import sections
from suffice.config.setting import settings_of


@pytest.mark.parametrize("name", ["openai/gpt-5", "ollama/qwen2.5-coder:7b", "openrouter/a/b:free"])
def test_model_ids(name):
    assert re.fullmatch(sections.MODEL_ID, name)


@pytest.mark.parametrize("name", ["gpt", "/x", "openai/", "openai/a b", "OpenAI/x", "openai//x"])
def test_no_model_ids(name):
    assert not re.fullmatch(sections.MODEL_ID, name)


def test_sections_are_frozen_slotted_and_without_positions():
    for cls in vars(sections).values():
        if dataclasses.is_dataclass(cls):
            params = cls.__dataclass_params__
            assert params.frozen and hasattr(cls, "__slots__") and all(f.kw_only for f in dataclasses.fields(cls))


def test_overrides_are_what_the_catalogue_takes():
    price = sections.PriceSettings(input_usd_per_mtok=Decimal("0.5"), output_usd_per_mtok=Decimal(0), nominal=True)
    given = sections.ModelSettings(
        price=price, context_window_tokens=8000, capabilities=(), attributes={"region": "eu"}
    )
    assert given.as_override() == {
        "price": {"input": Decimal("0.5"), "output": Decimal(0)},
        "nominal": True,
        "context_window": 8000,
        "capabilities": (),
        "attributes": {"region": "eu"},
    }
    assert sections.ModelSettings().as_override() == {}
    catalog = apply(load(), {"vllm/mine": given.as_override()})
    model = catalog.model("vllm/mine")
    assert (model.context_window, model.capabilities) == (8000, frozenset())
    assert catalog.price("vllm/mine", at=0).rates.input == 500_000


def test_capabilities_are_those_of_the_catalogue():
    setting = next(s for s in settings_of(sections.ModelSettings) if s.name == "capabilities")
    assert set(setting.item.choices) == CAPABILITIES
