"""Which repository a request is about, as far as it says so: the client's header, else the folder that an agent names as its own.

Repositories differ in how hard their tasks are; what is learned of one is used for the next request from it. Only a keyed hash leaves
this module, never the name or the path. Invariant: the same text of the same tenant gives the same key, another tenant's another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from suffice.decision.sessions import digest

HEADER = "x-suffice-repo"
SIGNAL = "repo:"
_MOST = 512
# As Claude Code, Codex, Gemini CLI, OpenCode and Cline write it; each begins with one of the hints.
_HINTS = ("orking directory", "orking Directory", "<cwd>", "in the directory")
_FOLDER = re.compile(
    r"(?:<cwd>|[Ww]orking [Dd]irectory(?: is)?:?|in the directory:?)[\s:(`'\"]*((?:/|~/|[A-Za-z]:\\)[^\s<>()`'\"]{1,300})"
)


def repo_key(secret: bytes, tenant: str, named: str, texts: Iterable[str]) -> str:
    """Return the key of the repository, empty when nothing says which one: `named` is the header, `texts` what agents say of themselves."""
    found = named.strip()[:_MOST] or next(filter(None, map(folder_of, texts)), "")
    return digest(secret, tenant, "repository", found)[:16] if found else ""


def folder_of(text: str) -> str:
    """Return the folder that an agent's text names as its working directory, or an empty string."""
    if not any(map(text.__contains__, _HINTS)):
        return ""
    found = _FOLDER.search(text)
    return found[1].rstrip("/\\.,;") if found else ""


def repo_of(signals: Iterable[str]) -> str:
    """Return the repository's key from the signals of a recorded decision, empty where it has none."""
    return next((signal.removeprefix(SIGNAL) for signal in signals if signal.startswith(SIGNAL)), "")
