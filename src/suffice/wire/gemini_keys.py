"""Field names of Gemini: the API takes camel and snake case alike, and SDKs send both."""

from __future__ import annotations

from typing import Any


def camel(row: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of `row` whose own keys (not those inside its values) are in camel case."""
    return {_camel(key) if "_" in key else key: value for key, value in row.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest) if first else name


def generation(model: str) -> float:
    """Return the version in a model's name (`models/gemini-2.5-flash` -> 2.5); names without one are taken for new: 99.0."""
    _, found, rest = model.partition("gemini-")
    version = rest.split("-", 1)[0] if found else ""
    major, _, minor = version.partition(".")
    if not major.isdecimal() or (minor and not minor.isdecimal()) or len(version) > 6:
        return 99.0
    return float(f"{major}.{minor or 0}")
