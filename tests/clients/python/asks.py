"""What a library for Python is asked, and how what came of it is told: the same words and the same JSON as node/sdk.mjs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

ASK = "What is the weather in Oslo?"
BOTH = "please both: Oslo and Bergen"
STRUCTURE = "please structure: Oslo"
FAIL = "please fail"
RESULT = "It rains."
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def main(libraries: Mapping[str, Any]) -> None:
    """Ask the library that the first argument names, and print what came of it."""
    name, base, key, model = sys.argv[1:]
    driven = libraries[name](base, key, model)
    asks = {
        "text": driven.text,
        "whole": driven.whole,
        "tools": lambda: driven.loop(ASK),
        "parallel": lambda: driven.loop(BOTH),
        "structured": driven.structured,
    }
    told: dict[str, Any] = {}
    for ask, run in asks.items():
        try:
            told[ask] = run()
        except Exception as error:
            told[ask] = {"failed": f"{type(error).__name__}: {error}"[:600]}
    try:
        driven.fail(FAIL)
        told["error"] = {"status": 200}
    except Exception as error:
        told["error"] = {"status": _status(error), "message": str(error)}
    print(json.dumps(told))


def _status(error: BaseException | None) -> int:
    """Return the status that an exception, or one that it came from, tells."""
    while error is not None:
        for field in ("status_code", "code"):
            if isinstance(found := getattr(error, field, None), int):
                return found
        error = error.__cause__
    return 0
