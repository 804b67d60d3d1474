"""Hostile repositories: their files are read, and nothing that they bring is executed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from suffice.errors import SandboxError
from suffice.sandbox import repo
from suffice.sandbox.sandbox import Sandbox

NAME = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
HOOKS = (
    "pre-commit",
    "post-checkout",
    "post-index-change",
    "reference-transaction",
    "post-commit",
    "fsmonitor-watchman",
)


def git(folder: Path, *args: str, stdin: bytes | None = None) -> bytes:
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **NAME}
    return subprocess.run(["git", *args], cwd=folder, env=env, input=stdin, capture_output=True, check=True).stdout


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that the sandbox's uid can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="suffice-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def hostile(readable: Path) -> tuple[Path, Path]:
    """A repository whose every door for programs leads to one that leaves a mark; returns it and the mark."""
    if shutil.which("git", path="/usr/local/bin:/usr/bin:/bin") is None:
        pytest.skip("no git here")
    folder, mark = readable / "repo", readable / "mark"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.py").write_text("print('a')\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "out").symlink_to("/")
    (folder / "up").symlink_to("../../etc")
    (folder / "inside").symlink_to("a.py")
    (folder / ".gitattributes").write_text("* filter=evil diff=evil merge=evil export-subst\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one\n\nthe solution is 42")
    program = readable / "evil"
    program.write_text(f"#!/bin/sh\necho x >> {mark}\ncat\n")
    program.chmod(0o755)
    for name in HOOKS:
        shutil.copy(program, folder / ".git" / "hooks" / name)
    keys = (
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "core.askpass",
        "diff.external",
        "credential.helper",
    )
    keys += (
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.command",
        "diff.evil.textconv",
    )
    keys += (
        "merge.evil.driver",
        "gpg.program",
        "alias.ls-tree",
        "core.alternateRefsCommand",
        "uploadpack.packObjectsHook",
    )
    (readable / "more").write_text(f"[core]\n\tfsmonitor = {program}\n")
    lines = []
    for key in keys:
        section, _, last = key.rpartition(".")
        top, _, sub = section.partition(".")
        lines.append(f'[{top} "{sub}"]\n' if sub else f"[{top}]\n")
        lines.append(f"\t{last} = {program}\n")
    with (folder / ".git" / "config").open("a") as f:
        f.writelines([*lines, f"[core]\n\thooksPath = {folder}/.git/hooks\n[include]\n\tpath = {readable}/more\n"])
    return folder, mark


async def test_a_hostile_repository_is_only_read(sandbox: Sandbox, hostile: tuple[Path, Path]) -> None:
    folder, mark = hostile
    mark.unlink(missing_ok=True)
    tree = await repo.read_tree(sandbox, folder, "main")
    assert tree.files["a.py"] == b"print('a')\n"
    assert tree.executable == {"run.sh"}
    assert tree.links == {"inside": "a.py"}
    assert tree.left_out.keys() == {"out", "up"}
    assert not mark.exists()


def test_its_programs_do_run_where_nothing_forbids_it(hostile: tuple[Path, Path]) -> None:
    folder, mark = hostile
    subprocess.run(
        ["git", "status"], cwd=folder, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"}, capture_output=True
    )
    assert mark.exists()


def test_many_commands_on_the_imported_tree_run_nothing(hostile: tuple[Path, Path], tmp_path: Path) -> None:
    """Outside of the sandbox, where a mark would show: the way the import prepares git is safe by itself."""
    folder, mark = hostile
    mark.unlink(missing_ok=True)
    fresh, work = tmp_path / "fresh", tmp_path / "work"
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **repo.GIT_ENVIRONMENT, **NAME}
    subprocess.run(["git", "init", "-q", "--bare", "--template=", fresh], env=env, check=True)
    (fresh / "objects" / "info").mkdir(exist_ok=True)
    (fresh / "objects" / "info" / "alternates").write_text(f"{folder}/.git/objects\n")
    commit = repo.resolve(folder)
    work.mkdir()
    commands = [
        ["ls-tree", "-r", commit], ["cat-file", "-p", commit], ["rev-parse", commit], ["log", "-p", commit], ["archive", commit],
        ["read-tree", commit], ["checkout-index", "-a"], ["status"], ["diff"], ["diff", "--cached", commit], ["add", "-A"],
        ["ls-files", "-s"], ["hash-object", "-w", "a.py"], ["commit-tree", f"{commit}^{{tree}}", "-m", "x"],
        ["update-ref", "refs/heads/main", commit], ["stash", "create"], ["checkout", "-f", commit], ["grep", "print", commit],
    ]  # fmt: skip
    codes = []
    for args in commands:
        argv = ["git", f"--git-dir={fresh}", f"--work-tree={work}", *args]
        codes.append(subprocess.run(argv, cwd=work, env=env, capture_output=True, stdin=subprocess.DEVNULL).returncode)
    assert codes.count(0) >= 12, codes
    assert not mark.exists()


async def test_odd_entries_are_left_out(any_sandbox: Sandbox, readable: Path) -> None:
    if shutil.which("git", path="/usr/local/bin:/usr/bin:/bin") is None:
        pytest.skip("no git here")
    folder = readable / "odd"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    blob = git(folder, "hash-object", "-w", "--stdin", stdin=b"x\x00\xff").decode().strip()

    def tree(*entries: tuple[str, str, str]) -> str:
        raw = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(digest) for mode, name, digest in entries)
        return git(folder, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=raw).decode().strip()

    inner = tree(("100644", "config", blob))
    root = tree(
        ("40000", "..", inner), ("40000", ".GIT", inner), ("100644", "Case", blob), ("100644", "case", blob),
        ("40000", "git~1", inner), ("160000", "module", blob), ("100644", "pl\u00e4in", blob),
    )  # fmt: skip
    commit = git(folder, "-c", "user.name=a", "commit-tree", root, "-m", "x").decode().strip()
    git(folder, "update-ref", "refs/heads/main", commit)
    read = await repo.read_tree(any_sandbox, folder)
    assert read.files == {"Case": b"x\x00\xff", "case": b"x\x00\xff", "pl\u00e4in": b"x\x00\xff"}
    assert read.left_out.keys() == {"../config", ".GIT/config", "git~1/config", "module"}
    target = readable / "written"
    repo.write_tree(read, target)
    assert sorted(path.name for path in target.iterdir()) == ["Case", "case", "pl\u00e4in"]


@pytest.mark.parametrize(
    ("path", "target", "inside"),
    [
        ("a", "b", True), ("d/a", "../b", True), ("d/a", "../../b", False), ("a", "/b", False), ("a", "d/../../x", False),
        ("a", ".git/config", False), ("a", "", False), ("d/e/a", "../../b/../c", True),
    ],
)  # fmt: skip
def test_links(path: str, target: str, inside: bool) -> None:
    assert repo._stays_inside(path, target) is inside


def test_names_that_are_none_are_told(hostile: tuple[Path, Path], tmp_path: Path) -> None:
    folder, _ = hostile
    for name in ("nosuch", "../config", "/etc/passwd", "a b", "config", "main^{tree}"):
        with pytest.raises(SandboxError, match="no commit"):
            repo.resolve(folder, name)
    git(folder, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "pack-refs", "--all")
    assert repo.resolve(folder, "main") == repo.resolve(folder, "HEAD")
    with pytest.raises(SandboxError, match="not a git repository"):
        repo.git_folder(tmp_path)


async def test_an_absent_commit_is_told(any_sandbox: Sandbox, hostile: tuple[Path, Path]) -> None:
    with pytest.raises(SandboxError, match="could not read commit"):
        await repo.read_tree(any_sandbox, hostile[0], "0" * 40)


async def test_a_store_that_the_uid_cannot_reach_is_copied(sandbox: Sandbox, hostile: tuple[Path, Path]) -> None:
    folder, mark = hostile
    mark.unlink(missing_ok=True)
    folder.parent.chmod(0o700)
    tree = await repo.read_tree(sandbox, folder)
    assert tree.files["a.py"] == b"print('a')\n"
    assert not mark.exists()
