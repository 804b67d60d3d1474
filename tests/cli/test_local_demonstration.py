import argparse
import io as io_module
import json
from pathlib import Path

import pytest

from suffice.cli.command import Io
from suffice.cli.local_demonstration import chosen_models, keep_answers
from suffice.cli.terminal import Terminal
from suffice.errors import ConfigError
from suffice.testing.demo import Answered, PolicyResult
from suffice.values.system_env import SystemEnv


def io(folder: Path) -> Io:
    out = Terminal(io_module.StringIO(), io_module.StringIO(), {})
    return Io(out=out, env_vars={"XDG_CACHE_HOME": str(folder)}, env=SystemEnv(), working=folder)


def test_own_files_need_no_download(tmp_path: Path):
    (tmp_path / "a.gguf").write_bytes(b"x")
    args = argparse.Namespace(gguf=[str(tmp_path / "a.gguf")], anonymous_weights=False)
    assert [m.name for m in chosen_models(args, io(tmp_path))] == ["a"]


def test_away_from_a_clone_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="locks"):
        chosen_models(argparse.Namespace(gguf=[], anonymous_weights=False), io(tmp_path))


def test_answers_are_kept_for_the_bench(tmp_path: Path):
    common = {"accepted": True, "cost_usd": None, "attempts": 1, "model": "p/m"}
    answers = (
        Answered(task="t/1", text="```python\nx = 'é'\n```", finish_reason="stop", **common),
        Answered(task="t/2", failed="502", **common),
    )
    file = tmp_path / "a.jsonl"
    for _ in range(2):
        keep_answers(file, PolicyResult(policy="p/m", answers=answers))
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert rows == [{"model": "p/m", "task": "t/1", "finish_reason": "stop", "text": "```python\nx = 'é'\n```"}] * 2
