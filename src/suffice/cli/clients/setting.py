"""The words in which a client's wiring is described: `Wiring` in, `Setting`s and a `Launch` out.

Pure: nothing here reads a file, an environment or a clock, so that what is printed, written and launched is the same.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Dialect = Literal["chat", "responses", "messages", "gemini", "completions", "infill"]
Kind = Literal["env", "file", "command", "code"]
Evidence = Literal["run", "documented"]

ROUTES: Mapping[Dialect, str] = {
    "chat": "POST /v1/chat/completions",
    "responses": "POST /v1/responses",
    "messages": "POST /v1/messages",
    "gemini": "POST /v1beta/models/{model}:streamGenerateContent",
    "completions": "POST /v1/completions",
    "infill": "POST /infill",
}
KEY_VARIABLE = "SUFFICE_KEY"
# What clients are told that a model holds whose name they do not know. Told nothing, Claude Code counts on 1,000,000, codex on
# 272,000, and opencode never compacts: sessions would end in errors. A figure on the safe side for most models; the gateway tells
# one that is too long for a smaller model in the words on which clients compact.
WINDOW_TOKENS = 200_000
OUTPUT_TOKENS = 32_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Where the gateway is and what to ask it for. `base` is scheme, host and port without a slash at the end."""

    base: str
    key: str
    model: str
    dialect: Dialect

    @property
    def v1(self) -> str:
        """The base URL of clients that add `/chat/completions` or `/responses` themselves."""
        return self.base + "/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing to set.

    `path` is the variable of an `env`, the file of a `file` (`~` is the home folder, a relative one starts in the working
    folder), and empty for a `command` (one shell line) and for `code` (a piece of a program). `content` is the value, the whole
    file or the text; `note` says in a few words what a reader must know. `over` is a file that the client reads over `path`: where
    there is one, it is what has to be changed. `part` is what a person puts into a file that
    cannot be added to; empty for all of `content`.
    """

    kind: Kind
    path: str = ""
    content: str
    note: str = ""
    over: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to run a client wired, without its own files: `arguments` go before the user's.

    `files` (relative names) are made in a temporary folder, which is what `{folder}` means in `env`, `arguments` and `prepare`.
    `prepare` are commands that must succeed first. `unset` are variables that would lead the client elsewhere.
    """

    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    prepare: tuple[tuple[str, ...], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client. The first of `dialects` is the default; `executable` is empty for a library, whose program is named by the user.

    `evidence` is `run` when the settings were seen to work with `version` of the client driven against a scripted provider,
    `documented` when they were only read. `launched` says that `launch` itself was seen to work with that version.
    """

    name: str
    title: str
    dialects: tuple[Dialect, ...]
    settings: Callable[[Wiring], tuple[Setting, ...]]
    launch: Callable[[Wiring], Launch] | None
    executable: str = ""
    install: str
    version: str
    evidence: Evidence
    launched: bool = False


def quoted(text: str) -> str:
    """Return `text` as a string of JSON, TOML (basic) and YAML (double-quoted) alike; it has no control characters."""
    return json.dumps(text, ensure_ascii=False)


def document(data: object) -> str:
    """Return `data` as the text of a JSON file."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def variables(values: Mapping[str, str], note: str = "") -> tuple[Setting, ...]:
    """Return environment variables as settings."""
    return tuple(Setting(kind="env", path=name, content=value, note=note) for name, value in values.items())


def exports(settings: tuple[Setting, ...]) -> str:
    """Return the lines that a POSIX shell reads to set every `env` of `settings`; empty when there is none."""
    return "".join(f"export {s.path}={shlex.quote(s.content)}\n" for s in settings if s.kind == "env")


def shell(*words: str) -> Setting:
    """Return a command line as a setting, quoted for a POSIX shell."""
    return Setting(kind="command", content=shlex.join(words))
