from __future__ import annotations

from pathlib import Path

import pytest

from suffice.testing.journal import Billed, Journal, read_journal


def row(n: int) -> Billed:
    return Billed(id=f"r{n}", index=n, caller_id="", model="m", prompt_tokens=3)


def test_open_rows_are_on_disk_before_they_are_closed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    first = journal.open(row(1))
    second = journal.open(row(2))
    second.completion_tokens = 7
    journal.close(second)
    journal.close(second)
    assert (tmp_path / "j").read_bytes().count(b"\n") == 3
    assert read_journal(tmp_path / "j") == [first, second]
    assert [r.closed for r in read_journal(tmp_path / "j")] == [False, True]
    journal.stop()
    journal.stop()


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.open(row(1))
    journal.stop()
    with (tmp_path / "j").open("ab") as file:
        file.write(b'{"id":"r2","ind')
    assert [r.id for r in read_journal(tmp_path / "j")] == ["r1"]


def test_nothing_is_billed_twice() -> None:
    journal = Journal()
    journal.open(row(1))
    with pytest.raises(ValueError, match="billed already"):
        journal.open(row(1))


def test_no_file_no_rows(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "absent") == []
