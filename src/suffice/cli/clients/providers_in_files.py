"""Coding agents that read their providers from a configuration file of their own."""

from __future__ import annotations

from collections.abc import Mapping

from suffice.cli.clients.setting import (
    KEY_VARIABLE,
    OUTPUT_TOKENS,
    WINDOW_TOKENS,
    Client,
    Dialect,
    Launch,
    Setting,
    Wiring,
    document,
    quoted,
    shell,
    variables,
)

_PACKAGES: Mapping[Dialect, str] = {
    "chat": "@ai-sdk/openai-compatible",
    "responses": "@ai-sdk/openai",
    "messages": "@ai-sdk/anthropic",
    "gemini": "@ai-sdk/google",
}
_PI_APIS: Mapping[Dialect, str] = {
    "chat": "openai-completions",
    "responses": "openai-responses",
    "messages": "anthropic-messages",
}


def _opencode_config(wiring: Wiring) -> str:
    """Return the file of opencode and of kilo, which shares its format. The packages add the route to `/v1` or `/v1beta`."""
    url = wiring.base + "/v1beta" if wiring.dialect == "gemini" else wiring.v1
    provider = {
        "npm": _PACKAGES[wiring.dialect],
        "name": "Suffice",
        "options": {"baseURL": url, "apiKey": wiring.key},
        "models": {wiring.model: {"name": wiring.model, "limit": {"context": WINDOW_TOKENS, "output": OUTPUT_TOKENS}}},
    }
    return document({"model": f"suffice/{wiring.model}", "provider": {"suffice": provider}})


def _opencode_file(name: str, wiring: Wiring) -> tuple[Setting, ...]:
    # For the user, not for the project: kilo refuses a project's file that names a variable, and a key would be committed with it.
    path = f"~/.config/{name}/{name}.json"
    note = f"or {name}.jsonc beside it where you have one, which stands over it; a {name}.json of the project stands over both"
    return (Setting(kind="file", path=path, content=_opencode_config(wiring), note=note, over=path + "c"),)


def _opencode(wiring: Wiring) -> tuple[Setting, ...]:
    return _opencode_file("opencode", wiring)


def _launch_opencode(wiring: Wiring) -> Launch:
    return Launch(
        env={"OPENCODE_CONFIG": "{folder}/opencode.json"},
        files={"opencode.json": _opencode_config(wiring)},
        note="an opencode.json of the project stands over this; name `-m suffice/MODEL` where it chooses another model",
    )


def _kilo(wiring: Wiring) -> tuple[Setting, ...]:
    return _opencode_file("kilo", wiring)


def _launch_kilo(wiring: Wiring) -> Launch:
    return Launch(
        env={"KILO_CONFIG": "{folder}/kilo.json"},
        files={"kilo.json": _opencode_config(wiring)},
        note="a kilo.json of the project stands over this",
    )


def _pi_models(wiring: Wiring) -> str:
    # pi's Anthropic client adds /v1/messages itself; the OpenAI ones want the /v1.
    provider = {
        "baseUrl": wiring.base if wiring.dialect == "messages" else wiring.v1,
        "api": _PI_APIS[wiring.dialect],
        "apiKey": wiring.key,
        "models": [{"id": wiring.model, "reasoning": True}],
    }
    return document({"providers": {"suffice": provider}})


def _pi_options(wiring: Wiring) -> tuple[str, ...]:
    return ("--provider", "suffice", "--model", wiring.model)


def _pi(wiring: Wiring) -> tuple[Setting, ...]:
    file = Setting(kind="file", path="~/.pi/agent/models.json", content=_pi_models(wiring))
    return (file, shell("pi", *_pi_options(wiring)))


def _launch_pi(wiring: Wiring) -> Launch:
    return Launch(
        arguments=_pi_options(wiring),
        env={"PI_CODING_AGENT_DIR": "{folder}"},
        files={"models.json": _pi_models(wiring)},
        note="pi's own settings and extensions are not read, and the sessions of this run are not kept",
    )


def _continue_model(wiring: Wiring) -> str:
    return (
        "models:\n"
        "  - name: Suffice\n"
        "    provider: openai\n"
        f"    model: {quoted(wiring.model)}\n"
        f"    apiBase: {quoted(wiring.v1)}\n"
        f"    apiKey: {quoted(wiring.key)}\n"
        "    roles: [chat, edit, apply]\n"
        "    capabilities: [tool_use]\n"
    )


def _continue_config(wiring: Wiring) -> str:
    return "name: Suffice\nversion: 1.0.0\nschema: v1\n" + _continue_model(wiring)


