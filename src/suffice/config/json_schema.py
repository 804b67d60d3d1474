"""The JSON Schema (draft 7) of `suffice.toml`, for editors. Generated into docs/reference/suffice.schema.json.

It accepts everything that the loader accepts; the loader checks more (references, addresses, names).
"""

from __future__ import annotations

from typing import Any

from suffice.config.schema import Settings
from suffice.config.setting import Setting, settings_of

_TYPES = {
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "money": "number",
    "text": "string",
    "secret": "string",
}


def json_schema() -> dict[str, Any]:
    """Return the schema of the whole file."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "suffice.toml",
        "description": "Configuration of Suffice, the cheapest model that suffices.",
        **_section(Settings),
    }


def _section(cls: type[Any]) -> dict[str, Any]:
    settings = settings_of(cls)
    out: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {s.name: {"description": s.about.help, **_default(s), **_value(s)} for s in settings},
    }
    required = [s.name for s in settings if s.required]
    return {**out, "required": required} if required else out


def _default(setting: Setting) -> dict[str, Any]:
    value = setting.default
    if setting.kind == "money" and value is not None:
        value = float(value)
    if setting.kind == "list" and value is not None:
        value = list(value)
    plain = isinstance(value, str | int | float | list) and setting.kind not in ("section", "map", "secret")
    return {"default": value} if plain else {}


def _value(setting: Setting) -> dict[str, Any]:
    said = setting.about
    if setting.kind == "section":
        assert setting.section is not None
        return _section(setting.section)
    if setting.kind == "choice":
        return {"type": "string", "enum": list(setting.choices)}
    if setting.kind == "list":
        assert setting.item is not None
        return {"type": "array", "items": _value(setting.item), **({"minItems": 1} if said.non_empty else {})}
    if setting.kind == "map":
        assert setting.item is not None
        names = {"propertyNames": {"pattern": f"^(?:{said.key_pattern})$"}} if said.key_pattern else {}
        return {"type": "object", "additionalProperties": _value(setting.item), **names}
    out: dict[str, Any] = {"type": _TYPES[setting.kind]}
    if setting.kind in ("int", "float", "money"):
        bounds = {"minimum": said.minimum, "maximum": said.maximum, "exclusiveMinimum": said.above}
        out |= {name: bound for name, bound in bounds.items() if bound is not None}
    if setting.kind == "text" and said.non_empty:
        out["minLength"] = 1
    if setting.kind == "text" and said.pattern:
        # A reference may stand in any text; only the loader knows what it will become.
        out["pattern"] = rf"^(?:{said.pattern})?$|\$"
    return out
