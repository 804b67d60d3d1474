from pathlib import Path

import pytest

from suffice.cli.learned import restored
from suffice.decision import priors
from suffice.decision import state as beliefs
from suffice.decision.core import Core
from suffice.errors import StorageError


def test_what_was_kept_comes_back_and_nothing_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "beliefs.bin"
    assert restored(path) is None
    current = Core(priors.bundled(), None).holder.current
    path.write_bytes(beliefs.dumps(current))
    found = restored(path)
    assert found is not None
    assert beliefs.dumps(found) == beliefs.dumps(current)


def test_what_cannot_be_used_is_set_aside_and_what_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "beliefs.bin"
    path.write_bytes(b"damaged")
    assert restored(path) is None
    assert not path.exists()
    assert (tmp_path / "beliefs.bin.unusable").read_bytes() == b"damaged"
    path.mkdir()
    with pytest.raises(StorageError):
        restored(path)
