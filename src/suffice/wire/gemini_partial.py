"""Arguments of a call that Gemini streams in pieces (`partialArgs`), put together again.

A piece names its place with a JSON path such as `$.recipe.steps[0].text` and carries one value; pieces of the same string
follow each other. Bounded: a path may not be deeper than 64 nor an index larger than 10,000.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import msgspec

from suffice.errors import WireError

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d{1,5})\]|\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]")
_MAX_INDEX = 10_000
_MAX_DEPTH = 64


class PartialArguments:
    """One call's arguments while they grow."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def add(self, pieces: Any) -> None:
        """Put `partialArgs` in their places. Raises WireError when a path cannot be followed."""
        for piece in pieces if isinstance(pieces, list) else ():
            if isinstance(piece, dict):
                self._put(_steps(piece.get("jsonPath")), _value(piece))

    def _put(self, steps: list[str | int], value: Any) -> None:
        place: Any = self._root
        for step, after in pairwise(steps):
            place = _enter(place, step, [] if isinstance(after, int) else {})
        last = steps[-1]
        old = _read(place, last)
        if isinstance(value, str) and isinstance(old, str):
            value = old + value
        _write(place, last, value)

    def text(self) -> str:
        """Return the arguments as JSON text."""
        return msgspec.json.encode(self._root).decode()


def _steps(path: Any) -> list[str | int]:
    text = path.removeprefix("$") if isinstance(path, str) else ""
    if text and text[0] not in ".[":
        text = "." + text
    out: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            break
        at = found.end()
        name, index, single, double = found.groups()
        quoted = single if single is not None else double
        out.append(int(index) if index is not None else name if name is not None else re.sub(r"\\(.)", r"\1", quoted))
    if at < len(text) or not out or len(out) > _MAX_DEPTH or isinstance(out[0], int):
        raise WireError("the provider's partial arguments name a place that cannot be read")
    return out


def _value(piece: dict[str, Any]) -> Any:
    for name in ("stringValue", "numberValue", "boolValue"):
        if name in piece:
            return piece[name]
    return None


def _enter(place: Any, step: str | int, fresh: Any) -> Any:
    old = _read(place, step)
    if isinstance(old, dict | list):
        return old
    _write(place, step, fresh)
    return fresh


def _read(place: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return place[step] if isinstance(place, list) and step < len(place) else None
    return place.get(step) if isinstance(place, dict) else None


def _write(place: Any, step: str | int, value: Any) -> None:
    if isinstance(step, int) and isinstance(place, list) and step <= _MAX_INDEX:
        place.extend([None] * (step + 1 - len(place)))
        place[step] = value
    elif isinstance(step, str) and isinstance(place, dict):
        place[step] = value
    else:
        raise WireError("the provider's partial arguments contradict each other")
