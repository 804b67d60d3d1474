"""What is wrong with a configuration, where, and how to mend it.

All problems of a file are found before any is reported. No problem may show a secret: the offending line goes through
`redact` before it is kept, because the line with the mistake may well be the line with the key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from suffice.config.secret import MASK
from suffice.errors import ConfigError

_SECRET_NAME = re.compile(r"key|secret|token(?!s)|passw|authori[sz]ation|credential|cookie|auth\b", re.IGNORECASE)
_SECRET_SETTINGS = ("api_key", "apikey", "control_secret", "proxy_auth", "secret", "token", "password", "authorization")
_ASSIGNMENT = re.compile(r"""(?P<name>[\w.\-"' ]+?)(?P<equals>\s*=\s*)(?P<value>"[^"]*"?|'[^']*'?|\[.*|[^\s,}\]#]+)""")
_KEY_SHAPE = re.compile(r"\b(?:sk|pk|rk|gsk|xai|ghp|hf|csk|nvapi|r8|AKIA|AIza)[-_A-Za-z0-9]{12,}")
_USERINFO = re.compile(r"//[^/\s\"'@]*@")
_REFERENCE = re.compile(r"""["'](?:\$\{[A-Za-z_][A-Za-z0-9_]*\}|file:[^"']*)["']""")
_PLAIN = re.compile(r"true|false|[+-]?[\d._]{1,8}|\{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake. `line` and `column` count from 1 (0 when unknown); `key` is the dotted name of the setting.

    `file` may also name an environment variable. A warning does not stop a configuration from being used.
    """

    file: str
    line: int = 0
    column: int = 0
    text: str = ""
    key: str = ""
    message: str = ""
    hint: str = ""
    warning: bool = False

    @property
    def place(self) -> str:
        """`file:line:column`, as far as it is known."""
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])

    def render(self) -> str:
        """Return the problem for people: place and message, the offending line with a caret, and the fix."""
        kind = "warning: " if self.warning else ""
        lines = [f"{self.place}: {kind}{self.message}"]
        if self.line:
            number = str(self.line)
            lines.append(f"  {number} | {self.text.rstrip()}")
            if self.column:
                lines.append(f"  {' ' * len(number)} | {' ' * (self.column - 1)}^")
        if self.hint:
            lines.append(f"  fix: {self.hint}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """Return the problem for machines."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "text": self.text,
            "key": self.key,
            "message": self.message,
            "hint": self.hint,
            "severity": "warning" if self.warning else "error",
        }


class InvalidConfigError(ConfigError):
    """A configuration with at least one error; `problems` holds them all, warnings included."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [p for p in self.problems if not p.warning]
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{first.place}: {first.message}{more}", hint=first.hint)


def errors_of(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that are not warnings."""
    return [p for p in problems if not p.warning]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?` for the known word closest to `word`, or an empty text when none is close."""
    names = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f"did you mean {names[close[0]]!r}?" if close else ""


def sounds_secret(name: str) -> bool:
    """Tell whether a key of this name may hold a secret; a misspelt `api_kye` counts, since its line will be shown."""
    return bool(_SECRET_NAME.search(name)) or bool(
        difflib.get_close_matches(name.lower(), _SECRET_SETTINGS, n=1, cutoff=0.8)
    )


def redact(line: str, secrets: Iterable[str] = ()) -> str:
    """Return `line` without the values of secrets: known ones, values of keys that sound secret, key-shaped words.

    References (`${NAME}`, `file:/path`) stay, since they are what the reader has to mend.
    """
    for secret in secrets:
        for part in secret.split("\n"):
            if len(part.strip()) >= 4:
                line = line.replace(part.strip(), MASK)

    def hide(match: re.Match[str]) -> str:
        value = match["value"]
        harmless = _REFERENCE.fullmatch(value) or _PLAIN.fullmatch(value)
        if harmless or not sounds_secret(match["name"].rpartition(".")[2].strip(" \"'")):
            return match[0]
        quote = value[0] if value[0] in "\"'" else ""
        return f"{match['name']}{match['equals']}{quote}{MASK}{quote}"

    return _USERINFO.sub(f"//{MASK}@", _KEY_SHAPE.sub(MASK, _ASSIGNMENT.sub(hide, line)))
