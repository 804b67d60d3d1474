"""What one run may use, and what it did: the values that go into the sandbox and come out of it.

Must not: apply anything (supervisor.py does, in the process that becomes the target). Invariant: every limit is finite.
"""

from __future__ import annotations

import math
import resource
from dataclasses import dataclass
from enum import StrEnum

MIB = 1024 * 1024


class Tier(StrEnum):
    """How the target is confined; reported with each result."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"


class KilledBy(StrEnum):
    """Why the sandbox ended the target; empty if it ended by itself."""

    NOTHING = ""
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT = "output"
    DISK = "disk"
    CALLER = "caller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one run. Sizes in bytes, times in seconds; `work_bytes` and `tmp_bytes` bound the two writable trees."""

    wall_s: float = 10.0
    memory_bytes: int = 512 * MIB
    address_space_bytes: int = 1024 * MIB
    processes: int = 64
    open_files: int = 512
    file_bytes: int = 64 * MIB
    work_bytes: int = 256 * MIB
    tmp_bytes: int = 64 * MIB
    output_bytes: int = MIB

    def rlimits(self) -> dict[int, int]:
        """Return resource limits by number, without RLIMIT_NPROC, which depends on who runs the target."""
        return {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_CPU: math.ceil(self.wall_s) + 1,
            resource.RLIMIT_FSIZE: self.file_bytes,
            resource.RLIMIT_NOFILE: self.open_files,
            resource.RLIMIT_AS: self.address_space_bytes,
            resource.RLIMIT_MEMLOCK: 0,
            # RLIMIT_MSGQUEUE (12 on Linux) has no name in the module.
            12: 0,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run did. `exit_code` is that of the command (128 + n after signal n) or None if the sandbox killed it.

    `output` is stdout and stderr in one stream, at most `Limits.output_bytes`.
    """

    exit_code: int | None
    killed_by: KilledBy
    output: bytes
    duration_s: float
    tier: Tier

    @property
    def timed_out(self) -> bool:
        """True when the wall-clock limit ended the run."""
        return self.killed_by is KilledBy.TIMEOUT

    @property
    def passed(self) -> bool:
        """True when the command ended by itself with exit code 0. Not proof of anything the command printed."""
        return self.exit_code == 0
