import json

import pytest


def test_spend_savings_and_what_has_no_price(run, run_json, store):
    code, out, _ = run("report", "--since", "24h")
    assert code == 0 and "openai/gpt-4o" in out and "unpriced (1)" in out and "estimated" in out
    assert "not told" in out and "gate parses: 1 accepted, 1 rejected, 0 could not tell" in out
    code, data = run_json("report")
    total = data["total"]
    assert (total["requests"], total["attempts"], total["charged"]) == (2, 3, 3_454_000)
    assert total["saved"] == 3_250_000 - 3_454_000 and total["unpriced_attempts"] == 1
    house = next(g for g in data["groups"] if g["name"] == "vllm/house")
    assert house["charged"] is None and house["saved"] is None and data["best_single"] is None


@pytest.mark.parametrize(("by", "name"), [("task", "edit"), ("key", "k1"), ("team", "web"), ("owner", "ann")])
def test_groups(run_json, store, by, name):
    assert [g["name"] for g in run_json("report", "--by", by)[1]["groups"]] == [name]


def test_nothing_and_nonsense(run, store, home):
    code, _, err = run("report", "--since", "2020")
    assert code == 2 and "neither a date nor a duration" in err
    code, _, err = run("report", "--by", "modle")
    assert code == 2 and "did you mean 'model'?" in err
    assert run("report", "--since", "1s")[0] == 0


def test_before_the_first_request(run, home):
    code, out, _ = run("report", "--json")
    assert code == 1 and "nothing is stored yet" in json.loads(out)["error"]["message"]


def test_cost_per_accepted_change_calls_the_unknown_unknown(run, run_json, store):
    out = run("report")[1]
    assert "cost per accepted change" in out and "unknown" in out and "1 of 2 requests have no outcome yet" in out
    came = run_json("report")[1]["accepted_changes"]
    assert {c["name"]: c["changes"] for c in came["changes"]} == {
        "commit": None,
        "merged pull request": None,
        "passing test report": None,
    }
    edit = next(t for t in came["tasks"] if t["name"] == "edit")
    assert (edit["accepted"], edit["unknown"], edit["per_accepted"], edit["unpriced_requests"]) == (1, 1, None, 1)
