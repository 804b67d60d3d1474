"""Where a configuration came from: the file, its lines, and the place of every key, so that later checks can point.

Invariant: a problem made here never shows a secret; `secrets` holds the literal ones only to hide them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from suffice.config.locate import Path, Place
from suffice.config.problem import Problem, redact
from suffice.config.secret import Secret

NOWHERE = "(no file)"


def dotted(path: Path) -> str:
    """Return a key path as TOML writes it: `endpoints.a`, `models."openai/gpt-5".price`, `teams.x.models[1]`."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
            continue
        plain = part.replace("-", "").replace("_", "").isalnum() and part.isascii()
        out += ("." if out else "") + (part if plain else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"')
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The source of a configuration: `file` ("" when there is none), its `lines`, the `places` of its keys.

    `overrides` names the environment variable that set a path, `warnings` are the problems that did not stop loading.
    """

    file: str = ""
    lines: tuple[str, ...] = field(default=(), repr=False)
    places: Mapping[Path, Place] = field(default_factory=dict, repr=False)
    overrides: Mapping[Path, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def problem(
        self, path: Path, message: str, hint: str = "", *, warning: bool = False, at_key: bool = False
    ) -> Problem:
        """Return a problem with the setting at `path`, placed at its value (or its key), or at the nearest table around it."""
        said = Problem(file=self.file or NOWHERE, key=dotted(path), message=message, hint=hint, warning=warning)
        for length in range(len(path), 0, -1):
            if path[:length] in self.overrides:
                return replace(said, file=f"environment variable {self.overrides[path[:length]]}")
            place = self.places.get(path[:length])
            if place is not None:
                key = at_key or length < len(path)
                line, column = (place.line, place.column) if key else (place.value_line, place.value_column)
                return replace(said, line=line, column=column, text=self.line(line))
        return replace(said, line=1, text=self.line(1)) if self.lines else said

    def line(self, number: int) -> str:
        """Return line `number` of the file, counted from 1, with secrets hidden and control characters escaped."""
        if not 0 < number <= len(self.lines):
            return ""
        shown = redact(self.lines[number - 1], (s.reveal() for s in self.secrets))
        return "".join(c if c.isprintable() else ascii(c)[1:-1] if c != "\t" else " " for c in shown)[:300]
