"""The prepared folder of one run: the caller's files on disk where the sandbox's uid, and nobody else, can read them.

Must not: follow a path out of the folder. Invariant: the files belong to us and the folder is closed to all but the
sandbox's uid, so the target can read its sources and not change them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from suffice.errors import SandboxError


def checked_path(path: str) -> PurePosixPath:
    """Return a relative path without `..`, `.git` or an empty or NUL-bearing part; raises SandboxError otherwise."""
    pure = PurePosixPath(path)
    bad = not path or "\0" in path or pure.is_absolute() or ".." in pure.parts or not pure.parts
    if bad or any(part.lower() == ".git" for part in pure.parts):
        raise SandboxError(
            f"a file may not be written to {path!r}", hint="use a path relative to the work tree, without '..'"
        )
    return pure


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write each file below `folder` (fresh and ours, so it holds no symlink). Paths are checked first."""
    for path, pure in [(path, checked_path(path)) for path in files]:
        target = folder / pure
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files[path])
            target.chmod(0o755 if files[path].startswith(b"#!") else 0o644)
        except OSError as e:
            raise SandboxError(f"cannot write {path!r} into the work tree: {e.strerror}") from e


def reachable(path: Path, uid: int | None) -> bool:
    """True when `uid` (without any group; None: this process) can enter every folder above `path` and read it."""
    if uid is None:
        return os.access(path, os.R_OK)
    try:
        path = path.resolve(strict=True)
        for part in path.parents:
            if not part.stat().st_mode & 0o001:
                return False
        need = 0o005 if path.is_dir() else 0o004
        return path.stat().st_mode & need == need
    except OSError:
        return False


def stage_root(uid: int | None) -> Path:
    """Return the first temporary folder that the sandbox's uid can reach; raises SandboxError if there is none."""
    for candidate in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):  # noqa: S108
        if reachable(candidate, uid) and os.access(candidate, os.W_OK):
            return candidate
    raise SandboxError(
        "no temporary folder can be reached by the sandbox's uid", hint="set TMPDIR to a world-searchable one"
    )


def make_stage(root: str, uid: int | None) -> Path:
    """Return a new folder, open to nobody but `uid` (and us)."""
    stage = Path(tempfile.mkdtemp(prefix="suffice-run-", dir=root))
    if uid is not None:
        os.chown(stage, uid, uid)
    return stage


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder as it is, symlinks as symlinks, no devices, no .git; readable by all within the closed stage."""
    shutil.copytree(source, target, symlinks=True, ignore=_special)
    for folder, _, names in os.walk(target):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _special(folder: str, names: list[str]) -> set[str]:
    paths = {name: Path(folder, name) for name in names}
    special = {name for name, path in paths.items() if not (path.is_symlink() or path.is_file() or path.is_dir())}
    return special | ({".git"} & paths.keys())
