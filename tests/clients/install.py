"""Install the pinned clients below `.clients/`: `python -m tests.clients.install [NAME...]`.

A folder of `locks/` with a package-lock.json is installed by npm, a .txt file by pip with its hashes checked. No install script of a
package runs. What cannot be installed is written down with its reason and does not stop the others. Nothing outside `.clients/` is touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LOCKS = Path(__file__).with_name("locks")
ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".clients"
LIMIT_S = 900
_QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
_NO_NETWORK = re.compile(r"ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|Could not find a version|Connection")


def names() -> list[str]:
    """Return every package set that has a lock."""
    npm = [path.parent.name for path in LOCKS.glob("*/package-lock.json")]
    return sorted([*npm, *(path.stem for path in LOCKS.glob("*.txt"))])


def lock_of(name: str) -> Path:
    """Return the lock file of a package set."""
    file = LOCKS / f"{name}.txt"
    return file if file.exists() else LOCKS / name / "package-lock.json"


def folder_of(name: str) -> Path:
    """Return the folder in which a package set lies once it is installed."""
    return PLACE / ("pip" if lock_of(name).suffix == ".txt" else "npm") / name


def bins_of(name: str) -> list[Path]:
    """Return the folders of a package set's programs, binaries of this system first: no install script put them in place."""
    folder = folder_of(name)
    if lock_of(name).suffix == ".txt":
        return [folder / "bin"]
    ours = [*folder.glob("node_modules/*-linux-*/bin"), *folder.glob("node_modules/@*/*-linux-*")]
    return [*sorted(ours), folder / "node_modules" / ".bin"]


def missing(name: str) -> str:
    """Return why a package set is not there, "" when it is there as locked."""
    stamp = folder_of(name) / "installed.json"
    if not stamp.exists():
        return "not installed"
    told = json.loads(stamp.read_text())
    if told["lock"] != _digest(name):
        return "installed from another lock"
    return str(told["reason"])


def _enough(name: str) -> bool:
    """Tell whether this machine has what a package set is for: a Node of 22 or later."""
    if name != "node" or shutil.which("node") is None:
        return False
    told = subprocess.run(("node", "--version"), capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", told)
    return found is not None and int(found[1]) >= 22


def install(name: str) -> str:
    """Install one package set unless it is there; return why it could not be, "" when it could."""
    if _enough(name):
        return ""
    with _alone(name):
        if not missing(name):
            return ""
        folder = folder_of(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        reason = _pip(name, folder) if lock_of(name).suffix == ".txt" else _npm(name, folder)
        (folder / "installed.json").write_text(json.dumps({"lock": _digest(name), "reason": reason}))
        return reason


def unreachable(reason: str) -> bool:
    """Tell whether an install failed because no registry could be reached."""
    return bool(_NO_NETWORK.search(reason))


def _npm(name: str, folder: Path) -> str:
    if shutil.which("npm") is None:
        return "npm is not installed"
    for file in ("package.json", "package-lock.json"):
        shutil.copy(LOCKS / name / file, folder)
    reason = _run(("npm", "ci", *_QUIET), folder)
    # A lock that was made where a registry lacks the binaries of other systems does not name them, which `ci` refuses. `install`
    # keeps to the versions and digests of the lock and leaves the others out, since their systems do not match.
    return _run(("npm", "install", *_QUIET), folder) if "EUSAGE" in reason else reason


def _pip(name: str, folder: Path) -> str:
    python = _python(name)
    if not python:
        return "needs a Python that is not here"
    shutil.rmtree(folder)
    reason = _run((python, "-m", "venv", str(folder)), PLACE)
    # A lock names everything; some versions of pip take what an extra asks for as not pinned.
    pip = (str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", "--require-hashes", "--no-deps")
    return reason or _run((*pip, "--only-binary", ":all:", "-r", str(lock_of(name))), PLACE)


def _python(name: str) -> str:
    """Return the Python that a lock asks for in its .in file (`# python 3.12`), else ours."""
    asked = re.search(r"^# python 3\.(\d+)", (LOCKS / f"{name}.in").read_text(), re.M)
    if asked is None or sys.version_info.minor >= int(asked[1]):
        return sys.executable
    minors = range(int(asked[1]), 20)
    found = [shutil.which(f"python3.{minor}") for minor in minors]
    if shutil.which("pyenv"):  # Its stand-ins on PATH work for the version that is switched on only.
        found += [f"{_answer('pyenv', 'prefix', f'3.{minor}')}/bin/python" for minor in minors]
    return next((path for path in found if path and _works(path)), "")


def _works(python: str) -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run((python, "-c", "import venv"), capture_output=True, check=False).returncode == 0
    return False


def _answer(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _run(command: tuple[str, ...], folder: Path) -> str:
    # Our own environment's variables would lead pip and python astray.
    env = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")}
    try:
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"not done within {LIMIT_S} s"
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).strip().splitlines()
    lines = [line for line in lines if "complete log" not in line and not line.startswith("WARNING")]
    return " ".join(" ".join(lines[:4]).split())[:300] or f"exit code {done.returncode}"


def _digest(name: str) -> str:
    return hashlib.sha256(lock_of(name).read_bytes()).hexdigest()


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Let one process at a time install a package set."""
    PLACE.mkdir(exist_ok=True)
    with (PLACE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(argv: list[str]) -> int:
    """Install what is named, or everything; return 0 also when something could not be: the tests report that."""
    for name in argv or names():
        reason = install(name)
        print(f"{name:16} {reason or 'ok'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
