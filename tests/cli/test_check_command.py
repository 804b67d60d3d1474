import json
import os
import subprocess
import sys

import pytest

from suffice.cli.main import main

GOOD = 'version = 1\n[endpoints.a]\nprovider = "openai"\napi_key = "${KEY}"\n'


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in [n for n in os.environ if n.startswith("SUFFICE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KEY", "sk-canary-0123456789")
    return tmp_path


def test_a_good_file(folder, capsys):
    (folder / "suffice.toml").write_text(GOOD)
    assert main(["check"]) == 0
    assert "ok, 1 endpoints, 0 warnings" in capsys.readouterr().out


def test_every_problem_of_a_bad_file_at_once_in_a_real_process(folder):
    (folder / "other.toml").write_text(GOOD + 'modles = []\n[server]\nport = "x"\n')
    done = subprocess.run(
        [sys.executable, "-m", "suffice.cli.main", "check", "--config", "other.toml"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 3 and done.stdout == ""
    assert "other.toml:5:1: unknown key `modles`" in done.stderr
    assert "did you mean 'models'?" in done.stderr
    assert "other.toml:7:8: `server.port` must be a whole number" in done.stderr
    assert "Traceback" not in done.stderr


def test_names_are_checked_against_the_catalogue(folder, capsys):
    (folder / "suffice.toml").write_text(
        GOOD.replace("openai", "opneai") + '[routing]\nreference_model = "openai/no-such"\n'
    )
    assert main(["check"]) == 3
    err = capsys.readouterr().err
    assert "suffice.toml:3:12: unknown provider 'opneai'" in err and "did you mean 'openai'" in err
    assert "suffice.toml:6:19: unknown model" in err


def test_problems_as_json(folder, capsys):
    (folder / "suffice.toml").write_text("version = 1\nprot = 1\n")
    assert main(["check", "--json"]) == 3
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert not found["ok"] and found["problems"][0]["line"] == 2 and err == ""


def test_print_shows_what_is_in_effect_and_no_secret(folder, capsys, monkeypatch):
    (folder / "suffice.toml").write_text(GOOD + '[endpoints.b]\nprovider = "openai"\napi_key = "plain-canary-text"\n')
    monkeypatch.setenv("SUFFICE_PORT", "4100")
    assert main(["check", "--print"]) == 0
    out, err = capsys.readouterr()
    assert "port = 4100" in out and 'api_key = "${KEY}"' in out and 'api_key = "***"' in out
    assert "plain text" in err
    assert "canary" not in out + err
    assert main(["check", "--print", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "canary" not in out and json.loads(out)["problems"][0]["severity"] == "warning"


def test_no_file_and_a_missing_one(folder, capsys):
    assert main(["check"]) == 0
    assert "suffice init" in capsys.readouterr().out
    assert main(["check", "--config", "no.toml"]) == 3
    assert "does not exist" in capsys.readouterr().err


def test_schema(capsys):
    assert main(["check", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "suffice.toml"
