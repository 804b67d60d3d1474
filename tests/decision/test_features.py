from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.features import extract
from suffice.values.task import TaskType
from suffice.wire.request_view import WINDOW_CHARS, RequestView


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("asks_accuracy", Path(__file__).with_name("accuracy.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


accuracy = _load()
view_of = accuracy.view_of


@pytest.mark.parametrize(
    ("name", "task_floor", "natural_floor"),
    [("asks.tsv", 0.97, 0.92), ("asks_held_out.tsv", 0.90, 0.92), ("asks_blind.tsv", 0.55, 0.92)],
)
def test_accuracy_on_labelled_asks(name: str, task_floor: float, natural_floor: float) -> None:
    task, natural, wrong = accuracy.measure(name)
    assert task >= task_floor, wrong
    assert natural >= natural_floor


AGENT = {"tool_names": ("bash", "edit")}


def test_a_tool_result_makes_an_agents_step() -> None:
    found = extract(view_of("Fix the bug", last_roles=("user", "assistant", "tool"), n_assistant=1, **AGENT))
    assert found.task is TaskType.AGENTIC_STEP
    assert found.turn == 1
    assert found.needs_tools


def test_an_agents_first_ask_keeps_its_task_and_an_unclear_one_is_a_step() -> None:
    assert extract(view_of("Fix the bug in calc.py", **AGENT)).task is TaskType.BUG_FIX
    assert extract(view_of("yes", asks=("yes",), first_user_text="hello there", **AGENT)).task is TaskType.AGENTIC_STEP
    assert extract(view_of("hmm", tool_names=("weather",))).task is TaskType.OTHER


def test_going_on_inherits_the_task_before() -> None:
    found = extract(view_of("yes", asks=("yes", "ok", "Write unit tests for calc.py"), first_user_text="hi"))
    assert found.task is TaskType.TEST_GEN
    assert found.language == "python"
    assert "inherited" in found.signals


def test_environment_sent_as_the_last_message_is_passed_over() -> None:
    env = "<environment_details>\nopen: test_review.md\n</environment_details>"
    found = extract(view_of(env, asks=(env, "Convert utils.js to TypeScript")))
    assert (found.task, found.language) == (TaskType.CONVERT, "typescript")


@pytest.mark.parametrize(
    "changes",
    [
        {"n_messages": 0, "prompt": "def f(", "suffix": "\n    return x"},
        {"n_messages": 0, "prompt": "function add(a, b) {"},
        {"asks": ("<|fim_prefix|>def f(<|fim_suffix|>return<|fim_middle|>",)},
        {"asks": ("<PRE> def f( <SUF>return <MID>",)},
    ],
)
def test_fill_in_the_middle_is_completion(changes: dict[str, object]) -> None:
    assert extract(view_of("x", **changes)).task is TaskType.COMPLETE


def test_titles_are_not_coding_tasks() -> None:
    view = view_of("Fix the bug", system_text="You are a title generator. You output ONLY a thread title.")
    assert extract(view).task is TaskType.OTHER


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("sort a list in Go", "go"),
        ("write it in C", "c"),
        ("let's go with the first one", ""),
        ("fix src/app/main.rs", "rust"),
        ("convert from Java to Kotlin", "kotlin"),
        ("explain\n```ts\nlet x\n```", "typescript"),
        ("what is wrong?\n```\ndef f(x):\n    return x\n```", "python"),
        ("explain\n```\n#include <vector>\nstd::vector<int> v;\n```", "cpp"),
        ("a C++ template and a C# class", "csharp"),
    ],
)
def test_programming_language(text: str, language: str) -> None:
    assert extract(view_of(text)).language == language


@pytest.mark.parametrize(
    ("text", "security", "unfamiliar"),
    [
        ("implement password hashing with bcrypt", True, False),
        ("prüfe die Authentifizierung", True, False),
        ("修复登录漏洞", True, False),
        ("count the tokens of a prompt", False, False),
        ("use our internal billing SDK to fetch invoices", False, True),
        ("port to polars 2.0.0-beta1", False, True),
        ("<system-reminder>password, jwt, internal SDK</system-reminder>rename x", False, False),
    ],
)
def test_what_raises_the_floor(text: str, security: bool, unfamiliar: bool) -> None:
    found = extract(view_of(text))
    assert (found.security_sensitive, found.unfamiliar_library) == (security, unfamiliar)


def test_tests_and_size_are_seen() -> None:
    assert extract(view_of("run tests/test_calc.py")).has_tests
    assert extract(view_of("x", tool_result_texts=("collected 3 items: pytest",))).has_tests
    assert not extract(view_of("rename x")).has_tests
    assert extract(view_of("x", total_bytes=3600)).prompt_tokens == 1001
    assert extract(view_of("x"), prompt_tokens=7).prompt_tokens == 7


@given(
    st.text(max_size=200), st.text(max_size=50), st.lists(st.sampled_from(["user", "tool", "assistant"]), max_size=3)
)
def test_any_text_gives_features(text: str, system: str, roles: list[str]) -> None:
    found = extract(view_of(text, system_text=system, last_roles=tuple(roles)))
    assert found.prompt_tokens > 0
    assert all(isinstance(signal, str) for signal in found.signals)


@pytest.mark.parametrize(
    "piece", ["<a_b>", "```", "(", "    at x (", "why ", "\\", "Error: ", "- ", "漢", "in ", "/a.b"]
)
def test_huge_windows_stay_bounded(piece: str) -> None:
    """Adversarial repetition ends: the windows bound the work, and no pattern goes quadratic for long."""
    text = (piece * WINDOW_CHARS)[:WINDOW_CHARS]
    assert extract(RequestView(asks=(text,), n_messages=1, last_roles=("user",))).task in TaskType
