import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.cli import client_files
from suffice.cli.client_files import ChangedSinceError, ClientFiles
from suffice.errors import NotFoundError, StorageError

WANTED = '{"env": {"URL": "x"}}\n'


def apply(files, path, text=WANTED):
    changes, refusals = files.plan([(path, text)])
    assert not refusals
    return files.apply(changes)


@pytest.fixture
def files(tmp_path):
    return ClientFiles(tmp_path / "store" / "clients", "pi")


def everything(folder):
    return {
        str(p.relative_to(folder)): (stat.S_IMODE(p.stat().st_mode), p.read_bytes() if p.is_file() else None)
        for p in sorted(folder.rglob("*"))
    }


def test_a_new_file_and_its_folders_are_made_and_taken_away(files, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    path = home / ".pi" / "agent" / "models.json"
    assert apply(files, path) == [path] and path.read_text() == WANTED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and files.applied
    assert files.undo() == [path]
    assert not any(home.iterdir()) and not files.applied


def test_a_folder_that_somebody_uses_meanwhile_stays(files, tmp_path):
    path = tmp_path / ".pi" / "models.json"
    apply(files, path)
    (path.parent / "sessions").mkdir()
    files.undo()
    assert (path.parent / "sessions").is_dir() and not path.exists()


@settings(max_examples=60, deadline=None)
@given(
    before=st.one_of(
        st.binary(max_size=80),
        st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4)).map(lambda d: repr(d).encode()),
        st.sampled_from([b"{}", b'{ "a" :1}', b'\r\n{"env":{"URL":"old"}}', b"[a]\nb = 1", b"a = 1\r\n"]),
    ),
    suffix=st.sampled_from([".json", ".toml", ".yaml", ".sh"]),
    mode=st.sampled_from([0o600, 0o644, 0o444, 0o755]),
)
def test_undo_restores_bytes_and_mode_and_a_refusal_changes_nothing(before, suffix, mode):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        path = home / f"settings{suffix}"
        path.write_bytes(before)
        path.chmod(mode)
        was = everything(home)
        files = ClientFiles(Path(folder) / "store", "pi")
        text = '[env]\nURL = "x"\n' if suffix == ".toml" else WANTED
        changes, refusals = files.plan([(path, text)])
        assert everything(home) == was
        if not refusals:
            files.apply(changes)
            assert b"URL" in path.read_bytes() and not stat.S_IMODE(path.stat().st_mode) & 0o077
            # A second time, with something else, must not forget what was there first.
            files.apply(files.plan([(path, text.replace("x", "y"))])[0])
            files.undo()
        assert everything(home) == was


def test_a_link_stays_a_link(files, tmp_path):
    real, link = tmp_path / "dotfiles.json", tmp_path / "settings.json"
    real.write_bytes(b"{}")
    link.symlink_to(real)
    assert apply(files, link) == [real] and link.is_symlink() and b"URL" in real.read_bytes()
    files.undo()
    assert link.is_symlink() and real.read_bytes() == b"{}"


def test_work_done_since_is_not_overwritten_and_kept_when_forced(files, tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(b"{}")
    apply(files, path)
    path.write_bytes(b'{"mine": 1}')
    with pytest.raises(ChangedSinceError) as told:
        files.undo()
    assert "--force" in told.value.hint and path.read_bytes() == b'{"mine": 1}'
    with pytest.raises(ChangedSinceError):
        files.plan([(path, WANTED)])
    files.undo(force=True)
    assert path.read_bytes() == b"{}"
    (kept,) = (tmp_path / "store" / "clients" / "kept").iterdir()
    assert kept.read_bytes() == b'{"mine": 1}'


def test_one_changed_file_keeps_all_of_them_as_they_are(files, tmp_path):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    files.apply(files.plan([(p, WANTED) for p in paths])[0])
    paths[1].write_text("mine")
    with pytest.raises(ChangedSinceError):
        files.undo()
    assert paths[0].read_text() == WANTED and files.applied


def test_a_file_that_is_gone_is_restored(files, tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(b'{"a": 1}')
    apply(files, path)
    path.unlink()
    files.undo()
    assert path.read_bytes() == b'{"a": 1}'


def test_an_interrupted_apply_can_be_undone(files, tmp_path, monkeypatch):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    paths[0].write_bytes(b"{}")
    changes, _ = files.plan([(p, WANTED) for p in paths])
    whole = client_files._replace

    def fail_at_second(path, data, mode):
        if path == paths[1]:
            raise OSError("disk full")
        whole(path, data, mode)

    monkeypatch.setattr(client_files, "_replace", fail_at_second)
    with pytest.raises(OSError, match="disk full"):
        files.apply(changes)
    monkeypatch.setattr(client_files, "_replace", whole)
    assert paths[0].read_bytes() != b"{}"
    files.undo()
    assert paths[0].read_bytes() == b"{}" and not paths[1].exists()


def test_what_is_no_file_or_too_large_is_refused(files, tmp_path):
    (tmp_path / "a.json").mkdir()
    (tmp_path / "b.json").write_bytes(b" " * (4 * 1024 * 1024 + 1))
    _, refusals = files.plan([(tmp_path / "a.json", WANTED), (tmp_path / "b.json", WANTED)])
    assert [r.reason for r in refusals] == ["it is not a file", "it is larger than 4 MiB"]
    assert refusals[0].text == WANTED


def test_a_folder_in_place_of_the_file_stops_undo(files, tmp_path):
    path = tmp_path / "a.json"
    apply(files, path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ChangedSinceError):
        files.undo(force=True)
    assert path.is_dir() and files.applied


def test_nothing_to_undo_and_a_damaged_record_are_told(files, tmp_path):
    with pytest.raises(NotFoundError, match="nothing to undo"):
        files.undo()
    apply(files, tmp_path / "a.json")
    (tmp_path / "store" / "clients" / "pi" / "manifest.json").write_text("{")
    with pytest.raises(StorageError, match="damaged"):
        files.undo()
