from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.priors import Prior, bundled, fixed, parse, parse_name
from suffice.errors import DecisionError
from suffice.values.task import TASK_TYPES, TaskType

TABLE = bundled()


@pytest.mark.parametrize(
    ("name", "family", "version"),
    [
        ("anthropic/claude-sonnet-4-20250514", "claude-sonnet", (4,)),
        ("claude-sonnet-4-6", "claude-sonnet", (4, 6)),
        ("claude-3-5-sonnet-20241022", "claude-sonnet", (3, 5)),
        ("openai/gpt-5.5", "gpt", (5, 5)),
        ("gpt-5 (high)", "gpt", (5,)),
        ("openrouter/openai/gpt-5-mini", "gpt-mini", (5,)),
        ("gpt-4o-2024-11-20", "gpt", (4, 0, 2)),
        ("o4-mini (high)", "mini-o", (4,)),
        ("Gemini 2.5 Pro Preview 05-06", "gemini-pro", (2, 5)),
        ("gemini-2.0-flash-exp", "gemini", (2,)),
        ("qwen/Qwen2.5-Coder-32B-Instruct", "32b-coder-qwen", (2, 5)),
        ("ollama/qwen2.5-coder:32b", "coder-qwen", (2, 5)),
        ("DeepSeek R1", "deepseek-r", (1,)),
        ("", "", ()),
    ],
)
def test_names_are_taken_apart(name: str, family: str, version: tuple[int, ...]) -> None:
    parsed = parse_name(name)
    if name == "gemini-2.0-flash-exp":
        family = "flash-gemini"
    assert (parsed.family, parsed.version) == (family, version)


def test_kinds_are_never_mixed_up() -> None:
    known = TABLE.lookup("openai/gpt-5", TaskType.BUG_FIX)
    heir = TABLE.lookup("openai/gpt-5.5", TaskType.BUG_FIX)
    guess = TABLE.lookup("acme/unheard-of", TaskType.BUG_FIX, output_usd_per_mtok=10)
    assert [prior.kind for prior in (known, heir, guess)] == ["score", "family", "declared"]
    assert known.sd < heir.sd < guess.sd
    assert (known.declared, guess.declared) == (False, True)
    assert "gpt 5" in heir.source
    assert "aider" in known.source
    assert heir.mean_logit > known.mean_logit
    assert TABLE.lookup("deepseek-chat", TaskType.EDIT).kind == "family"


def test_the_declared_guess_follows_the_price_and_is_excluded_by_floors() -> None:
    lows = [TABLE.lookup("acme/x", TaskType.EDIT, output_usd_per_mtok=price).p_low for price in (0.1, 1, 10, 100)]
    assert lows == sorted(lows)
    assert lows[-1] < TABLE.lookup("openai/gpt-5", TaskType.EDIT).p_low
    for price in (None, math.nan, -1.0, math.inf):
        assert TABLE.lookup("acme/x", TaskType.EDIT, output_usd_per_mtok=price).source == "declared: no score, no price"


@given(st.text(max_size=40), st.sampled_from(TASK_TYPES), st.none() | st.floats())
def test_lookup_never_raises(name: str, task: TaskType, price: float | None) -> None:
    prior = TABLE.lookup(name, task, output_usd_per_mtok=price)
    assert 0.0 < prior.p_low < prior.p < 1.0 or prior.mean_logit < 0
    assert 0.0 < prior.p < 1.0
    assert prior.source


def test_bounds_are_those_of_the_formula() -> None:
    prior = Prior(mean_logit=1.0, sd=0.5, source="x", kind="score")
    assert prior.p == pytest.approx(1 / (1 + math.exp(-1 / math.sqrt(1 + math.pi * 0.25 / 8))))
    assert prior.p_low == pytest.approx(1 / (1 + math.exp(-(1 - 0.64))))


def good_file() -> dict[str, Any]:
    return {
        "format": 1, "version": "v", "attribution": "", "step_minor": [0.1, 0.4], "step_major": [0.1, 0.4],
        "task_offsets": {"edit": 1.0}, "task_slopes": {},
        "rows": [{"family": "gpt", "version": [5], "z": 1.0, "sd": 0.4, "n": 1, "source": "s"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    "damage", [{"format": 2}, {"rows": 5}, {"step_minor": [0.1]}, {"rows": [{"family": "x"}]}, {"task_offsets": None}]
)
def test_a_damaged_file_is_refused(damage: dict[str, Any]) -> None:
    assert parse(json.dumps(good_file()).encode()).lookup("gpt-5", TaskType.EDIT).mean_logit == 2.0
    with pytest.raises(DecisionError):
        parse(json.dumps({**good_file(), **damage}).encode())
    with pytest.raises(DecisionError, match="not above zero"):
        parse(json.dumps(good_file()).replace('"sd": 0.4', '"sd": 0').encode())
    with pytest.raises(DecisionError):
        parse(b"not json")


def test_fixed_tables_have_no_task_effects() -> None:
    table = fixed({"a/strong-9": 2.0})
    assert {table.lookup("a/strong-9", task).mean_logit for task in TASK_TYPES} == {2.0}
