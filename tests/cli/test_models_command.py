FILE = 'version = 1\n[endpoints.here]\nprovider = "openai"\napi_key = "${K}"\nmodels = ["gpt-4o-mini", "house-model"]\n'


def test_one_model_is_told_in_full(run, run_json):
    code, out, _ = run("models", "openai/gpt-4o-mini")
    assert code == 0 and "price known" in out and "cache read" in out and "tools" in out and "openai.com" in out
    code, data = run_json("models", "gpt-4o-mini")
    (row,) = data["models"]
    assert code == 0 and row["id"] == "openai/gpt-4o-mini" and row["price"]["usd_per_mtok"]["input"] == "0.15"


def test_many_are_a_table_and_all_of_them_a_document(run, run_json):
    code, out, _ = run("models", "anthropic/*haiku*")
    assert code == 0 and "anthropic/claude" in out and "per million tokens" in out
    assert len(run_json("models")[1]["models"]) > 1500


def test_no_match_says_what_was_meant(run):
    code, out, err = run("models", "openai/gpt-4o-mni")
    assert code == 1 and out == "" and "did you mean" in err and "openai/gpt-4o-mini" in err


def test_an_unknown_price_has_no_number(run_json):
    rows = run_json("models")[1]["models"]
    unknown = [r["price"] for r in rows if r["price"]["kind"] == "unknown"]
    assert unknown and all(p["usd_per_mtok"] is None and p["basis"] for p in unknown)


def test_providers(run, run_json):
    code, out, _ = run("models", "--providers")
    assert code == 0 and "DEEPSEEK_API_KEY" in out
    assert [p["id"] for p in run_json("models", "--providers", "groq")[1]["providers"]] == ["groq"]
    code, _, err = run("models", "--providers", "opneai")
    assert code == 1 and "did you mean 'openai'?" in err


def test_served_is_what_the_configuration_serves(run, run_json, home, monkeypatch):
    monkeypatch.setenv("K", "sk-canary-0123456789")
    (home / "suffice.toml").write_text(FILE)
    code, data = run_json("models", "--served")
    assert code == 0 and [r["id"] for r in data["served"]] == ["openai/gpt-4o-mini", "openai/house-model"]
    assert data["served"][1]["price"]["kind"] == "unknown" and data["served"][0]["endpoint"] == "here"
    code, out, err = run("models", "--served", "no-such-one")
    assert code == 1 and "canary" not in out + err


def test_refresh_needs_the_extra_and_says_so(run, home, monkeypatch):
    from importlib.metadata import PackageNotFoundError

    from suffice.catalog import refresh

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(refresh, "version", missing)
    for argv in (["refresh"], ["--conflicts"]):
        code, out, err = run("models", *argv)
        assert code == 3 and "suffice[catalog]" in err and out == ""
    assert not (home / "store").exists()


def test_a_refreshed_table_is_used_and_a_damaged_one_is_told(run, run_json, home):
    from suffice.catalog.load import BUNDLED

    (home / "store").mkdir()
    text = BUNDLED.read_text().replace('"as_of": "', '"as_of": "9', 1).replace('"as_of":"', '"as_of":"9', 1)
    version = run_json("models", "groq/*")[1]["version"]
    (home / "store" / "catalog.json").write_text(text.replace(version, "refreshed", 1))
    assert run_json("models", "groq/*")[1]["version"] == "refreshed"
    (home / "store" / "catalog.json").write_text("{")
    code, _, err = run("models", "groq/*")
    assert code == 4 and "suffice models refresh" in err


def test_an_operators_own_models_and_prices_are_found(run_json, home, monkeypatch):
    monkeypatch.setenv("K", "sk-canary-0123456789")
    (home / "suffice.toml").write_text(FILE)
    for argv in (["house-model"], ["--served", "house-model"]):
        code, data = run_json("models", *argv)
        (row,) = data.get("models") or data["served"]
        assert code == 0 and row["id"] == "openai/house-model" and row["price"]["kind"] == "unknown"
    own = '[models."openai/house-model"]\nprice = { input_usd_per_mtok = 1.0, output_usd_per_mtok = 2.0 }\n'
    (home / "suffice.toml").write_text(FILE + own)
    code, data = run_json("models", "house-model")
    assert code == 0 and data["models"][0]["price"]["usd_per_mtok"]["output"] == "2"
