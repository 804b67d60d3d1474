"""SQL by name, from the `.sql` files beside this module.

Must not build SQL from values: a statement is a constant, its values are bound. Invariant: a name is defined once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def parse(text: str) -> dict[str, str]:
    """Return the statements of one file by name. Raises ValueError when a name is repeated or has no statement."""
    parts = _NAME.split(text)
    out: dict[str, str] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        if name in out or not body.strip():
            raise ValueError(f"statement {name} is repeated or empty")
        out[name] = body.strip()
    return out


def load() -> Mapping[str, str]:
    """Return every statement of the package by name."""
    out: dict[str, str] = {}
    for entry in sorted((resources.files(__package__) / "sql").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".sql"):
            for name, body in parse(entry.read_text(encoding="utf-8")).items():
                if name in out:
                    raise ValueError(f"statement {name} is repeated in {entry.name}")
                out[name] = body
    return out


def migrations() -> tuple[tuple[int, str], ...]:
    """Return (version, script) of every migration, ascending and without a gap. Raises ValueError otherwise."""
    folder = resources.files(__package__) / "migrations"
    found = sorted(
        (int(e.name[:3]), e.read_text(encoding="utf-8")) for e in folder.iterdir() if e.name.endswith(".sql")
    )
    if [version for version, _ in found] != list(range(1, len(found) + 1)):
        raise ValueError("migrations must be numbered 001, 002, ... without a gap")
    return tuple(found)
