"""JSON Schema with bounded cost: no remote references, no costly patterns, no huge values, and never an exception.

A schema that cannot be judged within the bounds is UNKNOWN (`None`), never a reason to reject.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema
from jsonschema.validators import validator_for

MAX_SCHEMA = 60_000
MAX_VALUE = 300_000
MAX_DEPTH = 60
# A pattern is left out when it repeats a group that itself repeats, looks back, or is long: these can take exponential time.
_COSTLY = re.compile(r"[*+}]\)?[*+{]|\([^()]*[*+}|][^()]*\)[*+{]|\(\?[<=!P]|\\[1-9]|\.\*.*\.\*|\.\+.*\.\+")


def bounded(schema: Any, depth: int = 0) -> Any:
    """Return `schema` without what may cost much or reach out; raises ValueError when it is too deep."""
    if depth > MAX_DEPTH:
        raise ValueError("the schema is nested too deeply")
    if isinstance(schema, Mapping):
        out = {}
        for key, value in schema.items():
            if key == "pattern" and isinstance(value, str) and (len(value) > 200 or _COSTLY.search(value)):
                continue
            if key == "patternProperties" and isinstance(value, Mapping) and any(_COSTLY.search(str(p)) for p in value):
                raise ValueError("a costly pattern of property names")
            if key in {"$ref", "$dynamicRef", "$recursiveRef"} and isinstance(value, str) and not value.startswith("#"):
                raise ValueError("a reference to another document")
            if key in {"$schema", "$id", "id"} and isinstance(value, str):
                continue
            if key == "uniqueItems":
                continue
            out[key] = bounded(value, depth + 1)
        return out
    if isinstance(schema, list):
        return [bounded(item, depth + 1) for item in schema[:500]]
    return schema


def violation(value: Any, schema: Mapping[str, Any]) -> str | None:
    """Return why `value` violates `schema`, `""` when it does not, None when that cannot be judged here. Never raises."""
    try:
        if len(json.dumps(schema)) > MAX_SCHEMA or len(json.dumps(value)) > MAX_VALUE or _depth(value) > MAX_DEPTH:
            return None
        checked = bounded(schema)
        kind = validator_for(checked, default=jsonschema.Draft202012Validator)
        kind.check_schema(checked)
        error = next(iter(kind(checked).iter_errors(value)), None)
    except Exception:
        # jsonschema raises its own, referencing's and re's errors; a schema that cannot be used never rejects.
        return None
    if error is None:
        return ""
    place = "/".join(str(part) for part in error.absolute_path) or "the arguments"
    return f"{place}: {error.message[:300]}"


def _depth(value: Any) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        item, depth = stack.pop()
        deepest = max(deepest, depth)
        if depth > MAX_DEPTH:
            return depth
        children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        stack.extend((child, depth + 1) for child in children)
    return deepest
