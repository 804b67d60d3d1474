"""The reference page of the configuration, in Markdown: every setting and environment variable, from their descriptions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from suffice.config.environment import OTHER_VARIABLES, VARIABLES
from suffice.config.schema import Settings
from suffice.config.setting import Setting, plain, settings_of

_KINDS = {"bool": "boolean", "int": "integer", "money": "dollars", "float": "number", "map": "table"}


def reference_page() -> str:
    """Return the page."""
    lines = [
        "# Configuration reference",
        "",
        "Generated from the schema by `make docs`. The guide is [configuration.md](../configuration.md); editors can use",
        "[suffice.schema.json](suffice.schema.json).",
        "",
        "## Top of the file",
        "",
    ]
    _section(Settings, "", lines)
    lines += ["", "## Environment variables", "", "| variable | meaning | sets |", "|---|---|---|"]
    for variable in (*VARIABLES, *OTHER_VARIABLES):
        sets = f"`{'.'.join(variable.setting)}`" if variable.setting else ""
        lines.append(f"| `{variable.name}` | {variable.help} | {sets} |")
    return "\n".join(lines) + "\n"


def _section(cls: type[Any], name: str, lines: list[str]) -> None:
    """Append the table of one section, then the sections inside it."""
    settings = settings_of(cls)
    plain = [s for s in settings if _inner(s).section is None]
    lines += ["| setting | type | default | meaning |", "|---|---|---|---|"] if plain else []
    for setting in plain:
        marks = " Needs a restart." if setting.about.restart else ""
        example = f" Example: `{setting.about.example}`." if setting.about.example else ""
        default = "**required**" if setting.required else _show(setting.default)
        lines.append(f"| `{setting.name}` | {_type(setting)} | {default} | {setting.about.help}{example}{marks} |")
    for setting in settings:
        inner = _inner(setting)
        if inner.section is None:
            continue
        here = f"{name}.{setting.name}" if name else setting.name
        here += ".<name>" if setting.kind == "map" else ""
        first = (inner.section.__doc__ or "").strip().splitlines()[0]
        lines += [
            "",
            f"## [{here}]",
            "",
            setting.about.help if inner is setting else f"{setting.about.help} {first}",
            "",
        ]
        _section(inner.section, here, lines)


def _inner(setting: Setting) -> Setting:
    while setting.item is not None:
        setting = setting.item
    return setting


def _type(setting: Setting) -> str:
    said = setting.about
    if setting.kind == "choice":
        return " \\| ".join(f"`{c}`" for c in setting.choices)
    if setting.item is not None:
        return ("list of " if setting.kind == "list" else "table of ") + _type(setting.item)
    bounds = (
        [f"≥ {plain(said.minimum)}"]
        if said.minimum is not None
        else [f"> {plain(said.above)}"]
        if said.above is not None
        else []
    )
    bounds += [f"≤ {plain(said.maximum)}"] if said.maximum is not None else []
    return " ".join([_KINDS.get(setting.kind, setting.kind), ", ".join(bounds)]).strip()


def _show(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str | int | float | Decimal) and value != "":
        return f"`{value}`"
    return ""
