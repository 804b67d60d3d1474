import json

import pytest

from suffice.cli.clients import table

KEY = "sk-suf-0123456789"


@pytest.mark.parametrize("name", table.names())
def test_every_client_is_told(run, run_json, name):
    code, out, _ = run("connect", name, "--key", KEY)
    assert code == 0 and "127.0.0.1:4000" in out and KEY in out
    code, data = run_json("connect", name, "--key", KEY, "--model", "cheap")
    assert code == 0 and data["client"] == name and data["needs"].startswith("POST /")
    assert {"kind", "path", "content", "note"} == set(data["settings"][0])


def test_the_list_says_what_is_applied(run, run_json, home):
    assert "claude-code" in run("connect")[1]
    run("connect", "pi", "--apply", "--key", KEY)
    clients = run_json("connect")[1]["clients"]
    assert [c["name"] for c in clients if c["applied"]] == ["pi"] and len(clients) == len(table.CLIENTS)


def test_nothing_is_written_unless_asked(run, home):
    for name in table.names():
        run("connect", name)
    assert list(home.iterdir()) == []


def test_apply_and_undo(run, home):
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_bytes(b'{"theme":"dark"}')
    code, out, _ = run("connect", "claude-code", "--apply", "--key", KEY)
    data = json.loads(path.read_bytes())
    assert code == 0 and str(path) in out
    assert data["theme"] == "dark" and data["env"]["ANTHROPIC_AUTH_TOKEN"] == KEY
    code, out, _ = run("connect", "claude-code", "--undo")
    assert code == 0 and f"restored {path}" in out and path.read_bytes() == b'{"theme":"dark"}'
    code, _, err = run("connect", "claude-code", "--undo")
    assert code == 1 and "nothing to undo" in err


@pytest.mark.parametrize("name", [n for n in table.names() if n not in ("cline", "vercel-ai-sdk")])
def test_apply_and_undo_leave_an_empty_home_empty(run, home, name):
    code, out, _ = run("connect", name, "--apply", "--key", KEY)
    assert code == 0 and "wrote" in out
    assert run("connect", name, "--undo")[0] == 0
    assert [p for p in home.rglob("*") if p.is_file()] == [] and {p.name for p in home.iterdir()} <= {"store"}


def test_clients_that_share_a_folder_leave_none(run, home):
    there = sorted(home.rglob("*"))
    for name in ("codex", "aider", "llama-vim"):
        assert run("connect", name, "--apply", "--key", KEY)[0] == 0
    for name in ("codex", "llama-vim", "aider"):
        assert run("connect", name, "--undo")[0] == 0
    assert not (home / ".config").exists() or (home / ".config") in there


def test_variables_go_to_a_file_for_the_shell(run, home):
    _, out, _ = run("connect", "aider", "--apply", "--key", KEY)
    path = home / ".config" / "suffice" / "clients" / "aider.sh"
    assert f"export AIDER_OPENAI_API_KEY={KEY}\n" in path.read_text() and ". ~/.config/suffice/clients/aider.sh" in out
    assert path.stat().st_mode & 0o077 == 0


def test_one_file_that_cannot_be_changed_stops_all(run, run_json, home):
    config = home / ".codex" / "config.toml"
    config.parent.mkdir()
    config.write_text('model = """mine"""\n')
    code, _, err = run("connect", "codex", "--apply", "--key", KEY)
    assert code == 1 and "sets `model` already" in err and "[model_providers.suffice]" in err and "launch codex" in err
    assert config.read_text() == 'model = """mine"""\n' and not (home / ".config").exists()
    code, data = run_json("connect", "codex", "--apply")
    assert code == 1 and data["error"]["refused"][0]["path"] == str(config)


@pytest.mark.parametrize("name", ["opencode", "kilo"])
def test_the_file_that_stands_over_the_other_is_changed(run, home, name):
    folder = home / ".config" / name
    folder.mkdir(parents=True)
    over = folder / f"{name}.jsonc"
    over.write_bytes(b'{\r\n  // mine\r\n  "model": "other/x",\r\n  "provider": { "lm": {}, },\r\n}\r\n')
    before = over.read_bytes()
    assert run("connect", name, "--apply", "--key", KEY)[0] == 0
    after = over.read_bytes()
    assert b"// mine" in after and b'"model": "suffice/auto"' in after and b'"lm": {}' in after
    assert after.count(b"\n") == after.count(b"\r\n")
    assert not over.with_suffix(".json").exists()
    assert run("connect", name, "--undo")[0] == 0 and over.read_bytes() == before


def test_what_cannot_be_added_to_is_told_as_the_part_to_put_in(run, home):
    config = home / ".continue" / "config.yaml"
    config.parent.mkdir()
    config.write_text("name: Mine\nmodels:\n  - name: Llama\n")
    code, _, err = run("connect", "continue", "--apply", "--key", KEY)
    assert code == 1 and "# one more of your models\nmodels:\n  - name: Suffice" in err and "schema:" not in err
    assert config.read_text() == "name: Mine\nmodels:\n  - name: Llama\n"


def test_a_client_without_a_file_says_so(run):
    code, _, err = run("connect", "cline", "--apply")
    assert code == 2 and "no file to write" in err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--apply",), "say which client"),
        (("codex", "--force"), "--force is for --undo"),
        (("codx",), "did you mean 'codex'"),
        (("codex", "--apply", "--undo"), "not allowed with"),
        (("codex", "--url", "nowhere"), "--url"),
        (("codex", "folder"), "connect repo"),
        (("codex", "--remove"), "connect repo"),
        (("repo", "--apply"), "--remove"),
    ],
)
def test_usage(run, words, why):
    code, _, err = run("connect", *words)
    assert code == 2 and why in err


def test_without_a_home_the_files_cannot_be_found(run, monkeypatch):
    monkeypatch.delenv("HOME")
    code, _, err = run("connect", "pi", "--apply")
    assert code == 2 and "HOME" in err


def test_a_placeholder_key_is_told(run):
    assert "placeholder" in run("connect", "pi")[2]
    assert "placeholder" not in run("connect", "pi", "--key", KEY)[2]