def _continue(wiring: Wiring) -> tuple[Setting, ...]:
    note = "autocomplete: a second model with `provider: mistral` and `roles: [autocomplete]` asks /v1/fim/completions"
    part = "# one more of your models\n" + _continue_model(wiring)
    text = _continue_config(wiring)
    return (Setting(kind="file", path="~/.continue/config.yaml", content=text, note=note, part=part),)


def _launch_continue(wiring: Wiring) -> Launch:
    return Launch(arguments=("--config", "{folder}/config.yaml"), files={"config.yaml": _continue_config(wiring)})


def _vibe_config(wiring: Wiring) -> str:
    return (
        'active_model = "suffice"\n\n'
        "[[providers]]\n"
        'name = "suffice"\n'
        f"api_base = {quoted(wiring.v1)}\n"
        f'api_key_env_var = "{KEY_VARIABLE}"\n'
        'api_style = "openai"\n'
        'backend = "generic"\n\n'
        "[[models]]\n"
        f"name = {quoted(wiring.model)}\n"
        'provider = "suffice"\n'
        'alias = "suffice"\n'
    )


def _vibe(wiring: Wiring) -> tuple[Setting, ...]:
    file = Setting(kind="file", path="~/.vibe/config.toml", content=_vibe_config(wiring))
    return (file, *variables({KEY_VARIABLE: wiring.key}))


def _launch_vibe(wiring: Wiring) -> Launch:
    return Launch(
        env={"VIBE_HOME": "{folder}", KEY_VARIABLE: wiring.key},
        files={"config.toml": _vibe_config(wiring)},
        note="vibe's own settings are not read, and the sessions of this run are not kept",
    )


def _llm_models(wiring: Wiring) -> str:
    return (
        f"- model_id: {quoted('suffice-' + wiring.model)}\n"
        f"  model_name: {quoted(wiring.model)}\n"
        f"  api_base: {quoted(wiring.v1)}\n"
        "  api_key_name: suffice\n"
        "  supports_tools: true\n"
    )


def _llm(wiring: Wiring) -> tuple[Setting, ...]:
    path = "~/.config/io.datasette.llm/extra-openai-models.yaml"
    return (
        Setting(kind="file", path=path, content=_llm_models(wiring)),
        shell("llm", "keys", "set", "suffice", "--value", wiring.key),
        shell("llm", "models", "default", f"suffice-{wiring.model}"),
    )


def _launch_llm(wiring: Wiring) -> Launch:
    return Launch(
        env={"LLM_USER_PATH": "{folder}", "LLM_MODEL": f"suffice-{wiring.model}"},
        files={
            "extra-openai-models.yaml": _llm_models(wiring),
            "keys.json": document({"suffice": wiring.key}),
        },
        note="llm's own keys, templates and log are not used, and the log of this run is not kept",
    )


CONFIGURED: tuple[Client, ...] = (
    Client(
        name="opencode",
        title="opencode",
        dialects=("chat", "responses", "messages", "gemini"),
        settings=_opencode,
        launch=_launch_opencode,
        executable="opencode",
        install="npm i -g opencode-ai",
        version="1.18.33",
        evidence="run",
        launched=True,
    ),
    Client(
        name="kilo",
        title="Kilo CLI",
        dialects=("chat", "responses", "messages", "gemini"),
        settings=_kilo,
        launch=_launch_kilo,
        executable="kilo",
        install="npm i -g @kilocode/cli",
        version="7.7.7",
        evidence="run",
        launched=True,
    ),
    Client(
        name="pi",
        title="pi",
        dialects=("chat", "responses", "messages"),
        settings=_pi,
        launch=_launch_pi,
        executable="pi",
        install="npm i -g @mariozechner/pi-coding-agent",
        version="0.73.1",
        evidence="run",
        launched=True,
    ),
    Client(
        name="continue",
        title="Continue",
        dialects=("chat",),
        settings=_continue,
        launch=_launch_continue,
        executable="cn",
        install="npm i -g @continuedev/cli",
        version="cn 1.5.47",
        evidence="run",
        launched=True,
    ),
    Client(
        name="vibe",
        title="Mistral Vibe",
        dialects=("chat",),
        settings=_vibe,
        launch=_launch_vibe,
        executable="vibe",
        install="pip install mistral-vibe (Python 3.12 or later)",
        version="3.0.2",
        evidence="run",
        launched=True,
    ),
    Client(
        name="llm",
        title="llm",
        dialects=("chat",),
        settings=_llm,
        launch=_launch_llm,
        executable="llm",
        install="pip install llm",
        version="0.36",
        evidence="run",
        launched=True,
    ),
)
