"""Groups in a folder that looks like version 1, and where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from suffice.sandbox.cgroup import Cgroup
from suffice.sandbox.limits import Limits


def test_without_groups_there_is_none(tmp_path: Path) -> None:
    assert Cgroup.create(Limits(), tmp_path) is None


def test_version_1_limits_are_written(tmp_path: Path) -> None:
    for name in ("memory", "pids"):
        (tmp_path / name).mkdir()
    group = Cgroup.create(Limits(memory_bytes=12345, processes=10), tmp_path)
    assert group is not None
    assert (group.memory / "memory.limit_in_bytes").read_text() == "12345"
    assert (group.pids / "pids.max").read_text() == "14"
    assert not group.killed()
    (group.memory / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
    assert group.killed()


def test_version_2_needs_delegation(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("memory pids")
    (tmp_path / "cgroup.subtree_control").write_text("")
    assert Cgroup.create(Limits(), tmp_path) is None


def test_version_2_limits_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suffice.sandbox.cgroup._own_group", lambda root: root)
    (tmp_path / "cgroup.controllers").write_text("memory pids")
    (tmp_path / "cgroup.subtree_control").write_text("memory pids")
    group = Cgroup.create(Limits(memory_bytes=99), tmp_path)
    assert group is not None
    assert group.memory == group.pids
    assert (group.memory / "memory.max").read_text() == "99"
    (group.memory / "memory.events").write_text("low 0\noom_kill 2\n")
    assert group.killed()
