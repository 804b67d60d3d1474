"""The second tier's own bounds (what both tiers must refuse is in test_self_test.py and test_probes.py)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from suffice.sandbox import landlock

SCRIPT = """
import os, sys
from suffice.sandbox import landlock
box = sys.argv[1]
landlock.confine(readable=[sys.prefix, sys.base_prefix], writable=[box], own_uid=False)
for what in ("/etc/hostname", "/proc/self/status", "/tmp"):
    try: os.listdir(what) if what == "/tmp" else open(what)
    except PermissionError: continue
    print("open", what)
for call in (lambda: os.chmod(box, 0o777), lambda: os.kill(os.getppid(), 0), lambda: __import__("socket").socket()):
    try: call()
    except PermissionError: continue
    print("allowed", call.__code__.co_names)
open(box + "/f", "w").write("x"); os.rename(box + "/f", box + "/g"); print(os.listdir(box))
"""


@pytest.mark.skipif(landlock.abi() < 6, reason="this kernel's Landlock does not bound signals")
def test_confined_with_our_own_uid(tmp_path: object) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "['g']\n", done.stderr


def test_our_threads_are_counted() -> None:
    assert landlock.threads_of(os.getuid()) >= 1
    assert landlock.threads_of(4_000_000_001) == 0
