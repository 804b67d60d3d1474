import gzip
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from suffice.cli.cold_start import read_results
from suffice.errors import ConfigError

CONFIG = """version = 1
[server]
control_port = {port}
control_secret = "a-long-control-secret"
[endpoints.one]
provider = "openai"
base_url = "http://127.0.0.1:9/v1"
private = true
models = ["gpt-5.5", "gpt-5-mini", "gpt-5"]
"""
COLD = ("policy", "cold-start", "openai/gpt-5", "--tasks", "suite", "--table", "ours")


def suite(home: Path, port: int = 4001) -> None:
    (home / "suffice.toml").write_text(CONFIG.format(port=port))
    (home / "suite").mkdir()
    rows = ["task_id,model,resolved,cost_usd"]
    for number in range(60):
        rows += [
            f"t{number},openai/gpt-5.5,{int(number % 4 > 0)},0.1",
            f"t{number},GPT-5-mini,{int(number % 3 == 0)},0.1",
        ]
        rows.append(f"t{number},somebody-else,1,0.1")
    (home / "suite" / "outcomes_ours.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))


def test_it_names_tasks_and_what_they_are_expected_to_tell(home, run, run_json):
    suite(home)
    code, told = run_json(*COLD, "--count", "20")
    assert code == 0
    assert len(set(told["tasks"])) == 20 and told["known_models"] == ["openai/gpt-5-mini", "openai/gpt-5.5"]
    assert 0 < told["sd_after"] < told["sd"]
    _, out, _ = run(*COLD)
    assert "success expected, give or take" in out and "these 30 of 60 tasks" in out


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--task", "knitting"), 2, "bug-fix"),
        (("--count", "0"), 2, "--count"),
        (("--table", "none"), 3, "outcomes_none"),
        (("--results", "none.csv"), 3, "none.csv"),
    ],
)
def test_what_is_wrong_is_told(home, run, more, code, said):
    suite(home)
    got, _, err = run(*COLD, *more)
    assert (got, said in err) == (code, True), err


def test_a_model_that_nobody_serves_is_refused(home, run):
    suite(home)
    code, _, err = run("policy", "cold-start", "openai/none", "--tasks", "suite", "--table", "ours")
    assert code == 1 and "no configured endpoint serves" in err


def test_results_go_to_the_control_plane_with_its_secret(home, run, run_json):
    seen: list[tuple[str, str, bytes]] = []

    class Plane(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            seen.append((self.path, self.headers["authorization"], data))
            told = b'{"learned": 2, "repeated": 0, "success": 0.7, "success_sd": 0.05, "success_before": 0.6, "success_before_sd": 0.2}'
            self.send_response(200)
            self.send_header("content-length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Plane)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        suite(home, server.server_port)
        (home / "done.csv").write_text("task_id,resolved\nt1,1\nt2,0\n")
        code, out, _ = run(*COLD, "--results", "done.csv")
        assert code == 0 and "2 results learned" in out and "70.0%" in out
        (home / "done.csv").write_text("task_id,resolved\nnobody,1\n")
        code, _, err = run(*COLD, "--results", "done.csv")
        assert code == 3 and "'nobody' is no task" in err
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    ((path, secret, data),) = seen
    assert (path, secret) == ("/own-tasks", "Bearer a-long-control-secret")
    assert b'{"openai/gpt-5-mini": false, "openai/gpt-5.5": true}' in data and b"somebody" not in data


def test_results_are_read_plain_or_packed_and_a_bad_row_has_its_line(tmp_path: Path):
    text = "task_id,model,resolved\na,m,1.0\nb,m,false\n"
    (tmp_path / "r.csv").write_text(text)
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("r.csv", "r.csv.gz"):
        assert read_results(tmp_path / name) == [("a", True), ("b", False)]
    for text, said in (
        ("task_id,resolved\na,maybe\n", "bad.csv:2"),
        ("task_id,resolved\n", "no results"),
        ("x\n1\n", "bad.csv:2"),
    ):
        (tmp_path / "bad.csv").write_text(text)
        with pytest.raises(ConfigError, match=said):
            read_results(tmp_path / "bad.csv")
