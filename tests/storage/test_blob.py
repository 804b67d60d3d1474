import stat

import pytest

from suffice.errors import StorageError
from suffice.storage import blob


def test_replaced_whole_and_private(tmp_path):
    path = tmp_path / "beliefs.bin"
    assert blob.read(path) is None
    blob.replace(path, b"one")
    blob.replace(path, b"two")
    assert blob.read(path) == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["beliefs.bin"]


def test_what_is_unusable_is_kept(tmp_path):
    path = tmp_path / "beliefs.bin"
    blob.replace(path, b"damaged")
    assert blob.set_aside(path).read_bytes() == b"damaged"
    assert blob.read(path) is None


def test_problems_are_told(tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        blob.replace(tmp_path / "missing" / "x", b"")
    with pytest.raises(StorageError, match="cannot be read"):
        blob.read(tmp_path)
