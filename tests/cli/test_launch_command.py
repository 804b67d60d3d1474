"""Real processes: a fake client that tells its arguments, its variables and the files that they name."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from suffice.cli.clients import table

FAKE = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path
told = {{"argv": sys.argv, "env": dict(os.environ), "files": {{}}}}
for word in [*sys.argv, *os.environ.values()]:
    for part in word.split():
        if "/launch/" in part:
            path = Path(part)
            for one in (sorted(path.iterdir()) if path.is_dir() else [path]):
                told["files"][one.name] = one.read_text()
                told["folder"] = str(one.parent)
                told["mode"] = one.parent.stat().st_mode & 0o777
with open(os.environ["TELL"], "a") as out:
    out.write(json.dumps(told) + "\\n")
sys.exit(int(os.environ.get("CODE", "0")))
"""
LAUNCHED = [client for client in table.CLIENTS if client.launch is not None]


@pytest.fixture
def told(home, monkeypatch):
    """Put a fake of every client on PATH; returns a function that reads what they told."""
    folder = home / "bin"
    folder.mkdir()
    for name in {client.executable or "program" for client in LAUNCHED}:
        (folder / name).write_text(FAKE)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("TELL", str(home / "told"))
    return lambda: [json.loads(line) for line in (home / "told").read_text().splitlines()]


@pytest.mark.parametrize("client", LAUNCHED, ids=lambda c: c.name)
def test_every_client_is_run_wired_and_leaves_nothing(run, told, home, client, monkeypatch):
    monkeypatch.setenv("CODE", "0")
    program = [] if client.executable else ["program"]
    words = ["--json", "-p", "it's {folder}", "--"]
    assert run("launch", client.name, "--key", "sk-k1", "--model", "M", "--", *program, *words) == (0, "", "")
    last = told()[-1]
    assert last["argv"][-4:] == words
    wired = json.dumps([last["argv"], last["env"], last["files"]])
    if client.name != "cline":
        assert "http://127.0.0.1:4000" in wired and "sk-k1" in wired
    if "folder" in last:
        assert last["mode"] == 0o700 and not Path(last["folder"]).exists()
    assert not any(p.is_file() for p in (home / "store").rglob("*"))
    assert {p.name for p in home.iterdir()} <= {"bin", "told", "store"}


def test_cline_signs_in_before_it_runs(run, told):
    assert run("launch", "cline", "--key", "sk-k1", "--", "fix it")[0] == 0
    first, second = told()
    assert first["argv"][1:] == [
        *["auth", "-p", "openai", "-k", "sk-k1", "-m", "auto", "-b", "http://127.0.0.1:4000/v1"]
    ]
    assert second["argv"][1:] == ["-P", "openai", "fix it"]
    assert first["env"]["CLINE_DATA_DIR"] == second["env"]["CLINE_DATA_DIR"]


def test_a_failed_preparation_stops(run, told, monkeypatch):
    monkeypatch.setenv("CODE", "5")
    code, _, err = run("launch", "cline", "--", "fix it")
    assert code == 1 and "`cline auth` ended with 5" in err and len(told()) == 1


def test_the_exit_code_comes_back(run, told, monkeypatch):
    monkeypatch.setenv("CODE", "41")
    assert run("launch", "codex", "--", "exec", "x")[0] == 41


def test_a_variable_that_leads_elsewhere_is_taken_away(run, told, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-own")
    run("launch", "claude", "--key", "sk-k1")
    env = told()[-1]["env"]
    assert "ANTHROPIC_API_KEY" not in env and env["ANTHROPIC_AUTH_TOKEN"] == "sk-k1"


def test_not_installed(run, home, monkeypatch):
    monkeypatch.setenv("PATH", str(home))
    code, _, err = run("launch", "codex")
    assert code == 4 and "not installed" in err and "npm i -g @openai/codex" in err
    code, _, err = run("launch", "openai-sdk", "--", "no-such-program")
    assert code == 4 and "no-such-program" in err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("zed",), "suffice connect zed"),
        (("openai-sdk",), "say the program"),
        (("codx",), "did you mean 'codex'"),
        (("codex", "exec"), "unrecognized"),
        ((), "CLIENT"),
    ],
)
def test_usage(run, words, why):
    code, _, err = run("launch", *words)
    assert code == 2 and why in err


def test_a_dry_run_only_tells(run, run_json, told, home):
    code, data = run_json("launch", "pi", "--dry-run", "--key", "sk-k1")
    assert code == 0 and data["command"] == ["pi", "--provider", "suffice", "--model", "auto"]
    assert "PI_CODING_AGENT_DIR={folder}" in run("launch", "pi", "--dry-run", "--", "-p", "x")[1]
    assert not (home / "told").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_reaches_the_client_and_the_folder_is_removed(home, number):
    (home / "pi").write_text(
        f"#!{sys.executable}\nimport os, time\nprint(os.environ['PI_CODING_AGENT_DIR'], flush=True)\ntime.sleep(60)\n"
    )
    (home / "pi").chmod(0o755)
    words = [sys.executable, "-m", "suffice.cli.main", "launch", "pi"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PATH": str(home)}) as process:
        folder = Path(process.stdout.readline().strip())
        assert folder.is_dir()
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    assert not folder.exists()


def test_what_a_killed_launch_left_is_removed(run, told, home):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    left, other, running = (
        home / "store" / "launch" / name for name in (f"{ended.pid}-a", "notes-b", f"{os.getpid()}-c")
    )
    for folder in (left, other, running):
        folder.mkdir(parents=True)
    assert run("launch", "pi")[0] == 0
    assert not left.exists() and other.exists() and running.exists()
