from pathlib import Path

TEXT = """version = 1
[routing]
reference_model = "openai/gpt-5.5"
[endpoints.one]
provider = "openai"
base_url = "http://127.0.0.1:9/v1"
private = true
models = ["gpt-5.5", "gpt-5-mini"]
"""


def write(home: Path) -> None:
    (home / "suffice.toml").write_text(TEXT)
    (home / "other.toml").write_text(TEXT.replace('reference_model = "openai/gpt-5.5"', "quality_floor = 0.5"))


def test_show_names_the_pool_and_the_source_of_each_belief(home, run, run_json):
    write(home)
    code, out, _ = run("policy", "show", "--task", "bug-fix")
    assert code == 0
    assert "openai/gpt-5.5" in out
    assert "guarantee certificate: none in force" in out
    assert "exploration: off" in out
    _, told = run_json("policy", "show")
    assert {c["model"] for c in told["candidates"]} == {"openai/gpt-5.5", "openai/gpt-5-mini"}
    assert all(c["source"] for c in told["candidates"])
    assert told["certificates"] == ["none in force: no success rate is promised"]


def test_an_unknown_task_is_a_usage_error(home, run):
    write(home)
    code, _, err = run("policy", "show", "--task", "knitting")
    assert code == 2
    assert "bug-fix" in err


def test_diff_names_the_settings_and_is_negative(home, run_json):
    write(home)
    assert run_json("policy", "diff", "suffice.toml")[0] == 0
    code, told = run_json("policy", "diff", "other.toml")
    assert code == 1
    assert set(told["changed"]) == {"routing.reference_model", "routing.quality_floor"}


def test_replay_without_a_ledger_says_so(home, run):
    write(home)
    code, _, err = run("policy", "replay")
    assert code == 1
    assert "nothing is stored" in err


def test_replay_of_a_small_ledger(store, home, run_json):
    write(home)
    code, told = run_json("policy", "replay", "--since", "2026-01-01")
    assert code == 0
    assert told["n"] >= 0


def test_pilots_show_what_was_seen_and_what_is_unknown(home, run, run_json):
    allowed = 'interventions = ["same_error"]\n'
    (home / "suffice.toml").write_text(TEXT.replace("[routing]\n", f"[routing]\n{allowed}"))
    _, told = run_json("policy", "pilots")
    kinds = {row["kind"]: row for row in told["interventions"]}
    assert (kinds["same_error"]["standing"], kinds["same_error"]["better"]) == ("running", None)
    assert (kinds["no_write"]["standing"], kinds["no_write"]["allowed"]) == ("not begun", False)
    (home / "store").mkdir(exist_ok=True)
    seen = '{"same_error": {"acted_good": 24, "acted_bad": 1, "left_good": 5, "left_bad": 20}}'
    (home / "store" / "pilots.json").write_text(seen)
    code, out, _ = run("policy", "pilots")
    assert code == 0
    line = next(row for row in out.splitlines() if "same_error" in row)
    assert all(word in line for word in ("passed", "50/50", "24/25", "5/25", "99.9%"))


def test_show_tells_where_a_rollout_stands(home, run, run_json):
    write(home)
    (home / "next.toml").write_text("version = 1\n[routing]\nquality_floor = 0.5\n")
    (home / "suffice.toml").write_text(TEXT + '[rollout]\npolicy = "next.toml"\nsteps = [0.1, 1.0]\n')
    _, told = run_json("policy", "show")
    name = told["rollout"]["policy"]
    assert told["rollout"] == {"policy": name, "steps": [0.1, 1.0], "share": 0.0}
    (home / "store").mkdir(exist_ok=True)
    stage = f'{{"policy": "{name}", "step": 0, "began_ms": 1000, "looks": 2, "seen": 80, "told": "stays: too few"'
    (home / "store" / "rollout.json").write_text(stage + "}")
    _, out, _ = run("policy", "show")
    assert f"rollout {name}: step 1 of 2, 10% of the sessions" in out and "last look: stays: too few" in out
    (home / "store" / "rollout.json").write_text(stage + ', "stopped": "worse beyond doubt at 10%"}')
    _, told = run_json("policy", "show")
    assert (told["rollout"]["share"], told["rollout"]["stopped"]) == (0.0, "worse beyond doubt at 10%")


def test_a_file_with_a_policy_alone_is_put_over_the_present_one(store, home, run_json):
    write(home)
    (home / "next.toml").write_text("version = 1\n[routing]\nquality_floor = 0.5\n")
    code, told = run_json("policy", "diff", "next.toml")
    assert code == 1 and set(told["changed"]) == {"routing.reference_model", "routing.quality_floor"}
    code, told = run_json("policy", "replay", "--since", "2026-01-01", "--policy", "next.toml")
    assert code == 0 and told["n"] >= 0
