"""Grading out of process: an answer's functions are called over a pipe, so that its code cannot forge the result.

Must not: believe an exit code or anything that the answer's process prints. Invariant: a test counts as passed only when
the grader's own record says so under a nonce the answer never saw, every test has a record, and both sentinels (one that
must fail, one that must pass) came out as they must.

Both processes run in one sandbox. The grader makes itself opaque (not dumpable) before the answer's code starts, so that
its memory and descriptors, and with them the nonce and the tests, are closed to a process of the same uid; `ptrace` and its
like are refused by the seccomp filter in any case. The answer can end the grader by a signal: then records are missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from suffice.sandbox import grader_program
from suffice.sandbox.limits import Limits, Tier
from suffice.sandbox.sandbox import Sandbox
from suffice.values.env import Env


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The result: names of passed tests, failed ones with the reason, and whether the records were whole and honest.

    `complete` is False when a record was missing, doubled or unknown, or a sentinel came out wrong; then nothing passed.
    """

    passed: tuple[str, ...]
    failed: Mapping[str, str]
    complete: bool
    tier: Tier
    reason: str = ""

    @property
    def all_passed(self) -> bool:
        """True when every test passed, by complete records."""
        return self.complete and not self.failed and bool(self.passed)


async def grade(
    sandbox: Sandbox,
    env: Env,
    *,
    solution: str,
    entry_points: Sequence[str],
    tests: Mapping[str, str],
    setup: str = "",
    limits: Limits | None = None,
) -> Grade:
    """Run each of `tests` (name → Python statements that call the `entry_points` and assert) against `solution`.

    `setup` precedes each test. Arguments and results must be plain data (numbers, text, bytes, lists, tuples, sets, dicts,
    None; arrays come back as lists); changes an entry point makes to its list, dict or set arguments are seen. Raises
    SandboxError when nothing could be run.
    """
    nonce = env.token_bytes(16).hex()
    must_fail, must_pass = f"t{env.token_bytes(6).hex()}", f"t{env.token_bytes(6).hex()}"
    every = [(must_fail, "assert 1 == 2"), *tests.items(), (must_pass, "assert 1 == 1")]
    program = Path(grader_program.__file__).read_text(encoding="utf-8")  # noqa: ASYNC240 (a small file, cached by the system)
    job = {
        "nonce": nonce,
        "solution": solution,
        "entry_points": list(entry_points),
        "tests": every,
        "setup": setup,
        "program": program,
    }
    argv = ["python3", "-I", "-c", program + "\ngrader()\n"]
    result = await sandbox.run(argv, limits=limits, stdin=json.dumps(job).encode())
    records = _records(result.output, nonce, [name for name, _ in every])
    if records is None:
        reason = f"records are missing (exit {result.exit_code}, {result.killed_by or 'ended by itself'})"
        return Grade(passed=(), failed=dict.fromkeys(tests, reason), complete=False, tier=result.tier, reason=reason)
    loaded = not records[must_fail][1].startswith("the answer cannot be loaded")
    if records[must_fail][0] or (loaded and not records[must_pass][0]):
        reason = "a sentinel came out wrong: the records were tampered with"
        return Grade(passed=(), failed=dict.fromkeys(tests, reason), complete=False, tier=result.tier, reason=reason)
    return Grade(
        passed=tuple(name for name in tests if records[name][0]),
        failed={name: records[name][1] for name in tests if not records[name][0]},
        complete=True,
        tier=result.tier,
    )


def _records(output: bytes, nonce: str, names: Sequence[str]) -> dict[str, tuple[bool, str]] | None:
    """Return the record of each test, or None unless there is exactly one for each name and the closing count is right."""
    found: dict[str, tuple[bool, str]] = {}
    closed = False
    for line in output.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if not isinstance(record, list) or not record or record[0] != nonce or closed:
            continue
        if len(record) == 2:
            closed = record[1] == len(names)
        elif len(record) != 4 or record[1] in found:
            return None
        else:
            found[str(record[1])] = (record[2] is True, str(record[3]))
    return found if closed and found.keys() == set(names) else None
