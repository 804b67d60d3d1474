from __future__ import annotations

import pytest

from suffice.decision.virtual import Rule, resolve
from suffice.errors import NotFoundError

MODELS = ("openai/gpt-5", "azure/gpt-5", "anthropic/claude-sonnet-4-6", "groq/llama")
ALIASES = {"team": ("groq/llama", "openai/gpt-5"), "cheap": ("groq/llama",)}


@pytest.mark.parametrize(
    ("name", "rule", "models"),
    [
        ("auto", Rule.AUTO, None),
        ("suffice/auto", Rule.AUTO, None),
        ("fast", Rule.FAST, None),
        ("best", Rule.BEST, None),
        ("team", Rule.AUTO, ("groq/llama", "openai/gpt-5")),
        ("cheap", Rule.AUTO, ("groq/llama",)),
        ("openai/gpt-5", Rule.PIN, ("openai/gpt-5",)),
        ("llama", Rule.PIN, ("groq/llama",)),
        ("gpt-5", Rule.PIN, ("azure/gpt-5", "openai/gpt-5")),
    ],
)
def test_names_resolve(name: str, rule: Rule, models: tuple[str, ...] | None) -> None:
    target = resolve(name, ALIASES, MODELS)
    assert (target.name, target.rule, target.models) == (name, rule, models)


@pytest.mark.parametrize(
    ("name", "near"), [("openai/gpt5", "openai/gpt-5"), ("atuo", "auto"), ("", "ask GET"), ("x/y", "")]
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        resolve(name, ALIASES, MODELS)
    assert caught.value.status == 404
    assert near in caught.value.hint
