import json


def test_the_whole_story(run, store):
    code, out, _ = run("explain", "req-1")
    assert code == 0
    words = " ".join(out.split())
    for told in (
        "asked for: auto", "edit, language python", "a file and an ask", "owner ann", "team web", "lowest expected cost",
        "success 80.0% (at least 70.0%); chosen", "switch -$0.0000010", "dearer in all", "estimate from public scores",
        "removed before the choice", "tools are needed", "x" * 300,
        "would change it", "prior 7", "what weighed: cell edit/python -0.4",
        "gate parses: reject, line 3: unexpected indent", "800 fresh, 200 from cache, 90 output, 10 reasoning",
        "first token after 230 ms", "tests: good (source ci)", "saving against openai/gpt-4o (estimated", "-$0.00020",
    ):  # fmt: skip
        assert told in words, told
    assert "\x1b" not in out and "\\x1b[2Jdef f():" in out


def test_last_a_beginning_and_what_has_no_price(run, store):
    assert run("explain", "last")[1].startswith("request req-2")
    code, out, _ = run("explain", "req-2")
    assert (
        code == 0
        and "unpriced: no price is known for vllm/house" in out
        and "$0.00" not in out.split("attempts")[1].split("charged")[0]
    )
    assert "fault upstream_5xx (row 9" in out and "HTTP 503" in out and "no decision is recorded" in out
    assert run("explain", "req-")[0] == 1


def test_json_gives_everything(run_json, store):
    code, data = run_json("explain", "req-1")
    assert code == 0 and data["saved_nano_usd"] == 3_250_000 - 3_454_000
    assert len(data["decision"]["plan"]["candidates"]) == 3 and len(data["attempts"]) == 2
    assert data["attempts"][0]["detail"]["result"]["verdicts"][0]["evidence"] == "\x1b[2Jdef f():"


def test_unknown_requests_say_which_there_are(run, store, home):
    code, out, err = run("explain", "nobody")
    assert code == 1 and out == "" and "req-2, req-1" in err
    code, out, _ = run("explain", "nobody", "--json")
    assert json.loads(out)["error"]["code"] == "not_found"
    assert run("explain")[0] == 2
