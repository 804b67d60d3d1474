"""The check that a request names: `x-suffice-check: name` or `name@commit`. A client never sends a command.

Must not: look at the repository; whether the commit exists is found out in the sandbox. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from suffice.config.sections import CheckSettings
from suffice.errors import RequestError

HEADER = "x-suffice-check"
_COMMIT = re.compile(r"[A-Za-z0-9][\w./+-]{0,199}")


def named_check(said: str, checks: Mapping[str, CheckSettings]) -> str:
    """Return `said` when it names a configured check (empty: none). Raises RequestError (400) when it does not."""
    name, at, commit = said.partition("@")
    if name and name not in checks:
        raise RequestError(f"there is no check {name[:100]!r}", hint="configure it under [checks]", param=HEADER)
    repository = checks[name].repo if name else ""
    if at and (not repository or ".." in commit or not _COMMIT.fullmatch(commit)):
        hint = "a commit, branch or tag of the repository of the check, which must have one: name@main"
        raise RequestError(f"{said[:100]!r} names no commit", hint=hint, param=HEADER)
    return said


def plain_name(check: str) -> str:
    """Return the configured name of `name@commit`."""
    return check.partition("@")[0]
