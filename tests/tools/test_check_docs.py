from pathlib import Path

from tools.check_docs import broken_links, repeated_decisions


def test_a_decision_has_a_number_of_its_own_and_says_it(tmp_path: Path):
    folder = tmp_path / "docs" / "decisions"
    folder.mkdir(parents=True)
    (folder / "001-a.md").write_text("# 001: A\n")
    assert repeated_decisions(tmp_path) == []
    (folder / "001-b.md").write_text("# B\n")
    assert repeated_decisions(tmp_path) == [
        "docs/decisions/001-b.md has the number of 001-a.md",
        "docs/decisions/001-b.md must begin with `# 001: `",
    ]


def test_links_lead_somewhere(tmp_path: Path):
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "a.md"
    page.write_text("[a](a.md#part) [web](https://example.org/x) [here](#part) [up](../README.md)")
    assert broken_links(tmp_path) == ["docs/a.md links to ../README.md, which is not there"]
    (tmp_path / "README.md").write_text("[docs](docs/a.md)")
    assert broken_links(tmp_path) == []
