"""Coding agents that are wired by environment variables and options, at most with a settings file beside."""

from __future__ import annotations

from suffice.cli.clients.setting import (
    KEY_VARIABLE,
    WINDOW_TOKENS,
    Client,
    Launch,
    Setting,
    Wiring,
    document,
    quoted,
    shell,
    variables,
)

_PATIENT = "a request of the background goes to the same place as the others"


def _claude_env(wiring: Wiring) -> dict[str, str]:
    env = {
        "ANTHROPIC_BASE_URL": wiring.base,
        "ANTHROPIC_AUTH_TOKEN": wiring.key,
        "ANTHROPIC_MODEL": wiring.model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": wiring.model,
    }
    if wiring.model.startswith("claude"):
        return env
    # A sub-agent names its model by these two; the gateway may know neither of the names that they stand for.
    env |= {"ANTHROPIC_DEFAULT_OPUS_MODEL": wiring.model, "ANTHROPIC_DEFAULT_SONNET_MODEL": wiring.model}
    return env | {"CLAUDE_CODE_AUTO_COMPACT_WINDOW": str(WINDOW_TOKENS)}


def _claude(wiring: Wiring) -> tuple[Setting, ...]:
    text = document({"env": _claude_env(wiring)})
    note = f"base URL without /v1; unset ANTHROPIC_API_KEY; {_PATIENT}"
    return (Setting(kind="file", path="~/.claude/settings.json", content=text, note=note),)


def _codex_provider(wiring: Wiring) -> dict[str, str]:
    return {
        "name": "Suffice",
        "base_url": wiring.v1,
        "env_key": KEY_VARIABLE,
        "wire_api": "responses",
    }


def _codex_window(wiring: Wiring) -> dict[str, int]:
    return {} if wiring.model.startswith("gpt-") else {"model_context_window": WINDOW_TOKENS}


def _codex(wiring: Wiring) -> tuple[Setting, ...]:
    rows = [f"model = {quoted(wiring.model)}", 'model_provider = "suffice"']
    rows += [f"{name} = {value}" for name, value in _codex_window(wiring).items()]
    rows += ["", "[model_providers.suffice]"]
    rows += [f"{name} = {quoted(value)}" for name, value in _codex_provider(wiring).items()]
    note = 'wire_api = "chat" is rejected by codex; `supports_websockets = true` in the table turns WebSocket on'
    file = Setting(kind="file", path="~/.codex/config.toml", content="\n".join(rows) + "\n", note=note)
    return (file, *variables({KEY_VARIABLE: wiring.key}))


def _launch_codex(wiring: Wiring) -> Launch:
    pairs = {"model": wiring.model, "model_provider": "suffice"}
    pairs |= {f"model_providers.suffice.{name}": value for name, value in _codex_provider(wiring).items()}
    texts = {name: quoted(value) for name, value in pairs.items()} | _codex_window(wiring)
    arguments = [word for name, text in texts.items() for word in ("-c", f"{name}={text}")]
    return Launch(arguments=tuple(arguments), env={KEY_VARIABLE: wiring.key})


def _copilot_env(wiring: Wiring) -> dict[str, str]:
    env = {"COPILOT_OFFLINE": "true", "COPILOT_PROVIDER_API_KEY": wiring.key, "COPILOT_MODEL": wiring.model}
    if wiring.dialect == "messages":
        return env | {"COPILOT_PROVIDER_TYPE": "anthropic", "COPILOT_PROVIDER_BASE_URL": wiring.base}
    wire_api = "responses" if wiring.dialect == "responses" else "completions"
    return env | {"COPILOT_PROVIDER_BASE_URL": wiring.v1, "COPILOT_PROVIDER_WIRE_API": wire_api}


def _copilot(wiring: Wiring) -> tuple[Setting, ...]:
    return variables(_copilot_env(wiring))


def _gemini_env(wiring: Wiring) -> dict[str, str]:
    return {"GEMINI_API_KEY": wiring.key, "GOOGLE_GEMINI_BASE_URL": wiring.base, "GEMINI_MODEL": wiring.model}


_GEMINI_SETTINGS = document({"security": {"auth": {"selectedType": "gemini-api-key"}}})


def _gemini(wiring: Wiring) -> tuple[Setting, ...]:
    note = "without this choice gemini-cli ends with code 41"
    file = Setting(kind="file", path="~/.gemini/settings.json", content=_GEMINI_SETTINGS, note=note)
    return (file, *variables(_gemini_env(wiring)))


def _launch_gemini(wiring: Wiring) -> Launch:
    # The system's settings stand over the user's, so that a sign-in with Google there does not win.
    env = _gemini_env(wiring) | {"GEMINI_CLI_SYSTEM_SETTINGS_PATH": "{folder}/settings.json"}
    return Launch(arguments=("-m", wiring.model), env=env, files={"settings.json": _GEMINI_SETTINGS})


def _qwen_env(wiring: Wiring) -> dict[str, str]:
    if wiring.dialect == "messages":
        return {
            "ANTHROPIC_API_KEY": wiring.key,
            "ANTHROPIC_BASE_URL": wiring.base,
            "ANTHROPIC_MODEL": wiring.model,
        }
    return {"OPENAI_API_KEY": wiring.key, "OPENAI_BASE_URL": wiring.v1, "OPENAI_MODEL": wiring.model}


