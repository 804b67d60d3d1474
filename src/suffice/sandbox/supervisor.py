"""One run, in a process of its own: stages the files, starts the target, watches its limits, ends it as a group.

Must not: run anything that is not confined by the job's tier. Invariant: when it ends, no process of the run is alive and
its folder is gone; it always answers, with a result or with what failed.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from suffice.errors import SandboxError
from suffice.sandbox import job as jobs
from suffice.sandbox.cgroup import Cgroup
from suffice.sandbox.limits import KilledBy, Tier
from suffice.sandbox.process_tree import become_subreaper, descendants, end_all, resident_bytes
from suffice.sandbox.stage import copy_tree, make_stage, reachable, write_files
from suffice.sandbox.target import Descriptors, become_target
from suffice.values.env import Env

_WATCH_S = 0.05


@dataclass(slots=True)
class _Watched:
    """State of a target under watch."""

    pid: int
    output_fd: int
    ready_fd: int
    started_s: float
    output: bytearray = field(default_factory=bytearray)
    status: int | None = None
    killed_by: KilledBy = KilledBy.NOTHING


def supervise(sock: socket.socket, env: Env) -> None:
    """Read one job from `sock`, do it, and answer. Never raises: what fails is part of the answer."""
    stage: Path | None = None
    cgroup: Cgroup | None = None
    try:
        job = jobs.read(sock)
        become_subreaper()
        stage = make_stage(job.stage_root, job.uid)
        source, overlay = _prepare(job, stage)
        cgroup = Cgroup.create(job.limits)
        watched = _start(job, source, overlay, cgroup, env)
        _watch(job, watched, sock, cgroup, stage, env)
        duration_s = env.monotonic() - watched.started_s
        end_all()
        answer = _answer(watched, cgroup, duration_s)
        body = bytes(watched.output)
    except (SandboxError, OSError, ValueError, TypeError, KeyError, EOFError) as e:
        end_all()
        answer, body = {"error": str(e) or type(e).__name__, "size": 0}, b""
    finally:
        if cgroup is not None:
            cgroup.remove()
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
    try:
        sock.sendall(jobs.frame(answer) + body)
    except OSError:
        # The caller has gone; there is nobody to tell.
        pass


def _prepare(job: jobs.Job, stage: Path) -> tuple[Path, Path | None]:
    """Return the folder to copy into the work tree and one to copy over it."""
    source = stage / "src"
    if job.folder is None:
        source.mkdir(0o755)
        write_files(source, job.files)
        return source, None
    folder = Path(job.folder)
    # The Landlock tier has no mounts: its work tree is the staged copy itself.
    if job.tier is Tier.LANDLOCK or not _tree_reachable(folder, job.uid):
        copy_tree(folder, source)
    else:
        source = folder
    if not job.files:
        return source, None
    overlay = stage / "over"
    overlay.mkdir(0o755)
    write_files(overlay, job.files)
    return source, overlay


def _tree_reachable(folder: Path, uid: int | None) -> bool:
    if not reachable(folder, uid):
        return False
    for top, names, files in os.walk(folder):
        if not all(reachable(Path(top, name), uid) or Path(top, name).is_symlink() for name in (*names, *files)):
            return False
    return True


def _start(job: jobs.Job, source: Path, overlay: Path | None, cgroup: Cgroup | None, env: Env) -> _Watched:
    output_r, output_w = os.pipe()
    ready_r, ready_w = os.pipe()
    started_s = env.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(output_w, 2)
            become_target(job, source, overlay, cgroup, Descriptors(output=output_w, ready=ready_w, stdin=_stdin(job)))
        except BaseException as e:  # nothing of us may go on in the target's place
            os.write(2, f"the sandbox cannot be entered: {e}\n".encode())
        finally:
            os._exit(125)
    os.close(output_w)
    os.close(ready_w)
    os.set_blocking(output_r, False)
    os.set_blocking(ready_r, False)
    return _Watched(pid=pid, output_fd=output_r, ready_fd=ready_r, started_s=started_s)


def _stdin(job: jobs.Job) -> int:
    """Return a descriptor with the job's input. Sealed memory: it has no name that the target's children could open."""
    if not job.stdin:
        return os.open("/dev/null", os.O_RDONLY)
    fd = os.memfd_create("stdin", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(fd), "wb") as f:
        f.write(job.stdin)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _watch(job: jobs.Job, watched: _Watched, sock: socket.socket, cgroup: Cgroup | None, stage: Path, env: Env) -> None:
    """Read output until the target ends or a limit does; sets `status` or `killed_by`."""
    pidfd = os.pidfd_open(watched.pid)
    poll = select.poll()
    poll.register(watched.output_fd, select.POLLIN)
    poll.register(pidfd, select.POLLIN)
    poll.register(sock, select.POLLIN)
    deadline_s = watched.started_s + job.limits.wall_s
    while watched.status is None:
        left_s = deadline_s - env.monotonic()
        if left_s <= 0:
            watched.killed_by = KilledBy.TIMEOUT
            break
        for fd, _ in poll.poll(min(left_s, _WATCH_S) * 1000 + 1):
            if fd == sock.fileno():
                watched.killed_by = KilledBy.CALLER
            elif fd == watched.output_fd and not _drain(watched, job.limits.output_bytes):
                poll.unregister(watched.output_fd)
            elif fd == pidfd:
                _, watched.status = os.waitpid(watched.pid, 0)
        if watched.status is None and watched.killed_by is KilledBy.NOTHING:
            watched.killed_by = _over_limit(job, stage, cgroup)
        if watched.killed_by is not KilledBy.NOTHING:
            break
    os.close(pidfd)
    _drain(watched, job.limits.output_bytes)


def _over_limit(job: jobs.Job, stage: Path, cgroup: Cgroup | None) -> KilledBy:
    if cgroup is not None and cgroup.killed():
        return KilledBy.MEMORY
    if cgroup is None and resident_bytes(descendants(os.getpid())) > job.limits.memory_bytes:
        return KilledBy.MEMORY
    if job.tier is Tier.LANDLOCK and _disk_bytes(stage) > job.limits.work_bytes + job.limits.tmp_bytes:
        return KilledBy.DISK
    return KilledBy.NOTHING


def _disk_bytes(folder: Path) -> int:
    total = 0
    for top, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(top, name)).st_blocks * 512  # noqa: PTH118 (hot loop)
            except OSError:
                continue
    return total


def _drain(watched: _Watched, limit: int) -> bool:
    """Take what the pipe holds; False when it has ended or the output is over its limit."""
    while True:
        try:
            piece = os.read(watched.output_fd, 65536)
        except BlockingIOError:
            return True
        if not piece:
            return False
        room = limit - len(watched.output)
        watched.output += piece[:room]
        if len(piece) > room:
            watched.killed_by = KilledBy.OUTPUT
            return False


def _answer(watched: _Watched, cgroup: Cgroup | None, duration_s: float) -> dict[str, Any]:
    try:
        ready = os.read(watched.ready_fd, 64) == b"ok"
    except BlockingIOError:
        ready = False
    text = watched.output.decode("utf-8", "replace").strip()
    if not ready and watched.killed_by is KilledBy.NOTHING:
        watched.output.clear()
        return {"error": f"the command was not started: {text[-600:] or 'no reason given'}", "size": 0}
    exit_code = None
    if watched.killed_by is KilledBy.NOTHING and watched.status is not None:
        exit_code = os.waitstatus_to_exitcode(watched.status)
        exit_code = 128 - exit_code if exit_code < 0 else exit_code
        if exit_code == 128 + signal.SIGKILL and cgroup is not None and cgroup.killed():
            exit_code, watched.killed_by = None, KilledBy.MEMORY
    return {
        "exit_code": exit_code,
        "killed_by": watched.killed_by.value,
        "duration_s": duration_s,
        "size": len(watched.output),
    }
