from pathlib import Path

from suffice.config.load import parse
from suffice.config.names import check_names

PROVIDERS = {"openai", "anthropic", "ollama"}
MODELS = {"openai/gpt-5", "openai/gpt-5-mini", "anthropic/claude-sonnet-4-5"}
ENDPOINTS = (
    'version = 1\n[endpoints.a]\nprovider = "openai"\n[endpoints.l]\nprovider = "ollama"\nmodels = ["qwen:7b"]\n'
)


def found(text):
    return check_names(parse(ENDPOINTS + text, "f", {}, Path("/")), PROVIDERS, MODELS)


def test_known_names_pass():
    text = """
[models."openai/brand-new"]
[aliases]
mine = ["openai/gpt-5", "ollama/qwen:7b", "openai/brand-new"]
[teams.t]
models = ["auto", "mine", "openai/gpt-5"]
[routing]
reference_model = "openai/gpt-5"
"""
    assert found(text) == []


def test_each_unknown_name_has_its_line_and_its_neighbour():
    text = """\
[aliases]
mine = ["openai/gpt-5", "openai/gpt-5-mni"]
[teams.t]
models = ["atuo"]
[routing]
default_model = "openai/gtp-5"
[models."opnai/x"]
[endpoints.b]
provider = "anthropc"
"""
    errors = {p.line: p.message + p.hint for p in found(text) if not p.warning}
    assert set(errors) == {8, 10, 12, 13, 15}
    for line, near in (
        (8, "'openai/gpt-5-mini'"),
        (10, "'auto'"),
        (12, "'openai/gpt-5'"),
        (13, "'openai'"),
        (15, "'anthropic'"),
    ):
        assert near in errors[line]


def test_what_only_adds_or_prices_is_a_warning():
    problems = found('[models."openai/gpt-5-mine"]\n[routing]\nreference_model = "anthropic/claude-sonnet-4-5"\n')
    assert [(p.line, p.warning) for p in problems] == [(7, True), (9, True)]


def test_the_default_model_must_be_served():
    problems = found('[routing]\ndefault_model = "anthropic/claude-sonnet-4-5"\n')
    assert [p.warning for p in problems] == [False]
    assert "no endpoint serves" in problems[0].message
