"""Editors that complete code in the middle of a file. Read from their sources and documentation, never driven here."""

from __future__ import annotations

from suffice.cli.clients.setting import Client, Launch, Setting, Wiring, document, variables

_CONTEXT_TOKENS = 128_000
_NAMES = "Zed takes the prompt's format from the model's name: have qwen2.5-coder, codestral, deepseek-coder or starcoder in it"


def _zed(wiring: Wiring) -> tuple[Setting, ...]:
    model = {"name": wiring.model, "display_name": f"Suffice {wiring.model}", "max_tokens": _CONTEXT_TOKENS}
    predictions = {
        "provider": "open_ai_compatible_api",
        "open_ai_compatible_api": {
            "api_url": wiring.v1 + "/completions",
            "model": wiring.model,
            "prompt_format": "infer",
            "max_output_tokens": 64,
        },
    }
    chat = {"openai_compatible": {"Local Suffice": {"api_url": wiring.v1, "available_models": [model]}}}
    text = document({"edit_predictions": predictions, "language_models": chat})
    keys = {
        "ZED_OPEN_AI_COMPATIBLE_EDIT_PREDICTION_API_KEY": wiring.key,
        "LOCAL_SUFFICE_API_KEY": wiring.key,
    }
    return (Setting(kind="file", path="~/.config/zed/settings.json", content=text, note=_NAMES), *variables(keys))


def _vim_config(wiring: Wiring) -> str:
    values = {"endpoint_fim": wiring.base + "/infill", "api_key": wiring.key, "model_fim": wiring.model}
    lines = ["let g:llama_config = get(g:, 'llama_config', {})"]
    lines += [f"let g:llama_config.{name} = '{_vim(value)}'" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def _vim(text: str) -> str:
    """Return `text` for a literal string of Vim script, where only the quote itself is special."""
    return text.replace("'", "''")


def _llama_vim(wiring: Wiring) -> tuple[Setting, ...]:
    path = "~/.config/suffice/clients/llama.vim"
    note = "must be read before the plugin: put the command below at the top of ~/.vimrc or init.vim"
    file = Setting(kind="file", path=path, content=_vim_config(wiring), note=note)
    return (file, Setting(kind="command", content=f"source {path}", note="a command of Vim, not of the shell"))


def _launch_vim(wiring: Wiring) -> Launch:
    # `--cmd` runs before any vimrc; the plugin fills in what is not set.
    return Launch(arguments=("--cmd", "source {folder}/llama.vim"), files={"llama.vim": _vim_config(wiring)})


EDITORS: tuple[Client, ...] = (
    Client(
        name="zed",
        title="Zed",
        dialects=("completions",),
        settings=_zed,
        launch=None,
        executable="zed",
        install="https://zed.dev/download",
        version="its sources; the chat panel speaks chat",
        evidence="documented",
    ),
    Client(
        name="llama-vim",
        title="llama.vim",
        dialects=("infill",),
        settings=_llama_vim,
        launch=_launch_vim,
        executable="vim",
        install="the plugin ggml-org/llama.vim in Vim or Neovim",
        version="its sources",
        evidence="documented",
    ),
)
