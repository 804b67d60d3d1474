"""How many lines of a commit are still there some time later, read from a repository's history.

Must not run anything of the repository (repo.py). Lines are those that `git blame` credits to the commit on the history of the
head; a line that was moved, re-indented or in a renamed file counts as changed. Invariant: 0 <= left <= added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from suffice.sandbox.repo import object_store, resolve, run_git
from suffice.sandbox.sandbox import Sandbox

MOST_FILES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """Of `added` lines of `commit`, `left` were still there `age_s` seconds after it."""

    commit: str
    age_s: int
    added: int
    left: int

    @property
    def share(self) -> float:
        """The share of lines that are left."""
        return self.left / self.added


async def commits(sandbox: Sandbox, repository: Path, since_s: float, most: int) -> tuple[tuple[str, int], ...]:
    """Return (hash, time) of the newest commits of the head since a time, merges left out. Raises SandboxError."""
    objects, head = await object_store(repository), resolve(repository)
    listing = await run_git(
        sandbox, objects, head, f'log --no-merges --since={int(since_s)} -n {most} --format="%H %ct" "$2"'
    )
    return tuple((line.split()[0], int(line.split()[1])) for line in listing.decode("ascii").splitlines())


async def survival(
    sandbox: Sandbox, repository: Path, commit: str, made_s: int, ages_s: Sequence[int], now_s: float
) -> tuple[Survival, ...]:
    """Return how much of a commit is left at each age that has passed; nothing for one that adds no text lines.

    Raises SandboxError when the history cannot be read.
    """
    objects, head = await object_store(repository), resolve(repository)
    added, paths = await _added(sandbox, objects, commit)
    if not added:
        return ()
    found = []
    for age_s in (age for age in ages_s if made_s + age <= now_s):
        listing = await run_git(sandbox, objects, head, f'rev-list -1 --before={made_s + age_s} "$2"')
        at = listing.decode("ascii").strip() or commit
        left = await _left(sandbox, objects, commit, at, paths)
        found.append(Survival(commit=commit, age_s=age_s, added=added, left=min(left, added)))
    return tuple(found)


async def _added(sandbox: Sandbox, objects: Path, commit: str) -> tuple[int, tuple[bytes, ...]]:
    listing = await run_git(
        sandbox, objects, commit, 'diff-tree --root --no-commit-id --no-renames --numstat -z -r "$2"'
    )
    total, paths = 0, []
    for entry in listing.split(b"\0")[:-1][:MOST_FILES]:
        count, _, path = entry.split(b"\t", 2)
        if count.isdigit() and int(count):  # "-" stands for a binary file
            total += int(count)
            paths.append(path)
    return total, tuple(paths)


async def _left(sandbox: Sandbox, objects: Path, commit: str, at: str, paths: Sequence[bytes]) -> int:
    # The files that are still there; blame of an absent one would fail.
    listing = await run_git(sandbox, objects, at, 'ls-tree -r -z --name-only --full-tree "$2"')
    present = set(listing.split(b"\0"))
    wanted = b"".join(path + b"\0" for path in paths if path in present)
    if not wanted:
        return 0
    command = '--version > /dev/null && xargs -0 -n 1 git --git-dir=fresh blame --root -l -s "$2" -- || true'
    blamed = await run_git(sandbox, objects, at, command, wanted)
    return sum(line.startswith(commit.encode()) for line in blamed.split(b"\n"))
