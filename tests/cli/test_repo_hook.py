import subprocess
import time
from pathlib import Path

import pytest

from suffice.cli import repo_hook
from suffice.errors import RequestError, SandboxError

URL = "http://127.0.0.1:1/v1"


def git(folder: Path, *args: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@t.test")
    done = subprocess.run(
        ["git", *identity, *args], cwd=folder, check=True, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}
    )
    return done.stdout


def wait_until(true) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.02)
    raise TimeoutError


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    return folder


def hook(repository: Path) -> Path:
    return repository / ".git" / "hooks" / "post-commit"


def test_installed_twice_is_once_and_removed_is_gone(repository):
    assert repo_hook.install(repository, URL).became == "installed"
    text = hook(repository).read_text()
    assert text.startswith("#!/bin/sh\n") and hook(repository).stat().st_mode & 0o111
    assert repo_hook.install(repository, URL).became == "unchanged" and hook(repository).read_text() == text
    assert repo_hook.install(repository, URL + "x").became == "renewed"
    assert hook(repository).read_text().count(repo_hook.BEGIN) == 1
    assert repo_hook.remove(repository).became == "removed" and not hook(repository).exists()
    assert repo_hook.remove(repository).became == "absent"


@pytest.mark.parametrize("theirs", ["#!/bin/bash\nset -e\necho theirs >> seen\nexit 0\n", "echo theirs >> seen\n"])
def test_a_hook_of_others_stays_and_still_runs(repository, theirs):
    hook(repository).parent.mkdir(exist_ok=True)
    hook(repository).write_text(theirs)
    hook(repository).chmod(0o755)
    repo_hook.install(repository, URL)
    git(repository, "commit", "-q", "--allow-empty", "-m", "one")
    assert (repository / "seen").read_text() == "theirs\n"
    repo_hook.remove(repository)
    assert hook(repository).read_text() == theirs


def test_a_commit_succeeds_whatever_the_hook_finds(repository, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    repo_hook.install(repository, "http://127.0.0.1:1/v1'; exit 9; '")
    git(repository, "commit", "-q", "--allow-empty", "-m", "one")
    assert git(repository, "log", "--format=%s") == "one\n"
    assert subprocess.run(["sh", "-n", hook(repository)], check=False).returncode == 0


def test_a_commit_and_what_it_reverts_are_told(repository, tmp_path, monkeypatch):
    told = tmp_path / "told"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> "{told}"\n')
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    repo_hook.install(repository, URL)
    said = f"--commit --source git-hook --url {URL}"
    git(repository, "commit", "-q", "--allow-empty", "-m", "one")
    (repository / "a").write_text("a")
    git(repository, "add", "a")
    # Words of a message are nothing to run, and a hash that is none is not told.
    git(repository, "commit", "-q", "-m", "two\n\nThis reverts commit $(touch evil)\nThis reverts commit 12ab.")
    two = git(repository, "rev-parse", "HEAD").strip()
    git(repository, "revert", "--no-edit", two)
    head = git(repository, "rev-parse", "HEAD").strip()
    wait_until(lambda: told.exists() and len(told.read_text().splitlines()) == 4)
    lines = told.read_text().splitlines()
    told_of = [line.split()[3:5] for line in lines]
    assert [what for _, what in told_of].count("committed") == 3 and [head, "committed"] in told_of
    assert f"-m suffice.cli.main outcome {two} reverted {said}" in lines
    assert not (repository / "evil").exists() and not Path("/evil").exists()


def test_a_linked_work_tree_shares_the_hook(repository, tmp_path):
    git(repository, "commit", "-q", "--allow-empty", "-m", "one")
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert repo_hook.install(tmp_path / "linked", URL).path.resolve() == hook(repository)


def test_what_cannot_be_changed_safely_is_left_alone(repository, tmp_path):
    hook(repository).parent.mkdir(exist_ok=True)
    for content in (b"#!/usr/bin/env python3\nprint(1)\n", b"\x7fELF\xff\xfe"):
        hook(repository).write_bytes(content)
        with pytest.raises(RequestError, match="script"):
            repo_hook.install(repository, URL)
        assert hook(repository).read_bytes() == content
    git(repository, "config", "core.hooksPath", ".husky")
    with pytest.raises(RequestError, match="hooksPath"):
        repo_hook.install(repository, URL)
    with pytest.raises(SandboxError, match="not a git repository"):
        repo_hook.install(tmp_path, URL)
