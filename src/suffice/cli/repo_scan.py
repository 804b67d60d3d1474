"""`suffice outcome scan-repo`: reports how many lines of recent commits are left after a day and a week.

Must not report commits that the gateway does not know; it says which those are. Invariant: a commit and an age count once,
however often the repository is scanned.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from suffice.cli.command import Exit, Io
from suffice.cli.gateway_client import post
from suffice.errors import NotFoundError
from suffice.sandbox.sandbox import Sandbox
from suffice.sandbox.survival import Survival, commits, survival

DAY_S = 86_400
AGES_S = {DAY_S: "survival-1d", 7 * DAY_S: "survival-7d"}
SCANNED_S = 30 * DAY_S
MOST_COMMITS = 50


def scan(folder: str, url: str, key: str, io: Io) -> int:
    """Read, report and say what came of it. Raises SandboxError, UpstreamError."""
    repository = io.working / Path(folder)
    found = asyncio.run(_read(repository, io.env.now()))
    rows, known = [], 0
    for each in found:
        told = {"commit": each.commit, "kind": "edited", "distance": 1.0 - each.share, "source": AGES_S[each.age_s]}
        try:
            answer = post(url, "/outcomes", {**told, "detail": f"{each.left} of {each.added} lines are left"}, key)
        except NotFoundError:
            answer = None  # nobody linked that commit with requests
        known += answer is not None
        new = answer["recorded"] if answer is not None else "unknown commit"
        rows.append((each.commit[:12], AGES_S[each.age_s], each.added, each.left, f"{each.share:.0%}", new))
    io.out.result(
        {
            "scanned": [
                dict(zip(("commit", "source", "added", "left", "share", "recorded"), r, strict=True)) for r in rows
            ]
        }
    )
    if rows:
        io.out.table("lines left", ("commit", "after", ">added", ">left", ">share", ">recorded"), rows)
    io.out.say(f"{known} of {len(rows)} readings belong to commits that the gateway knows")
    return Exit.OK


async def _read(repository: Path, now_s: float) -> list[Survival]:
    found: list[Survival] = []
    async with Sandbox(concurrency=1) as sandbox:
        for commit, made_s in await commits(sandbox, repository, now_s - SCANNED_S, MOST_COMMITS):
            found += await survival(sandbox, repository, commit, made_s, tuple(AGES_S), now_s)
    return found
