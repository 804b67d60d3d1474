"""All clients, how to find one, and the reference page that is made of them."""

from __future__ import annotations

from suffice.cli.clients.agents import AGENTS
from suffice.cli.clients.editors import EDITORS
from suffice.cli.clients.libraries import LIBRARIES
from suffice.cli.clients.providers_in_files import CONFIGURED
from suffice.cli.clients.setting import ROUTES, Client, Dialect, Setting, Wiring

CLIENTS: tuple[Client, ...] = (*AGENTS, *CONFIGURED, *EDITORS, *LIBRARIES)
_ALIASES = {
    "claude": "claude-code",
    "gemini": "gemini-cli",
    "qwen": "qwen-code",
    "mini": "mini-swe-agent",
    "cn": "continue",
}
_ALIASES |= {"openai": "openai-sdk", "anthropic": "anthropic-sdk", "google": "google-sdk", "llama.vim": "llama-vim"}
_ALIASES |= {"ai-sdk": "vercel-ai-sdk", "mistral-vibe": "vibe"}
_EXAMPLE = ("http://127.0.0.1:4000", "KEY", "auto")
_SHOWN = {"env": "variable", "file": "file", "command": "command", "code": "program"}
_LANGUAGES = {".json": "json", ".toml": "toml", ".yaml": "yaml", ".vim": "vim"}


def names() -> list[str]:
    """Return every client's name, in the table's order."""
    return [client.name for client in CLIENTS]


def find(name: str) -> Client | None:
    """Return the client of that name or of a name that is often used for it, None when there is none."""
    wanted = _ALIASES.get(name.lower(), name.lower())
    return next((client for client in CLIENTS if client.name == wanted), None)


def reference_page() -> str:
    """Return docs/reference/clients.md: one row for each client, then the exact settings of each dialect's default."""
    rows = [
        "# Clients",
        "",
        "Generated. What `suffice connect CLIENT` prints for a gateway at `http://127.0.0.1:4000`, with `KEY` for the virtual key.",
        "*run*: that version of the client was driven without a person, with this kind of base URL, key and dialect, against a scripted",
        "provider. *documented*: only read in the client's documentation or sources. The last column says *run* where `suffice launch`",
        "brought an answer back; elsewhere the variables that move a configuration into a temporary folder were only read.",
        "",
        "| client | dialects (the first is the default) | evidence | version | `launch` |",
        "|---|---|---|---|---|",
    ]
    for client in CLIENTS:
        launched = _launched(client)
        spoken = ", ".join(client.dialects)
        rows.append(
            f"| [`{client.name}`](#{client.name}) | {spoken} | {client.evidence} | {client.version} | {launched} |"
        )
    rows += ["", "| dialect | route of the gateway that it needs |", "|---|---|"]
    rows += [f"| {dialect} | `{route}` |" for dialect, route in ROUTES.items()]
    for client in CLIENTS:
        rows += ["", f"## {client.name}", "", f"{client.title}. Install: {_linked(client.install)}."]
        for dialect in client.dialects:
            rows += _section(client, dialect)
    return "\n".join(rows) + "\n"


def _launched(client: Client) -> str:
    if client.launch is None:
        return "no"
    if not client.executable:
        return "any program"
    return f"`{client.executable}`" + (" (run)" if client.launched else "")


def _linked(text: str) -> str:
    return f"<{text}>" if text.startswith("https://") else text


def _section(client: Client, dialect: Dialect) -> list[str]:
    base, key, model = _EXAMPLE
    settings = client.settings(Wiring(base=base, key=key, model=model, dialect=dialect))
    rows = ["", f"### {client.name} with {dialect}"] if len(client.dialects) > 1 else []
    for setting in settings:
        rows += ["", *_shown(setting)]
    return rows


def _shown(setting: Setting) -> list[str]:
    note = f" ({setting.note})" if setting.note else ""
    if setting.kind == "env":
        return [f"- `{setting.path}={setting.content}`{note}"]
    head = f"{_SHOWN[setting.kind]}" + (f" `{setting.path}`" if setting.path else "") + note + ":"
    suffix = setting.path[setting.path.rfind(".") :] if "." in setting.path else ""
    language = _LANGUAGES.get(suffix, "sh" if setting.kind == "command" else "")
    return [head, "", f"```{language}", setting.content.rstrip("\n"), "```"]
