"""A control group for one run, where we may make one (version 1 or 2): memory and number of processes.

Must not: change any group but the one it made. Invariant: without permission there is None, and the watchdog of
supervisor.py bounds memory instead.
"""

from __future__ import annotations

import os
import tempfile
import time as _clock  # only sleep: the clock itself comes from Env
from dataclasses import dataclass
from pathlib import Path

from suffice.sandbox.limits import Limits

_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroup:
    """The folders of one group: one in version 2, one per controller in version 1."""

    memory: Path
    pids: Path

    @classmethod
    def create(cls, limits: Limits, root: Path = _ROOT) -> Cgroup | None:
        """Return a new group with the limits set, or None where that is not allowed."""
        made: list[Path] = []
        try:
            if (root / "cgroup.controllers").exists():
                base = _own_group(root)
                enabled = (base / "cgroup.subtree_control").read_text().split()
                if not {"memory", "pids"} <= set(enabled):
                    return None
                group = cls(memory=_make(base, made), pids=made[0])
                (group.memory / "memory.max").write_text(str(limits.memory_bytes))
                _try_write(group.memory / "memory.swap.max", "0")
            else:
                group = cls(memory=_make(root / "memory", made), pids=_make(root / "pids", made))
                (group.memory / "memory.limit_in_bytes").write_text(str(limits.memory_bytes))
            # Bubblewrap itself, its init and the shell count too.
            (group.pids / "pids.max").write_text(str(limits.processes + 4))
            return group
        except OSError:
            for folder in made:
                _remove(folder)
            return None

    def join(self) -> None:
        """Move the calling process into the group; raises OSError."""
        for folder in {self.memory, self.pids}:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def killed(self) -> bool:
        """True when the kernel killed a process of the group for its memory."""
        for name in ("memory.events", "memory.oom_control"):
            try:
                text = (self.memory / name).read_text()
            except OSError:
                continue
            counts = dict(line.split(None, 1) for line in text.splitlines())
            return counts.get("oom_kill", "0").strip() != "0"
        return False

    def remove(self) -> None:
        """Remove the group; its processes must have ended."""
        for folder in {self.memory, self.pids}:
            _remove(folder)


def _own_group(root: Path) -> Path:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            return root / line[3:].lstrip("/")
    return root


def _make(base: Path, made: list[Path]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="suffice-run-", dir=base))
    made.append(folder)
    return folder


def _try_write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError:
        pass


def _remove(folder: Path) -> None:
    # A process that has been reaped may still be leaving its group for some microseconds.
    for _ in range(50):
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            _clock.sleep(0.002)
