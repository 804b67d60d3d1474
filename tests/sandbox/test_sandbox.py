"""Programs run confined in each tier, one at a time or several, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest

from suffice.errors import SandboxError
from suffice.sandbox.limits import Tier
from suffice.sandbox.sandbox import Sandbox

MIB = 1024 * 1024


async def test_files_and_exit_codes(sandbox: Sandbox, tmp_path: Path) -> None:
    result = await sandbox.run(["python3", "-c", "print(open('a/b.txt').read())"], {"a/b.txt": b"h\xc3\xa9"})
    assert (result.exit_code, result.output.decode(), result.tier) == (0, "hé\n", sandbox.tier)
    (tmp_path / "kept").write_text("from the folder")
    (tmp_path / "laid").write_text("old")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "secret").write_text("the solution")
    script = "cat kept laid; ls -A .git 2>&1 | grep -c secret; echo changed > kept; exit 3"
    result = await sandbox.run(["sh", "-c", script], {"laid": b" and over it"}, folder=tmp_path)
    assert result.exit_code == 3
    assert result.output == b"from the folder and over it0\n"
    assert (tmp_path / "kept").read_text() == "from the folder"


async def test_a_signal_is_an_exit_code(sandbox: Sandbox) -> None:
    result = await sandbox.run(["python3", "-c", "import ctypes; ctypes.string_at(0)"])
    assert result.exit_code == 139


async def test_variables_are_only_ours(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    result = await sandbox.run(["env"], variables={"SEED": "1"})
    assert b"SEED=1" in result.output
    assert b"secret" not in result.output


async def test_unknown_commands_are_errors_not_results(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="command not found: nosuchprogram"):
        await sandbox.run(["nosuchprogram"])
    for argv in ([], [""], ["a\0b"]):
        with pytest.raises(SandboxError):
            await sandbox.run(argv)
    with pytest.raises(SandboxError, match="may not be written"):
        await sandbox.run(["true"], {"../x": b""})
    with pytest.raises(SandboxError, match="variable"):
        await sandbox.run(["true"], variables={"A=B": "c"})


async def test_several_at_once_do_not_meet(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(tempfile.mkdtemp(prefix="suffice-test-", dir="/tmp"))
    root.chmod(0o755)
    monkeypatch.setattr("suffice.sandbox.sandbox.stage_root", lambda uid: root)
    script = "import os,time; open('mine','w').write('x'); time.sleep(0.05); print(sorted(os.listdir('.')))"
    results = await asyncio.gather(*(sandbox.run(["python3", "-c", script], {f"f{i}": b""}) for i in range(6)))
    assert [r.output.decode().strip() for r in results] == [f"['f{i}', 'mine']" for i in range(6)]
    # Nothing is left: the folder is empty, or this fails.
    root.rmdir()


async def test_a_cancelled_run_ends_its_processes(sandbox: Sandbox) -> None:
    mark = f"sleep-{os.getpid()}-{sandbox.tier}"
    task = asyncio.create_task(sandbox.run(["sh", "-c", "sleep 61 & sleep 61; exit 0", mark]))
    while not _running(mark):
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while _running(mark):
        await asyncio.sleep(0.02)


def _running(mark: str) -> bool:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return True
        except OSError:
            continue
    return False


async def test_it_starts_again_after_its_server_died() -> None:
    async with Sandbox() as box:
        assert (await box.run(["true"])).passed
        assert box._server is not None
        box._server.kill()
        box._server.wait()
        assert (await box.run(["true"])).passed
    await box.stop()


async def test_with_no_tier_nothing_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    broken = tmp_path / "bwrap"
    broken.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    broken.chmod(0o755)
    box = Sandbox(bwrap=broken, tiers=(Tier.BUBBLEWRAP,))
    with pytest.raises(SandboxError, match="no sandbox works on this machine") as caught:
        await box.run(["touch", str(tmp_path / "target")])
    assert "bubblewrap" in caught.value.message
    assert not (tmp_path / "target").exists()
    with pytest.raises(SandboxError, match="nothing is run"):
        await Sandbox(tiers=()).start()


async def test_the_second_tier_takes_over(tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    async with Sandbox(bwrap=broken) as box:
        assert box.tier is Tier.LANDLOCK
        assert (await box.run(["python3", "-c", "pass"])).passed


def test_a_senseless_concurrency_is_refused() -> None:
    with pytest.raises(SandboxError, match="concurrency"):
        Sandbox(concurrency=0)
