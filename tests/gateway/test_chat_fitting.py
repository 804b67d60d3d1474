"""Which chat requests stay as they are, which are fitted, and which are written anew."""

from __future__ import annotations

import json
from typing import Any

import pytest

from suffice.catalog.load import load
from suffice.catalog.models import Model
from suffice.gateway.chat_fitting import fitted
from suffice.wire.chat_fit import AS_IT_IS
from suffice.wire.prescan import scan

CATALOG = load()
TOOL = {"type": "function", "function": {"name": "custom"}}
CUSTOM = {"type": "custom", "custom": {"name": "patch"}}


def found(provider: str, body: dict[str, Any], *, thinks: bool = True) -> Any:
    row = CATALOG.provider(provider)
    model = Model(
        id=f"{provider}/m",
        provider=provider,
        name="m",
        capabilities=frozenset({"reasoning"} if thinks else ()),
        reviewed=True,
    )
    return fitted(scan(json.dumps({"model": "m", **body}).encode()), row.quirks, model)


@pytest.mark.parametrize(
    ("provider", "body", "thinks", "anew"),
    [
        ("openai", {"tools": [CUSTOM]}, True, False),
        ("together", {"tools": [CUSTOM]}, True, True),
        ("together", {"tools": [TOOL]}, True, False),
        # Thinking that must come back although clients drop it: remembered, so written anew.
        ("deepseek", {"tools": [TOOL]}, True, True),
        ("deepseek", {"tools": [TOOL]}, False, False),
        ("deepseek", {}, True, False),
        # Thinking in a form that clients of chat do not read.
        ("mistral", {}, True, True),
        ("mistral", {}, False, False),
        ("minimax", {}, True, True),
    ],
)
def test_what_splices_cannot_do_is_written_anew(provider: str, body: dict[str, Any], thinks: bool, anew: bool):
    assert (found(provider, body, thinks=thinks) is None) is anew


def test_the_older_name_of_the_limit_stays_for_models_that_do_not_think():
    assert found("openai", {"max_tokens": 5}, thinks=False) is AS_IT_IS
    assert found("openai", {"max_tokens": 5}).changes == {"max_tokens": None, "max_completion_tokens": b"5"}
    assert found("groq", {"max_tokens": 5}) is AS_IT_IS


def test_the_flag_for_usage_is_left_out_where_it_is_refused():
    body = {"stream_options": {"include_usage": True}}
    assert found("codestral", body, thinks=False).changes == {"stream_options": None}
