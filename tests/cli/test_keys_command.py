import re
import subprocess
import sys

from suffice.cli.keys_command import state_of
from suffice.ledger.folder import Folder
from suffice.ledger.keys import Grant, KeyRecord, KeyStore, load_pepper
from suffice.storage.database import Database
from suffice.values.system_env import SystemEnv

BUDGET = 'version = 1\n[budgets.web]\nlimit_usd = 5\n[teams.web]\nbudgets = ["web"]\n'


def test_create_shows_the_key_once_alone_on_standard_output(run, home):
    code, out, err = run("keys", "create", "--name", "ci", "--expires", "90d")
    assert code == 0 and re.fullmatch(r"sk-sf-[a-z2-7]{16}\.[\w-]{43}\n", out) and "only now" in err
    code, listed, err = run("keys", "list")
    assert code == 0 and "ci" in listed and out.strip() not in listed + err
    stored = b"".join(path.read_bytes() for path in (home / "store").rglob("*") if path.is_file())
    assert b'"name":"ci"' in stored and out.strip().partition(".")[2].encode() not in stored


def test_everything_that_a_key_may_have(run_json, home):
    (home / "suffice.toml").write_text(BUDGET)
    code, made = run_json(
        "keys", "create", "--name", "n", "--owner", "ann", "--team", "web", "--model", "openai/*,auto", "--model", "fast",
        "--budget", "web", "--data-class", "internal", "--repair-usd", "2.50", "--expires", "2099-01-01",
    )  # fmt: skip
    record = made["record"]
    assert code == 0 and record["models"] == ["openai/*", "auto", "fast"] and record["budgets"] == ["web"]
    assert (record["owner"], record["team"], record["data_class"], record["repair_usd"]) == (
        "ann",
        "web",
        "internal",
        "2.50",
    )
    assert record["expires"] == "2099-01-01T00:00:00+00:00" and record["revoked"] is None


def test_revoke_and_rotate_by_name_or_id(run, run_json):
    _, made = run_json("keys", "create", "--name", "ci")
    ident = made["record"]["id"]
    code, turned = run_json("keys", "rotate", "ci", "--grace", "1h")
    assert code == 0 and turned["record"]["id"] == ident and turned["key"] != made["key"]
    code, out, _ = run("keys", "revoke", f"sk-sf-{ident}")
    assert code == 0 and "revoked" in out
    assert run_json("keys", "list")[1] == {"keys": [], "hidden": 1}
    assert run_json("keys", "list", "--all")[1]["keys"][0]["state"] == "revoked"
    code, _, err = run("keys", "rotate", ident)
    assert code == 1 and "is revoked" in err


def test_bad_input_says_what_to_do_and_makes_nothing(run, home):
    (home / "suffice.toml").write_text(BUDGET)
    for argv, told in [
        (["create", "--budget", "wbe"], "did you mean 'web'?"),
        (["create", "--expires", "2001-01-01"], "in the past"),
        (["create", "--repair-usd", "-1"], "--repair-usd"),
        (["creat"], "did you mean 'create'?"),
        ([], "ACTION"),
    ]:
        code, out, err = run("keys", *argv)
        assert code == 2 and told in err and out == ""
    assert run("keys", "list")[1].startswith("no valid keys")


def test_looking_before_anything_is_stored_and_unknown_keys(run, home):
    code, out, _ = run("keys", "list")
    assert code == 0 and "keys create" in out and not (home / "store").exists()
    code, _, err = run("keys", "revoke", "build")
    assert code == 1 and "suffice serve" in err and not (home / "store").exists()
    run("keys", "create", "--name", "build")
    code, _, err = run("keys", "revoke", "biuld")
    assert code == 1 and "did you mean 'build'?" in err
    run("keys", "create", "--name", "build")
    code, _, err = run("keys", "revoke", "build")
    assert code == 1 and "2 keys are called 'build'" in err


def test_a_key_is_made_beside_a_running_gateway_by_a_real_process(home):
    env = SystemEnv()
    folder = Folder(home / "store")
    gateway = Database(env, folder.database)
    gateway.open()
    store = KeyStore(env, gateway, load_pepper(folder.pepper, env))
    store.start()
    try:
        command = [sys.executable, "-m", "suffice.cli.main", "keys", "create", "--name", "ci"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        store._tick(-2)  # what the gateway's writer does within a second
        assert store.authenticate(done.stdout.strip()).grant.name == "ci"
    finally:
        store.stop()
        gateway.close()


def test_a_team_without_rules_is_told(run, home):
    (home / "suffice.toml").write_text(BUDGET)
    code, _, err = run("keys", "create", "--team", "wbe")
    assert code == 0 and "did you mean 'web'?" in err


def test_states():
    record = KeyRecord(id="a", grant=Grant(), created_s=1, expires_s=10, revoked_s=0)
    assert state_of(record, 9) == "valid" and state_of(record, 10) == "expired"
    assert state_of(KeyRecord(id="a", grant=Grant(), created_s=1, revoked_s=5), 6) == "revoked"
