import apsw
import pytest


def test_verify_says_whether_the_books_add_up(run, run_json, store):
    code, out, _ = run("ledger", "verify")
    assert code == 0 and out.startswith("ok: 3 rows")
    connection = apsw.Connection(str(store / "suffice.db"))
    connection.execute("UPDATE ledger SET charge_nano = -1 WHERE request_id = 'req-1' AND attempt = 1")
    connection.close()
    code, data = run_json("ledger", "verify")
    assert code == 1 and data["findings"][0]["invariant"] == "I6"


def test_recent(run, run_json, store):
    code, out, _ = run("ledger", "recent", "-n", "2")
    assert code == 0 and "req-2" in out and "unpriced" in out
    rows = run_json("ledger", "recent")[1]["rows"]
    assert [r["attempt"] for r in rows] == [1, 2, 1] and rows[0]["charge_nano_usd"] is None


def test_adjust(run, run_json, store):
    code, out, _ = run("ledger", "adjust", "req-1", "2", "--actual-usd", "0.003", "--reason", "invoice of November")
    assert code == 0 and "-$0.00025" in out
    code, _, err = run("ledger", "adjust", "req-9", "2", "--actual-usd", "0.003", "--reason", "x")
    assert code == 1 and "suffice ledger recent" in err
    assert run("ledger", "adjust", "req-1", "2", "--actual-usd", "-1", "--reason", "x")[0] == 2
    assert run("ledger", "verify")[0] == 0


def test_prune_asks_first(run, run_json, store):
    code, data = run_json("ledger", "prune", "--keep", "1")
    assert code == 0 and not data["done"] and data["ledger"] >= 1
    assert len(run_json("ledger", "recent")[1]["rows"]) == 3
    assert run_json("ledger", "prune", "--keep", "0", "--yes")[1]["ledger"] == 3
    assert run_json("ledger", "recent")[1]["rows"] == []


@pytest.mark.parametrize(
    "argv", [["prune"], ["prune", "--keep", "-1"], ["recent", "-n", "0"], ["recent", "-n", "x"], ["verfy"]]
)
def test_nonsense_is_a_usage_error(run, store, argv):
    code, out, err = run("ledger", *argv)
    assert code == 2 and err and out == ""
