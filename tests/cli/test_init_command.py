import json
import os

import pytest

from suffice.catalog.load import load
from suffice.cli import init_command, provider_keys
from suffice.cli.main import main
from suffice.config.discover import ServedModel


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = {n for names in provider_keys.provider_env(load()).values() for n in names}
    for name in [n for n in os.environ if n.startswith("SUFFICE_") or n in known]:
        monkeypatch.delenv(name)

    async def nobody(port):
        return None

    monkeypatch.setattr(init_command, "probe", nobody)
    return tmp_path


def test_init_then_check(folder, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    assert main(["init"]) == 0
    text = (folder / "suffice.toml").read_text()
    out, err = capsys.readouterr()
    assert "canary" not in text + out + err and '"${OPENAI_API_KEY}"' in text
    assert main(["check"]) == 0
    assert "1 endpoints, 0 warnings" in capsys.readouterr().out


def test_an_existing_file_is_left_alone(folder, capsys):
    (folder / "suffice.toml").write_text("mine")
    assert main(["init"]) == 3
    assert "--force" in capsys.readouterr().err
    assert (folder / "suffice.toml").read_text() == "mine"
    assert main(["init", "--force"]) == 0
    assert "version = 1" in (folder / "suffice.toml").read_text()


def test_local_servers_and_json(folder, capsys, monkeypatch):
    async def ollama(port):
        return (ServedModel(id="m:1b", owned_by="library"),) if port == 11434 else None

    monkeypatch.setattr(init_command, "probe", ollama)
    assert main(["init", "--json", "--config", "sub/x.toml"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["endpoints"][0]["models"] == ["m:1b"]
    assert (folder / "sub" / "x.toml").exists()


def test_nothing_found_and_stdout(folder, capsys):
    assert main(["init", "--stdout"]) == 0
    assert "version = 1" in capsys.readouterr().out
    assert not (folder / "suffice.toml").exists()
    assert main(["init"]) == 0
    assert "no provider key" in capsys.readouterr().out
