"""The last steps of the forked child before it becomes the target: descriptors, limits, uid, confinement, exec.

Must not: return. Invariant: nothing is executed before the limits, the uid and the confinement are in force; the only
descriptors that go on are stdin (/dev/null or the input), stdout and stderr (the output pipe), and those that bubblewrap
itself consumes.
"""

from __future__ import annotations

import os
import resource
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from suffice.errors import SandboxError
from suffice.sandbox import bubblewrap, landlock, seccomp
from suffice.sandbox.cgroup import Cgroup
from suffice.sandbox.job import Job
from suffice.sandbox.limits import Tier

_READY_FD, _SECCOMP_FD = 8, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptors:
    """The write ends of the pipes to the supervisor, and what the target reads."""

    output: int
    ready: int
    stdin: int


def become_target(job: Job, source: Path, overlay: Path | None, cgroup: Cgroup | None, pipes: Descriptors) -> NoReturn:
    """Confine this process and execute the job's command; raises OSError or SandboxError instead of going on unconfined."""
    os.setsid()
    os.umask(0o022)
    if cgroup is not None:
        cgroup.join()
    program = seccomp.program(seccomp.machine())
    seccomp_r, seccomp_w = os.pipe()
    os.write(seccomp_w, program)
    _place(pipes, seccomp_r)
    if job.tier is Tier.BUBBLEWRAP:
        _limit(job)
        _drop(job.uid)
        argv = bubblewrap.command(
            job.argv,
            bwrap=job.bwrap,
            python=job.python,
            visible=job.visible,
            source=str(source),
            overlay=str(overlay) if overlay else None,
            variables=job.variables,
            limits=job.limits,
            seccomp_fd=_SECCOMP_FD,
            ready_fd=_READY_FD,
        )
        os.execve(job.bwrap, argv, {})  # noqa: S606
    _become_landlocked(job, source, overlay)


def _place(pipes: Descriptors, seccomp_fd: int) -> None:
    """Give every descriptor its number and close all others."""
    # Out of the way first: a source may lie on a number that is a target.
    every = (pipes.output, pipes.ready, seccomp_fd, pipes.stdin)
    output, ready, program, stdin = (os.dup2(fd, 100 + i) for i, fd in enumerate(every))
    os.dup2(stdin, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(ready, _READY_FD)
    os.dup2(program, _SECCOMP_FD)
    os.closerange(3, _READY_FD)
    os.closerange(_SECCOMP_FD + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _limit(job: Job) -> None:
    limits = job.limits.rlimits()
    # Since Linux 5.14 each user namespace counts its own processes, and the shell inside sets the limit there. Elsewhere the
    # count is the uid's, over the whole host, so what it has already comes on top.
    if job.tier is Tier.LANDLOCK or not _counts_per_namespace():
        limits[resource.RLIMIT_NPROC] = job.limits.processes + landlock.threads_of(
            os.getuid() if job.uid is None else job.uid
        )
    for number, value in limits.items():
        hard = resource.getrlimit(number)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (bound, bound))


def _counts_per_namespace() -> bool:
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(filter(str.isdigit, minor)) or 0)) >= (5, 14)


def _drop(uid: int | None) -> None:
    if uid is None:
        if os.geteuid() == 0:
            raise SandboxError("nothing runs in the sandbox as root")
        return
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if 0 in os.getresuid() + os.getresgid():
        raise SandboxError("the privileges could not be dropped")


def _become_landlocked(job: Job, source: Path, overlay: Path | None) -> NoReturn:
    box, tmp = landlock.open_work_tree(source, overlay, job.uid)
    os.close(_SECCOMP_FD)
    os.set_inheritable(_READY_FD, False)
    folder = source.parent / "python"
    path = f"{folder}:/usr/local/bin:/usr/bin:/bin"
    variables = {"PATH": path, "HOME": str(tmp), "TMPDIR": str(tmp), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    folder.mkdir(0o755)
    for name in ("python3", "python"):
        (folder / name).symlink_to(job.python)
    os.chdir(box)
    _limit(job)
    _drop(job.uid)
    program = shutil.which(job.argv[0], path=path)
    if program is None:
        raise SandboxError(f"command not found: {job.argv[0]}")
    landlock.confine(readable=[*job.visible, str(folder)], writable=[str(box), str(tmp)], own_uid=job.uid is not None)
    os.write(_READY_FD, b"ok")
    try:
        os.execve(program, list(job.argv), variables | dict(job.variables))  # noqa: S606
    except OSError:
        # No longer exactly "ok": the command did not start after all.
        os.write(_READY_FD, b"-")
        raise