def _qwen_options(wiring: Wiring) -> tuple[str, str]:
    return ("--auth-type", "anthropic" if wiring.dialect == "messages" else "openai")


def _qwen(wiring: Wiring) -> tuple[Setting, ...]:
    return (*variables(_qwen_env(wiring)), shell("qwen", *_qwen_options(wiring)))


def _aider_env(wiring: Wiring) -> dict[str, str]:
    # aider lets a .env file of the project stand over the variables of the provider, but not over those of its own options.
    if wiring.dialect == "messages":
        return {"AIDER_ANTHROPIC_API_KEY": wiring.key, "AIDER_SET_ENV": f"ANTHROPIC_API_BASE={wiring.base}"}
    return {"AIDER_OPENAI_API_KEY": wiring.key, "AIDER_OPENAI_API_BASE": wiring.v1}


def _aider_options(wiring: Wiring) -> tuple[str, ...]:
    family = "anthropic" if wiring.dialect == "messages" else "openai"
    return ("--model", f"{family}/{wiring.model}", "--no-show-model-warnings")


def _aider(wiring: Wiring) -> tuple[Setting, ...]:
    return (*variables(_aider_env(wiring)), shell("aider", *_aider_options(wiring)))


def _mini_env(wiring: Wiring) -> dict[str, str]:
    return {
        "MSWEA_CONFIGURED": "true",
        "MSWEA_COST_TRACKING": "ignore_errors",
        "OPENAI_API_KEY": wiring.key,
        "OPENAI_API_BASE": wiring.v1,
    }


def _mini(wiring: Wiring) -> tuple[Setting, ...]:
    return (*variables(_mini_env(wiring)), shell("mini", "-m", f"openai/{wiring.model}"))


def _cline_auth(wiring: Wiring) -> tuple[str, ...]:
    return ("cline", "auth", "-p", "openai", "-k", wiring.key, "-m", wiring.model, "-b", wiring.v1)


def _cline(wiring: Wiring) -> tuple[Setting, ...]:
    return (shell(*_cline_auth(wiring)), shell("cline", "-P", "openai"))


def _launch_cline(wiring: Wiring) -> Launch:
    return Launch(
        arguments=("-P", "openai"),
        env={"CLINE_DATA_DIR": "{folder}"},
        prepare=(_cline_auth(wiring),),
        note="cline's own settings and history are not read, and the history of this run is not kept",
    )


AGENTS: tuple[Client, ...] = (
    Client(
        name="claude-code",
        title="Claude Code",
        dialects=("messages",),
        settings=_claude,
        launch=lambda w: Launch(env=_claude_env(w), unset=("ANTHROPIC_API_KEY",)),
        executable="claude",
        install="npm i -g @anthropic-ai/claude-code",
        version="2.1.330",
        evidence="run",
        launched=True,
    ),
    Client(
        name="codex",
        title="Codex CLI",
        dialects=("responses",),
        settings=_codex,
        launch=_launch_codex,
        executable="codex",
        install="npm i -g @openai/codex",
        version="0.169.0",
        evidence="run",
        launched=True,
    ),
    Client(
        name="copilot",
        title="GitHub Copilot CLI",
        dialects=("chat", "responses", "messages"),
        settings=_copilot,
        launch=lambda w: Launch(env=_copilot_env(w), unset=("COPILOT_PROVIDER_TYPE",)),
        executable="copilot",
        install="npm i -g @github/copilot",
        version="1.0.102",
        evidence="run",
        launched=True,
    ),
    Client(
        name="gemini-cli",
        title="Gemini CLI",
        dialects=("gemini",),
        settings=_gemini,
        launch=_launch_gemini,
        executable="gemini",
        install="npm i -g @google/gemini-cli",
        version="0.61.0",
        evidence="run",
        launched=True,
    ),
    Client(
        name="qwen-code",
        title="Qwen Code",
        dialects=("chat", "messages"),
        settings=_qwen,
        launch=lambda w: Launch(arguments=_qwen_options(w), env=_qwen_env(w)),
        executable="qwen",
        install="npm i -g @qwen-code/qwen-code@latest (Node 22 or later, else npm silently takes an old version)",
        version="0.24.4",
        evidence="run",
        launched=True,
    ),
    Client(
        name="aider",
        title="aider",
        dialects=("chat", "messages"),
        settings=_aider,
        launch=lambda w: Launch(arguments=_aider_options(w), env=_aider_env(w)),
        executable="aider",
        install="pip install aider-chat",
        version="0.86.2",
        evidence="run",
        launched=True,
    ),
    Client(
        name="cline",
        title="Cline CLI",
        dialects=("chat",),
        settings=_cline,
        launch=_launch_cline,
        executable="cline",
        install="npm i -g cline",
        version="3.0.65",
        evidence="run",
        launched=True,
    ),
    Client(
        name="mini-swe-agent",
        title="mini-swe-agent",
        dialects=("chat",),
        settings=_mini,
        launch=lambda w: Launch(arguments=("-m", f"openai/{w.model}"), env=_mini_env(w)),
        executable="mini",
        install="pip install mini-swe-agent mcp",
        version="2.4.6",
        evidence="run",
        launched=True,
    ),
)
