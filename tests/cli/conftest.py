"""A working folder and environment of the test's own for every command."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import pytest

from suffice.cli.main import main


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty working folder that is also HOME, without any of this machine's settings and keys."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith(("SUFFICE_", "XDG_")) or n.endswith(("_API_KEY", "_TOKEN"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SUFFICE_STORAGE", str(tmp_path / "store"))
    return tmp_path


@pytest.fixture
def run(home, capsys):
    """A function that runs a command and returns (exit code, standard output, standard error)."""

    def call(*argv: str):
        code = main(list(argv))
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


@pytest.fixture
def run_json(run):
    """The same with --json: returns (exit code, the document)."""

    def call(*argv: str):
        code, out, _ = run(*argv, "--json")
        return code, json.loads(out)

    return call


@pytest.fixture
def store(home):
    """The storage folder with a small, real ledger in it (ledger_seed.py)."""
    spec = importlib.util.spec_from_file_location("ledger_seed", Path(__file__).with_name("ledger_seed.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.seed(home / "store")
    return home / "store"
