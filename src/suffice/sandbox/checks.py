"""Operator checks: a named command of the configuration, run on its own folder with an answer's files laid over it.

Must not: take a command from a client, or let an answer replace what the check relies on. Invariant: a failure of the
sandbox is UNKNOWN; only the command's own exit code, or a limit it ran into, rejects.

The exit code of a command that runs the answer's code in its own process can be forged by that code (it may simply exit
with 0). grading.py is for what must not be forged; docs/sandbox.md says what each protects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from suffice.errors import SandboxError
from suffice.sandbox.limits import KilledBy, Limits, RunResult
from suffice.sandbox.sandbox import Sandbox
from suffice.sandbox.stage import checked_path
from suffice.values.verdict import Outcome, Verdict

# Files that change how a test runner or an interpreter behaves; never taken from an answer.
TRUSTED_NAMES = (
    "conftest.py", "pytest.ini", ".pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini", "noxfile.py", "sitecustomize.py",
    "usercustomize.py", "*.pth", ".coveragerc", "package.json", ".npmrc", "jest.config.*", "vitest.config.*", ".mocharc*",
    "Makefile", "makefile", "GNUmakefile",
)  # fmt: skip
MAX_EVIDENCE_CHARACTERS = 2000
_EVIDENCE_LINES = 40
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """One `[checks.<name>]` of the configuration.

    `folder` (None: an empty tree) is copied into the work tree without its .git, and `command` runs there; `answer_path` is
    where an answer without a path of its own goes. `trusted` adds patterns of paths that an answer may not replace; files
    that the command names are always trusted.
    `languages` empty means every language. `commit` names the commit, branch or tag of the repository in `folder` that is
    copied; empty: the files as they lie there.
    """

    name: str
    command: Sequence[str]
    folder: Path | None = None
    answer_path: str = ""
    languages: frozenset[str] = frozenset()
    commit: str = ""
    timeout_s: float = 10.0
    trusted: tuple[str, ...] = ()
    limits: Limits = Limits()


async def run_check(sandbox: Sandbox, check: CheckSpec, files: Mapping[str, str]) -> Verdict:
    """Run one check on an answer's files (path → text; the empty path means `answer_path`). Never raises SandboxError.

    Accept on exit code 0, reject on any other or when a limit ended the run, unknown when nothing could be run.
    """
    gate = f"check:{check.name}"
    try:
        placed, refused = place(check, files)
    except SandboxError as e:
        return Verdict(gate=gate, outcome=Outcome.REJECT, kind="path", reason=e.message, evidence=e.message)
    if not placed:
        reason = "the answer has no file that this check looks at"
        if refused:
            reason += f" (not taken from an answer: {', '.join(refused[:5])})"
        return Verdict(gate=gate, outcome=Outcome.UNKNOWN, reason=reason)
    limits = replace(check.limits, wall_s=check.timeout_s)
    try:
        result = await sandbox.run(check.command, placed, folder=check.folder, limits=limits)
    except SandboxError as e:
        return Verdict(
            gate=gate, outcome=Outcome.UNKNOWN, reason=f"the check could not be run: {e.message}", kind="sandbox"
        )
    return judge(gate, check, result)


def place(check: CheckSpec, files: Mapping[str, str]) -> tuple[dict[str, bytes], list[str]]:
    """Return the files that may be laid over the check's folder, and the paths that were kept out.

    Raises SandboxError for a path that leaves the work tree or passes through a symbolic link of the folder.
    """
    placed: dict[str, bytes] = {}
    refused: list[str] = []
    for name, text in files.items():
        path = checked_path(name or check.answer_path or "answer")
        for parent in (path, *path.parents):
            if check.folder is not None and (check.folder / parent).is_symlink():
                raise SandboxError(f"the answer writes {str(path)!r} through the symbolic link {str(parent)!r}")
        if is_trusted(check, path):
            refused.append(str(path))
        else:
            placed[str(path)] = text.encode("utf-8", "surrogatepass")
    return placed, refused


def is_trusted(check: CheckSpec, path: PurePosixPath) -> bool:
    """True when an answer may not write `path`: the check's own run files, runner configuration, and the like."""
    if str(path) == check.answer_path:
        return False
    if any(fnmatch(path.name.lower(), pattern.lower()) for pattern in TRUSTED_NAMES):
        return True
    if any(fnmatch(str(path), pattern) for pattern in check.trusted):
        return True
    named = {str(PurePosixPath(part)) for part in check.command[1:] if part and not part.startswith("-")}
    return str(path) in named and check.folder is not None and (check.folder / path).is_file()


def judge(gate: str, check: CheckSpec, result: RunResult) -> Verdict:
    """Return what a finished run says of the answer."""
    if result.passed:
        return Verdict(gate=gate, outcome=Outcome.ACCEPT, reason=f"{check.command[0]} ended with exit code 0")
    evidence = compact(result.output)
    if result.killed_by is KilledBy.NOTHING:
        reason, kind = f"{check.command[0]} ended with exit code {result.exit_code}", "check-failed"
    else:
        reason, kind = f"stopped by the sandbox: {_LIMIT_WORDS[result.killed_by]}", f"check-{result.killed_by}"
        if result.killed_by is KilledBy.TIMEOUT:
            reason += f" ({check.timeout_s:g} s)"
    return Verdict(gate=gate, outcome=Outcome.REJECT, reason=reason, evidence=evidence or reason, kind=kind)


_LIMIT_WORDS = {
    KilledBy.TIMEOUT: "it did not end in time",
    KilledBy.MEMORY: "it used too much memory",
    KilledBy.OUTPUT: "it wrote too much output",
    KilledBy.DISK: "it wrote too much to disk",
    KilledBy.CALLER: "the caller went away",
}


def compact(output: bytes) -> str:
    """Return the last lines with something in them, without terminal escapes, at most 2,000 characters."""
    text = _ESCAPES.sub("", output[-65536:].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n"))
    lines = [line.rstrip() for line in text.split("\n")]
    lines = [line for line in lines if line.strip(" \t-=_*.~")][-_EVIDENCE_LINES:]
    while len(lines) > 1 and len("\n".join(lines)) > MAX_EVIDENCE_CHARACTERS:
        del lines[0]
    return "\n".join(lines)[-MAX_EVIDENCE_CHARACTERS:]
