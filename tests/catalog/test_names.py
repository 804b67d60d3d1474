from hypothesis import given
from hypothesis import strategies as st

from suffice.catalog.names import canonical, family, is_snapshot_of, normal, undated


@given(st.text())
def test_normal_is_idempotent_and_total(text: str) -> None:
    assert normal(normal(text)) == normal(text)
    assert isinstance(canonical(text), str) and isinstance(family(text), str)


def test_one_model_has_one_canonical_name_everywhere() -> None:
    spellings = [
        "claude-sonnet-4-5",
        "anthropic/claude-sonnet-4.5",
        "claude-sonnet-4-5-20250929",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "anthropic/claude-4.5-sonnet-20250929",
    ]
    assert {canonical(s) for s in spellings} == {"claude-sonnet-4-5"}
    assert canonical("glm-5p3") == canonical("zai-org/GLM-5.3") == "glm-5-3"


def test_sizes_are_not_lost() -> None:
    assert canonical("qwen3-32b") != canonical("qwen3-8b")
    assert canonical("gpt-5.4") != canonical("gpt-5.4-mini")


def test_snapshots() -> None:
    assert is_snapshot_of("gpt-5.4-2026-03-05", "gpt-5.4")
    assert is_snapshot_of("claude-3-5-haiku-20241022", "claude-3-5-haiku-latest")
    assert not is_snapshot_of("gpt-5.1-codex", "gpt-5.1")
    assert undated("deepseek-v4-flash-0731") == "deepseek-v4-flash-0731"


def test_families() -> None:
    assert family("claude-sonnet-4-5") == family("anthropic/claude-sonnet-5.5") == "claude-sonnet"
    assert family("gpt-5.4-mini") == "gpt-mini"
