"""Files get into the prepared folder and nowhere else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from suffice.errors import SandboxError
from suffice.sandbox import stage

BAD = ("", "/etc/passwd", "../x", "a/../../x", "a\0b", ".git/config", "a/.GIT/hooks/x", ".", "./..")


@pytest.mark.parametrize("path", BAD)
def test_a_path_out_of_the_tree_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="may not be written"):
        stage.write_files(tmp_path, {"fine": b"", path: b"x"})
    assert not list(tmp_path.iterdir())


def test_files_are_written_with_their_folders(tmp_path: Path) -> None:
    stage.write_files(tmp_path, {"a/b/c.py": b"1", "run.sh": b"#!/bin/sh\n"})
    assert (tmp_path / "a/b/c.py").read_bytes() == b"1"
    assert stat.S_IMODE((tmp_path / "run.sh").stat().st_mode) == 0o755


def test_a_file_where_a_folder_should_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="a/b"):
        stage.write_files(tmp_path, {"a": b"", "a/b": b""})


def test_a_closed_parent_is_not_reachable(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not stage.reachable(inner, 65533)
    assert stage.reachable(inner, None)
    assert not stage.reachable(tmp_path / "missing", 65533)
    assert stage.reachable(Path("/usr/bin"), 65533)


def test_a_copy_keeps_links_and_leaves_devices_out(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "link").symlink_to("/etc/hostname")
    (source / "run").write_text("x")
    (source / "run").chmod(0o700)
    os.mkfifo(source / "pipe")
    stage.copy_tree(source, tmp_path / "copy")
    assert (tmp_path / "copy" / "link").readlink() == Path("/etc/hostname")
    assert stat.S_IMODE((tmp_path / "copy" / "run").stat().st_mode) == 0o755
    assert not (tmp_path / "copy" / "pipe").exists()


def test_a_stage_is_closed_to_others() -> None:
    root = stage.stage_root(None)
    made = stage.make_stage(str(root), None)
    try:
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
    finally:
        made.rmdir()
