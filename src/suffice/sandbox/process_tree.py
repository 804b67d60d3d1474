"""The processes below the supervisor: who they are, how much memory they hold, and their end.

Must not: look at any process that is not a descendant. Invariant: after `end_all` no descendant is left.
"""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Make orphans below this process its children, so that a daemon cannot leave the tree (Linux 3.4+)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """Return the pids below `pid`, parents before children; those that end meanwhile are left out."""
    found, queue = [], [pid]
    while queue:
        for child in _children(queue.pop()):
            found.append(child)
            queue.append(child)
    return found


def _children(pid: int) -> list[int]:
    out: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            out += [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        pass
    return out


def resident_bytes(pids: list[int]) -> int:
    """Return the sum of resident memory in bytes; pages shared by several count for each."""
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        except (OSError, IndexError):
            continue
    return total


def end_all() -> None:
    """Kill every descendant and wait until none is left. A target whose forks outrun us is stopped first."""
    while True:
        for step in (signal.SIGSTOP, signal.SIGKILL):
            for pid in descendants(os.getpid()):
                try:
                    os.kill(pid, step)
                except OSError:
                    continue
        try:
            # Block for one child, then look again: with nothing left to fork, the loop ends.
            os.waitpid(-1, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
