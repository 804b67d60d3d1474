import json

import pytest

from suffice.evals.replay_main import main

POOL = {"mine": {"table": "t"}}


@pytest.fixture
def folders(tmp_path, table):
    for name, start, seed in (("train", 0, 1), ("test", 50, 2)):
        (tmp_path / name).mkdir()
        table(tmp_path / name, "t", 50, seed, models=3, start=start)
    (tmp_path / "pools.json").write_text(json.dumps(POOL))
    return tmp_path


def test_train_and_test_folders_give_rows_for_the_test_tasks(folders, capsys) -> None:
    out, plot = folders / "rows.jsonl", folders / "f.svg"
    argv = ["--train", str(folders / "train"), "--test", str(folders / "test"), "--pools", str(folders / "pools.json")]
    assert main([*argv, "--json", str(out), "--plot", str(plot)]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {r["n"] for r in rows} == {50} and {r["pool"] for r in rows} == {"mine"}
    assert {r["H"] for r in rows} == {0.6, 3.0, 10.0, 40.0, "iso"}
    assert plot.read_text().startswith("<svg")
    said = capsys.readouterr().out
    assert "mine: 100 tasks" in said
    assert "success predictions" in said
    assert all(0 < r["brier"] < 1 and 0 <= r["ece"] < 1 for r in rows if r["policy"] == "ours")
    assert main([*argv, "--policies", "ours-tree,best-single", "--json", str(out)]) == 0
    few = [json.loads(line) for line in out.read_text().splitlines()]
    whole = {(r["policy"], r["verifier"], r["errors"], r["H"]): r["accuracy"] for r in rows}
    assert all(
        r["accuracy"] == whole[r["policy"], r["verifier"], r["errors"], r["H"]]
        for r in few
        if r["policy"] != "ours-tree"
    )
    assert not any(r["policy"] == "ours-tree" for r in rows)
    assert {r["policy"] for r in few} == {"ours-tree", "best-single"}


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        ([], "no folder named"), (["--data", "/nonexistent"], "no such folder"), (["--data", "."], "no such file"),
        (["--data", ".", "--only", "zz"], "unknown pool"), (["--data", ".", "--policies", "theirs"], "unknown policy"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_exit_code_3(argv, word: str, capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 3
    assert word in capsys.readouterr().err


def test_pools_without_their_table_are_left_out_unless_they_were_named(tmp_path, table, capsys) -> None:
    table(tmp_path, "swebench_verified_mini", 40, 1, models=3)
    argv = ["--data", str(tmp_path), "--splits", "1", "--policies", "best-single"]
    assert main(argv) == 0
    said = capsys.readouterr().out
    assert "9real-swev: left out" in said and "mini-25: 40 tasks" in said
    assert main([*argv, "--only", "9real-swev"]) == 3
    assert "no such file" in capsys.readouterr().err


def test_ours_runs_on_the_fewest_tasks_that_are_allowed_and_fewer_are_refused(tmp_path, table, capsys) -> None:
    for name, n in (("train", 16), ("less", 15), ("test", 1)):
        (tmp_path / name).mkdir()
        table(tmp_path / name, "t", n, 3, models=3, start=100 * len(name))
    (tmp_path / "pools.json").write_text(json.dumps(POOL))
    argv = ["--test", str(tmp_path / "test"), "--pools", str(tmp_path / "pools.json"), "--policies", "ours"]
    assert main([*argv, "--train", str(tmp_path / "train")]) == 0
    assert main([*argv, "--train", str(tmp_path / "less")]) == 3
    assert "15 tasks to train on" in capsys.readouterr().err
