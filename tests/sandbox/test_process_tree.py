"""Descendants are found, measured and ended; run in a child of its own, because it becomes a subreaper."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os, subprocess, sys, time
from suffice.sandbox import process_tree as tree
tree.become_subreaper()
shell = subprocess.Popen(["sh", "-c", "setsid sleep 100 & sleep 100 & echo up; wait"], stdout=subprocess.PIPE)
shell.stdout.readline()
while len(found := tree.descendants(os.getpid())) < 3:
    time.sleep(0.01)
assert found[0] == shell.pid, found
assert tree.resident_bytes(found) > tree.resident_bytes(found[:1]) > 0
shell.kill()
tree.end_all()
assert tree.descendants(os.getpid()) == []
assert tree.resident_bytes(found) == 0
print("done")
"""


def test_a_tree_with_orphans_is_ended() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, timeout=60, text=True)
    assert done.stdout == "done\n", done.stderr
