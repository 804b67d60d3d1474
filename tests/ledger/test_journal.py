import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import LedgerError
from suffice.ledger.journal import Journal, dead_boots, frames
from suffice.storage import place


def kept(root):
    found = dead_boots(root)
    out = [payload for dead in found for payload in dead.payloads()]
    for dead in found:
        dead.close(remove=False)
    return out


def test_what_was_appended_is_found_after_death_in_order(tmp_path):
    journal = Journal(tmp_path, "boot", segment_bytes=256, ballast_bytes=0)
    payloads = [str(n).encode() * 9 for n in range(40)]
    for payload in payloads:
        journal.append(payload)
    assert dead_boots(tmp_path) == []  # it lives
    journal.close(remove=False)
    assert kept(tmp_path) == payloads and journal.segment > 1


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=6), st.integers(0, 400), st.binary(max_size=9))
def test_a_torn_tail_costs_only_what_was_torn(tmp_path_factory, payloads, cut, junk):
    root = tmp_path_factory.mktemp("j")
    journal = Journal(root, "boot", segment_bytes=4096)
    for payload in payloads:
        journal.append(payload)
    end = journal._at
    journal.close(remove=False)
    data = bytearray((root / "boot" / "000000001.seg").read_bytes())
    cut = min(cut, end)
    data[cut:] = junk
    got = list(frames(bytes(data)))
    assert got[: len(payloads)] == payloads[: len(got)]
    whole = 0
    for number, payload in enumerate(payloads):
        whole += 8 + len(payload)
        if whole <= cut:
            assert got[number] == payload


def test_segments_go_when_the_store_has_them(tmp_path):
    journal = Journal(tmp_path, "boot", segment_bytes=128, ballast_bytes=0)
    for _ in range(10):
        journal.append(b"x" * 50)
    journal.sync()
    journal.drop_before(journal.segment)
    assert [p.stem for p in (tmp_path / "boot").glob("*.seg")] == [f"{journal.segment:09d}"]
    assert not journal._full
    journal.close(remove=True)
    assert not (tmp_path / "boot").exists()


def test_without_room_only_what_closes_is_taken(tmp_path, monkeypatch):
    journal = Journal(tmp_path, "boot", segment_bytes=512, ballast_bytes=256)

    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(LedgerError, match="No space left"):
        for _ in range(99):
            journal.append(b"r" * 20)
    for _ in range(9):
        journal.append(b"s" * 20, closing=True)
    with pytest.raises(LedgerError):
        for _ in range(99):
            journal.append(b"s" * 20, closing=True)
    monkeypatch.undo()
    journal.append(b"again")
    journal.close(remove=False)
    assert kept(tmp_path)[-1] == b"again"


def test_a_place_that_cannot_be_written_and_an_entry_too_large_are_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be written"):
        Journal(tmp_path / "file", "boot")
    journal = Journal(tmp_path, "boot", segment_bytes=128, ballast_bytes=0)
    with pytest.raises(LedgerError, match="larger"):
        journal.append(b"x" * 200)
    journal.close(remove=True)


@pytest.mark.parametrize("mapped", [True, False])
def test_mapped_and_written_segments_read_alike_and_are_there_before_any_sync(tmp_path, monkeypatch, mapped):
    monkeypatch.setattr(place, "writes_in_place", lambda folder: mapped)
    journal = Journal(tmp_path, "boot", segment_bytes=256, ballast_bytes=0)
    payloads = [bytes([65 + n]) * (n + 1) for n in range(26)]
    for n, payload in enumerate(payloads):
        journal.append(payload)
        segments = sorted((tmp_path / "boot").glob("*.seg"))
        assert [p for path in segments for p in frames(path.read_bytes())] == payloads[: n + 1]
    journal.sync()
    journal.close(remove=False)
    assert kept(tmp_path) == payloads
