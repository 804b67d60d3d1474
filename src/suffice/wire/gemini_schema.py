"""JSON Schema and Gemini's own schema form, turned into each other.

Gemini's form is a subset of OpenAPI 3.0: upper-case types, `nullable`, no references. `to_gemini` says what it cannot hold,
so that the caller can choose the JSON Schema field of the API instead, or declare the loss.
"""

from __future__ import annotations

from typing import Any

_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object"})
_UPPER = {kind: kind.upper() for kind in _TYPES}
_SAME = frozenset({"title", "description", "default", "example", "required", "pattern", "minimum", "maximum"})
_COUNTS = ("minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength")
# Notes for tools that read the schema; they bind nothing.
_NOTES = frozenset({"$schema", "$id", "$comment", "examples", "deprecated", "readOnly", "writeOnly"})
_KNOWN = frozenset((*_SAME, *_COUNTS, "type", "properties", "items", "enum", "format", "anyOf", "nullable")) | {
    "propertyOrdering"
}
_FORMATS = frozenset({"float", "double", "int32", "int64", "enum", "date-time"})
_MAX_DEPTH = 64


def to_gemini(schema: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return (the schema in Gemini's form, the JSON Schema keywords that it could not hold, sorted)."""
    lost: set[str] = set()
    out = _gemini(schema, lost, 0)
    return out, tuple(sorted(lost))


def _gemini(schema: Any, lost: set[str], depth: int) -> dict[str, Any]:
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        lost.add("boolean schema" if isinstance(schema, bool) else "depth")
        return {}
    out: dict[str, Any] = {}
    # One pass over what is there, not a look-up for all that could be: an agent's tools are hundreds of small schemas.
    for key, value in schema.items():
        if key in _SAME:
            out[key] = value
        elif key == "type":
            upper = _UPPER.get(value) if type(value) is str else None
            if upper is not None:
                out["type"] = upper
            else:
                _type(value, out, lost)
        elif key in _KNOWN:
            _constraint(key, value, out, lost, depth)
        elif key not in _NOTES:
            lost.add(key)
    return out


def _constraint(key: str, value: Any, out: dict[str, Any], lost: set[str], depth: int) -> None:
    if key == "properties":
        if isinstance(value, dict):
            out[key] = {name: _gemini(inner, lost, depth + 1) for name, inner in value.items()}
    elif key == "items":
        out[key] = _gemini(value, lost, depth + 1)
    elif key == "enum":
        _enum(value, out, lost)
    elif key in _COUNTS:
        if isinstance(value, int):
            out[key] = value
    elif key == "format" and isinstance(value, str):
        if value in _FORMATS:
            out[key] = value
        else:
            lost.add(key)
    elif key == "anyOf" and isinstance(value, list):
        options = [_gemini(inner, lost, depth + 1) for inner in value if inner != {"type": "null"}]
        if len(options) < len(value):
            out["nullable"] = True
        out[key] = options
    elif key == "nullable" and value is True:
        out[key] = True


def _type(kind: Any, out: dict[str, Any], lost: set[str]) -> None:
    kinds = kind if isinstance(kind, list) else [kind] if kind is not None else []
    named = [k.lower() for k in kinds if isinstance(k, str)]
    if "null" in named:
        out["nullable"] = True
    found = [k for k in named if k in _TYPES]
    if len(found) > 1 or len(named) != len(kinds) or (named == ["null"]):
        lost.add("type")
    if found:
        out["type"] = found[0].upper()


def _enum(values: Any, out: dict[str, Any], lost: set[str]) -> None:
    if not isinstance(values, list):
        return
    if any(v is None for v in values):
        out["nullable"] = True
    values = [v for v in values if v is not None]
    if all(isinstance(v, str) for v in values):
        out["enum"] = values
    else:
        lost.add("enum")


def from_gemini(schema: Any) -> dict[str, Any]:
    """Return the JSON Schema of a schema in Gemini's form; what is JSON Schema already stays as it is."""
    return _json_schema(schema, 0) if isinstance(schema, dict) else {}


def _json_schema(schema: dict[str, Any], depth: int) -> dict[str, Any]:
    if depth > _MAX_DEPTH:
        return {}
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, str):
            if value != "TYPE_UNSPECIFIED":
                out["type"] = value.lower()
        elif key == "properties" and isinstance(value, dict):
            out[key] = {n: _json_schema(s, depth + 1) if isinstance(s, dict) else s for n, s in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            out[key] = _json_schema(value, depth + 1)
        elif key == "anyOf" and isinstance(value, list):
            out[key] = [_json_schema(s, depth + 1) if isinstance(s, dict) else s for s in value]
        elif key in _COUNTS and isinstance(value, str) and value.isdecimal():
            # Counts are 64-bit numbers there, which may be written as strings.
            out[key] = int(value)
        elif key not in ("nullable", "propertyOrdering", "example"):
            out[key] = value
    if schema.get("nullable") is True:
        _make_nullable(out)
    if out.get("format") == "enum":
        del out["format"]
    return out


def _make_nullable(out: dict[str, Any]) -> None:
    if isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
        if isinstance(out.get("enum"), list) and None not in out["enum"]:
            out["enum"] = [*out["enum"], None]
    elif isinstance(out.get("anyOf"), list):
        out["anyOf"] = [*out["anyOf"], {"type": "null"}]
