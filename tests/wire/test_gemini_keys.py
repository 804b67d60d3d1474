from __future__ import annotations

import pytest

from suffice.wire.gemini_keys import camel, generation


def test_keys_are_read_in_either_case_and_values_left_alone() -> None:
    row = {"inline_data": {"mime_type": 1}, "fileUri": 2, "_x": 3}
    assert camel(row) == {"inlineData": {"mime_type": 1}, "fileUri": 2, "_x": 3}


@pytest.mark.parametrize(
    ("model", "version"),
    [
        ("gemini-2.5-pro", 2.5),
        ("models/gemini-3-flash-preview", 3.0),
        ("gemini-3.1-pro", 3.1),
        ("gemini-flash-latest", 99.0),
        ("gemma-3", 99.0),
        ("gemini-", 99.0),
    ],
)
def test_generation(model: str, version: float) -> None:
    assert generation(model) == version
