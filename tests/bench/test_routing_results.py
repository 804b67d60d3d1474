import json

import pytest
from bench.routing.results import Rows, main, written


def row(policy: str, h: object, j: float, **more: object) -> dict[str, object]:
    return {
        "pool": "9real-swev", "policy": policy, "verifier": "perfect", "errors": "independent", "H": h, "j_usd": j,
        "j_usd_ci95": [j, j], "accuracy_minus_best_single_pp": 1.25, "accuracy_minus_best_single_pp_ci95": [-1.0, 3.0],
        "cost_vs_best_single": -0.8, "cost_vs_best_single_ci95": [-0.9, -0.7], **more,
    }  # fmt: skip


LINES = [json.dumps(row(policy, "iso", 1.0)) for policy in ("ours", "fixed-cascade", "oracle")]


def test_marked_tables_are_written_and_what_stands_around_them_is_kept(tmp_path) -> None:
    page, rows = tmp_path / "page.md", tmp_path / "rows.jsonl"
    page.write_text("By hand.\n<!-- rows: goals -->\nold\n<!-- end -->\nMore.\n")
    rows.write_text("\n".join(LINES))
    assert main([str(rows), "--page", str(page), "--check"]) == 1
    assert main([str(rows), "--page", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("By hand.\n<!-- rows: goals -->\n| row |") and text.endswith("<!-- end -->\nMore.\n")
    assert "| 9real-swev, perfect | ≥ -1.1 | +1.2 | -78 % | -82 % | -80.0 % | bar |" in text and "old" not in text
    assert main([str(rows), "--page", str(page), "--check"]) == 0


def test_a_table_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="no table 'nonsense'"):
        written("<!-- rows: nonsense -->\n<!-- end -->", Rows(LINES))


def test_the_page_in_the_repository_has_every_table() -> None:
    from bench.routing.results import PAGE, TABLES

    page = PAGE.read_text(encoding="utf-8")
    assert all(f"<!-- rows: {name} -->" in page for name in TABLES)
