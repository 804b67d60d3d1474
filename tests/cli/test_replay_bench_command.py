import argparse
from types import SimpleNamespace

import pytest

from suffice.cli.replay_bench_command import configure
from suffice.cli.replay_bench_command import run as run_command
from suffice.errors import ConfigError


def test_its_json_option_replaces_the_shared_one_and_absent_data_is_told() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    configure(parser)
    args = parser.parse_args(["--data", "/nonexistent", "--json", "rows.jsonl", "--splits", "3"])
    assert args.json.name == "rows.jsonl" and args.splits == 3
    with pytest.raises(ConfigError, match="no such folder"):
        run_command(args, SimpleNamespace(out=SimpleNamespace(say=print)))


def test_rows_in_a_file_do_not_silence_the_table(run, tmp_path) -> None:
    code, out, err = run("replay-bench", "--data", str(tmp_path), "--json", str(tmp_path / "rows.jsonl"))
    assert code == 3 and "left out" in out and "no such file" in err
