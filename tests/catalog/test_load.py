import json
from pathlib import Path

import pytest

from suffice.catalog.load import BUNDLED, load, read
from suffice.errors import StorageError


def test_the_bundled_file_is_sorted_dated_and_one_row_a_line() -> None:
    document, lines = read(), BUNDLED.read_text().splitlines()
    assert [m.id for m in document.models] == sorted({m.id for m in document.models})
    assert [p.id for p in document.providers] == sorted(p.id for p in document.providers)
    assert document.version.startswith(document.as_of + "+") and set(document.inputs) == {
        "genai-prices",
        "model-prices",
    }
    rows = [line for line in lines if '"canonical"' in line]
    assert len(rows) == len(document.models)
    for line in rows[:50]:
        row = json.loads(line.rstrip(","))
        assert list(row) == sorted(row)
    assert "." not in "".join(str(v) for m in document.models for e in m.prices for v in (e.card.input, e.card.output))


def test_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    with pytest.raises(StorageError, match="cannot be read"):
        load(path)
    path.write_bytes(BUNDLED.read_bytes()[:5000])
    with pytest.raises(StorageError, match="damaged"):
        load(path)
    path.write_bytes(BUNDLED.read_bytes().replace(b'"schema":1', b'"schema":9', 1))
    with pytest.raises(StorageError, match="schema 9"):
        load(path)


def test_the_conflict_report_belongs_to_this_table() -> None:
    report = Path(__file__).parents[2] / "docs" / "reference" / "catalog-conflicts.md"
    text = report.read_text()
    assert f"{len(read().models)} models" in text and read().as_of in text and "## conflict" in text


def test_the_newer_of_two_tables_is_taken(tmp_path):
    from suffice.catalog.load import BUNDLED, newest, read

    here = read()
    for as_of, taken in [("2000-01-01", here.version), ("9999-01-01", "other")]:
        path = tmp_path / as_of
        text = BUNDLED.read_text()
        path.write_text(_dated(text, as_of))
        assert newest(path).version == taken
    assert newest(tmp_path / "none").version == here.version


def _dated(text, as_of):
    import json

    return json.dumps({**json.loads(text), "as_of": as_of, "version": "other"})
