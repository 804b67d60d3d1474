"""Golden settings: the variables, options and fields with which these clients were driven."""

import json
import tomllib

import pytest

from suffice.cli.clients.agents import AGENTS
from suffice.cli.clients.setting import Wiring

GW = "http://gw:9"
CLIENTS = {client.name: client for client in AGENTS}


def wired(name, dialect=None, model="M"):
    client = CLIENTS[name]
    return client, Wiring(base=GW, key="k1", model=model, dialect=dialect or client.dialects[0])


def settings(name, dialect=None, model="M"):
    client, wiring = wired(name, dialect, model)
    return client.settings(wiring)


def env(name, dialect=None):
    return {s.path: s.content for s in settings(name, dialect) if s.kind == "env"}


def commands(name, dialect=None):
    return [s.content for s in settings(name, dialect) if s.kind == "command"]


ENVIRONMENTS = [
    (
        "copilot",
        "chat",
        {
            "COPILOT_OFFLINE": "true",
            "COPILOT_PROVIDER_BASE_URL": f"{GW}/v1",
            "COPILOT_PROVIDER_API_KEY": "k1",
            "COPILOT_PROVIDER_WIRE_API": "completions",
            "COPILOT_MODEL": "M",
        },
    ),
    (
        "copilot",
        "messages",
        {
            "COPILOT_OFFLINE": "true",
            "COPILOT_PROVIDER_TYPE": "anthropic",
            "COPILOT_PROVIDER_BASE_URL": GW,
            "COPILOT_PROVIDER_API_KEY": "k1",
            "COPILOT_MODEL": "M",
        },
    ),
    ("gemini-cli", None, {"GEMINI_API_KEY": "k1", "GOOGLE_GEMINI_BASE_URL": GW, "GEMINI_MODEL": "M"}),
    ("qwen-code", "chat", {"OPENAI_API_KEY": "k1", "OPENAI_BASE_URL": f"{GW}/v1", "OPENAI_MODEL": "M"}),
    ("qwen-code", "messages", {"ANTHROPIC_API_KEY": "k1", "ANTHROPIC_BASE_URL": GW, "ANTHROPIC_MODEL": "M"}),
    ("aider", "chat", {"AIDER_OPENAI_API_KEY": "k1", "AIDER_OPENAI_API_BASE": f"{GW}/v1"}),
    ("aider", "messages", {"AIDER_ANTHROPIC_API_KEY": "k1", "AIDER_SET_ENV": f"ANTHROPIC_API_BASE={GW}"}),
    (
        "mini-swe-agent",
        None,
        {
            "MSWEA_CONFIGURED": "true",
            "MSWEA_COST_TRACKING": "ignore_errors",
            "OPENAI_API_KEY": "k1",
            "OPENAI_API_BASE": f"{GW}/v1",
        },
    ),
    ("codex", None, {"SUFFICE_KEY": "k1"}),
]


@pytest.mark.parametrize(("name", "dialect", "expected"), ENVIRONMENTS)
def test_environment(name, dialect, expected):
    assert env(name, dialect) == expected
    client, wiring = wired(name, dialect)
    # A launch sets the same and, for gemini-cli, where its settings are.
    assert client.launch(wiring).env.items() >= expected.items()


@pytest.mark.parametrize(
    ("name", "dialect", "expected"),
    [
        ("qwen-code", "chat", ["qwen --auth-type openai"]),
        ("qwen-code", "messages", ["qwen --auth-type anthropic"]),
        ("aider", "chat", ["aider --model openai/M --no-show-model-warnings"]),
        ("aider", "messages", ["aider --model anthropic/M --no-show-model-warnings"]),
        ("mini-swe-agent", None, ["mini -m openai/M"]),
        ("cline", None, [f"cline auth -p openai -k k1 -m M -b {GW}/v1", "cline -P openai"]),
    ],
)
def test_commands(name, dialect, expected):
    assert commands(name, dialect) == expected


def test_copilot_speaks_responses_when_asked():
    assert env("copilot", "responses")["COPILOT_PROVIDER_WIRE_API"] == "responses"


def test_claude_code_gets_the_base_without_v1_and_a_bearer():
    (file,) = settings("claude-code")
    assert file.path == "~/.claude/settings.json"
    wanted = json.loads(file.content)["env"]
    assert wanted["ANTHROPIC_BASE_URL"] == GW and wanted["ANTHROPIC_AUTH_TOKEN"] == "k1"
    client, wiring = wired("claude-code")
    launch = client.launch(wiring)
    assert launch.env == wanted and launch.unset == ("ANTHROPIC_API_KEY",)


def test_a_window_is_told_for_names_that_the_client_cannot_know():
    found = json.loads(settings("claude-code")[0].content)["env"]
    assert found["CLAUDE_CODE_AUTO_COMPACT_WINDOW"] == "200000"
    assert {found[f"ANTHROPIC_DEFAULT_{name}_MODEL"] for name in ("OPUS", "SONNET", "HAIKU")} == {"M"}
    for name, known in (("claude-code", "claude-opus-4"), ("codex", "gpt-5.5")):
        assert "200000" not in settings(name, model=known)[0].content


def test_codex_gets_a_provider_that_speaks_responses():
    file = settings("codex")[0]
    provider = {"name": "Suffice", "base_url": f"{GW}/v1", "env_key": "SUFFICE_KEY", "wire_api": "responses"}
    expected = {"model": "M", "model_provider": "suffice", "model_providers": {"suffice": provider}}
    expected["model_context_window"] = 200_000
    assert file.path == "~/.codex/config.toml" and tomllib.loads(file.content) == expected
    client, wiring = wired("codex")
    words = client.launch(wiring).arguments
    assert set(words[::2]) == {"-c"}
    assert tomllib.loads("\n".join(words[1::2])) == expected


def test_gemini_is_told_to_use_a_key():
    chosen = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    assert json.loads(settings("gemini-cli")[0].content) == chosen
    client, wiring = wired("gemini-cli")
    launch = client.launch(wiring)
    assert json.loads(launch.files["settings.json"]) == chosen
    assert launch.env["GEMINI_CLI_SYSTEM_SETTINGS_PATH"] == "{folder}/settings.json"


def test_cline_signs_in_to_a_folder_of_its_own():
    client, wiring = wired("cline")
    launch = client.launch(wiring)
    assert launch.env == {"CLINE_DATA_DIR": "{folder}"} and launch.prepare[0][:2] == ("cline", "auth")
