import os
from pathlib import Path

import pytest

from suffice.errors import StorageError
from suffice.storage import place

MOUNTS = """22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 0:50 / /srv/share rw - nfs4 host:/x rw
31 22 0:51 / /srv/with\\040space rw - cifs //host/x rw
short
"""


def test_the_longest_mount_point_tells_the_file_system():
    assert place.file_system(Path("/srv/share/suffice"), MOUNTS) == "nfs4"
    assert place.file_system(Path("/srv/with space/x"), MOUNTS) == "cifs"
    assert place.file_system(Path("/srv/shared"), MOUNTS) == "ext4"
    assert place.file_system(Path("/x"), "") == ""


def test_a_network_file_system_is_refused(tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 2 0:1 / {tmp_path} rw - nfs4 host:/x rw\n")
    monkeypatch.setattr(place, "_MOUNTS", mounts)
    with pytest.raises(StorageError, match="network file system"):
        place.prepare(tmp_path / "s.db")


def test_files_are_for_their_owner_only(tmp_path):
    place.prepare(tmp_path / "new" / "s.db")
    assert (tmp_path / "new" / "s.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        place.prepare(tmp_path / "file" / "s.db")


def test_a_lock_is_held_once(tmp_path):
    fd = place.lock(tmp_path / "lock")
    with pytest.raises(StorageError, match="held by another"):
        place.lock(tmp_path / "lock")
    os.close(fd)
    os.close(place.lock(tmp_path / "lock"))


@pytest.mark.parametrize(("kind", "in_place"), [("ext4", True), ("xfs", True), ("btrfs", False), ("overlay", False)])
def test_only_known_file_systems_write_in_place(tmp_path, monkeypatch, kind, in_place):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 2 0:1 / {tmp_path} rw - {kind} dev rw\n")
    monkeypatch.setattr(place, "_MOUNTS", mounts)
    assert place.writes_in_place(tmp_path) is in_place
    monkeypatch.setattr(place, "_MOUNTS", tmp_path / "nothing")
    assert place.writes_in_place(tmp_path) is False
