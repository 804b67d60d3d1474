import argparse
import io as io_module
from pathlib import Path

import pytest

from suffice.cli.command import Io
from suffice.cli.local_demonstration import chosen_models
from suffice.cli.terminal import Terminal
from suffice.errors import ConfigError
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
