"""Puts the suites where they can run: pinned and hash-checked, in a folder of the project that git ignores.

None of the suites' code is part of the repository. What cannot be had here is named by `Absent`, never passed over in silence.
Invariant: the system and the project's own environment stay as they are.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "conformance.txt"
NODE_LOCK = Path(__file__).with_name("node")
SDKS = ("openai", "anthropic")
# The suite is in no package registry: a commit of its repository, and the tree that this commit must have.
OPEN_RESPONSES_URL = "https://github.com/openresponses/openresponses"
OPEN_RESPONSES_COMMIT = "92c12d96d7b61d6d15e2214daa5e9c6000ab6e1c"
OPEN_RESPONSES_TREES = {
    "bin": "cbf6332c61e51eb8fab8ed68ba6665e46cb92fd9",
    "src": "a97bf08e96f7162fd8df4e98424bb014b244a93a",
}
_INSTALL_S = 600


class Absent(Exception):
    """A suite cannot be had here; the text says why and how to get it."""


def run(argv: list[str], cwd: Path | None = None, timeout_s: float = _INSTALL_S) -> str:
    """Run a command of the installation; returns its output. Raises Absent with its last lines when it fails."""
    try:
        done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Absent(f"{argv[0]}: {error}") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise Absent(f"{Path(argv[0]).name} {argv[1] if len(argv) > 1 else ''} failed: {' '.join(last)}")
    return done.stdout


class Place:
    """The folder of the suites. `python` is the interpreter of their environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "venv" / "bin"
        self.python = self.bin / "python"

    def packages(self) -> None:
        """Install what comes from the Python registry, unless this very lock file is installed already."""
        stamp, wanted = self.folder / "venv" / ".lock", hashlib.sha256(LOCK.read_bytes()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        run([sys.executable, "-m", "venv", "--clear", str(self.folder / "venv")])
        run([str(self.python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(LOCK)])
        stamp.write_text(wanted)

    def version(self, name: str) -> str:
        """Return the pinned version of a package."""
        return locked(LOCK.read_text(), name).split("==")[1].split()[0]

    def sdk_tests(self, sdk: str) -> Path:
        """Return the unpacked source distribution of an SDK, which carries the SDK's own tests."""
        entry, version = locked(LOCK.read_text(), sdk), self.version(sdk)
        there = self.folder / "sources" / f"{sdk}-{version}"
        if (there / "tests").is_dir():
            return there
        there.parent.mkdir(parents=True, exist_ok=True)
        only = there.parent / f"{sdk}.txt"
        only.write_text(entry)
        pip = [str(self.python), "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        run([*pip, "--no-build-isolation", "--require-hashes", "-r", str(only), "-d", str(there.parent)])
        with tarfile.open(next(there.parent.glob(f"{sdk}-{version}.tar.gz"))) as archive:
            archive.extractall(there.parent, filter="data")
        return there

    def node(self) -> Path:
        """Install what comes from npm; returns the folder of the modules."""
        if shutil.which("npm") is None:
            raise Absent("npm is absent: install Node.js 20 or later")
        there = self.folder / "node"
        there.mkdir(parents=True, exist_ok=True)
        lock = (NODE_LOCK / "package-lock.json").read_text()
        if not (there / ".lock").exists() or (there / ".lock").read_text() != lock:
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(NODE_LOCK / name, there / name)
            run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], there)
            (there / ".lock").write_text(lock)
        return there / "node_modules"

    def bun(self) -> Path:
        """Return the program that runs the TypeScript suite: the binary of this platform, without install scripts."""
        found = sorted((self.node() / "@oven").glob("bun-*/bin/bun"))
        for path in found:
            if subprocess.run([str(path), "--version"], capture_output=True, check=False).returncode == 0:
                return path
        raise Absent("bun has no binary for this machine")

    def open_responses(self, source: str = "") -> Path:
        """Return the Open Responses suite. `source`: a git repository with the pinned commit, on disk or an address.

        Raises Absent when it cannot be fetched, or when what was fetched is not the pinned suite.
        """
        there = self.folder / "open-responses"
        if not (there / ".done").exists():
            shutil.rmtree(there, ignore_errors=True)
            git = there / "git"
            run(["git", "init", "-q", "--bare", str(git)])
            where = source or OPEN_RESPONSES_URL
            try:
                fetch = ["git", "-C", str(git), "fetch", "-q", "--depth", "1", where, OPEN_RESPONSES_COMMIT]
                run(fetch, timeout_s=120)
            except Absent as error:
                raise Absent(f"{error}; name a clone: make test-conformance OPEN_RESPONSES=folder") from None
            for name, wanted in OPEN_RESPONSES_TREES.items():
                found = run(["git", "-C", str(git), "rev-parse", f"{OPEN_RESPONSES_COMMIT}:{name}"]).strip()
                if found != wanted:
                    raise Absent(f"{where} holds another {name} than the pinned one")
            archive = there / "suite.tar"
            run(["git", "-C", str(git), "archive", "-o", str(archive), OPEN_RESPONSES_COMMIT, *OPEN_RESPONSES_TREES])
            with tarfile.open(archive) as packed:
                packed.extractall(there, filter="data")
            (there / ".done").touch()
        modules = there / "node_modules"
        if not modules.exists():
            modules.symlink_to(self.node())
        return there


def locked(text: str, name: str) -> str:
    """Return the entry of one package in a lock file, with all its hashes."""
    found = re.search(rf"^{re.escape(name)}==.*(?:\n +--hash=.*)*", text, re.MULTILINE)
    if found is None:
        raise Absent(f"{name} is not in {LOCK.name}")
    return found[0] + "\n"
