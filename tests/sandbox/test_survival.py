import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from suffice.errors import SandboxError
from suffice.sandbox.sandbox import Sandbox
from suffice.sandbox.survival import commits, survival

DAY_S = 86_400
START_S = 1_800_000_000
NAME = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


def commit(folder: Path, at_s: int, **files: str) -> str:
    """Write files, commit them at a time, return the hash."""
    stamp = f"{at_s} +0000"
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **NAME}
    env |= {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    for args in (("add", "-A"), ("commit", "-qm", "c")):
        subprocess.run(["git", *args], cwd=folder, env=env, check=True)
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=folder, env=env, text=True).strip()


@pytest.fixture
def history() -> Iterator[tuple[Path, list[str]]]:
    """Ten lines in two files; after half a day two are changed, after three days one file is gone."""
    folder = Path(tempfile.mkdtemp(prefix="suffice-test-", dir="/tmp"))
    folder.chmod(0o755)
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    first = commit(folder, START_S, a="a = 1\n" * 6, b="b = 1\nb = 2\nb = 3\nb = 4\n")
    second = commit(folder, START_S + DAY_S // 2, b="b = 1\nb = 2\nb = 30\nb = 40\n")
    (folder / "a.py").unlink()
    third = commit(folder, START_S + 3 * DAY_S)
    yield folder, [first, second, third]
    shutil.rmtree(folder)


async def test_lines_left_after_a_day_and_a_week(sandbox: Sandbox, history: tuple[Path, list[str]]) -> None:
    folder, (first, second, third) = history
    now_s = START_S + 30.0 * DAY_S
    ages = (DAY_S, 7 * DAY_S)
    found = await survival(sandbox, folder, first, START_S, ages, now_s)
    assert [(s.age_s, s.added, s.left) for s in found] == [(DAY_S, 10, 8), (7 * DAY_S, 10, 2)]
    kept = await survival(sandbox, folder, second, START_S + DAY_S // 2, ages, now_s)
    assert [s.share for s in kept] == [1.0, 1.0]
    assert await survival(sandbox, folder, third, START_S + 3 * DAY_S, ages, now_s) == ()
    assert len(await survival(sandbox, folder, first, START_S, ages, START_S + 2.0 * DAY_S)) == 1


async def test_commits_since(any_sandbox: Sandbox, history: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, (_, second, third) = history
    listed = await commits(any_sandbox, folder, START_S + 60.0, 10)
    assert listed == ((third, START_S + 3 * DAY_S), (second, START_S + DAY_S // 2))
    assert len(await commits(any_sandbox, folder, 0.0, 1)) == 1
    with pytest.raises(SandboxError, match="not a git repository"):
        await commits(any_sandbox, tmp_path, 0.0, 1)
