import dataclasses
import re

import pytest

from suffice.config import sections


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
