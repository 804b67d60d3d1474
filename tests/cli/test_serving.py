"""`suffice serve` as a process: its life, its signals, its reloads."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.e2e.process import Served, create_key, provider, served, write_config
from tests.gateway.running import CHAT, endpoint, until

BODY: dict[str, Any] = {"model": "openai/m", **CHAT}
SLOW = {"text": "word " * 40, "timing": {"between_tokens_s": 0.02}}


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[str]:
    script = tmp_path / "script.json"
    rule = {"then": SLOW, "stream": True}
    script.write_text(json.dumps({"rules": [rule], "default": {}}))
    with provider(tmp_path, "--model", "m", "--script", str(script)) as url:
        yield url


def ask(running: Served, **fields: Any) -> httpx.Response:
    return httpx.post(running.base_url + "/chat/completions", json={**BODY, **fields}, timeout=20)


def test_a_life_from_start_to_sigterm(upstream: str, tmp_path: Path):
    config = write_config(tmp_path, endpoint("one", upstream))
    with served(config) as running:
        assert ask(running).status_code == 200
        assert httpx.get(running.control_url + "/health").text == "ok\n"
        assert httpx.get(running.control_url + "/ready").json()["ready"]
        assert b"suffice_requests_total" in httpx.get(running.control_url + "/metrics").content
        assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


def test_sigterm_lets_running_streams_end(upstream: str, tmp_path: Path):
    with served(write_config(tmp_path, endpoint("one", upstream))) as running:
        with httpx.stream("POST", running.base_url + "/chat/completions", json={**BODY, "stream": True}) as got:
            lines = got.iter_lines()
            next(lines)
            running.signal(signal.SIGTERM)
            rest = list(lines)
        assert rest[-2:] == ["data: [DONE]", ""]
        assert running.stop() == 0


def test_a_second_gateway_on_the_same_storage_is_refused(upstream: str, tmp_path: Path):
    config = write_config(tmp_path, endpoint("one", upstream))
    with served(config) as running:
        second = subprocess.run(
            [sys.executable, "-m", "suffice.cli.main", "serve", "--config", str(config)],
            capture_output=True, timeout=30, check=False, text=True,
        )  # fmt: skip
        assert second.returncode == 4
        assert "data" in second.stderr
        assert "fix:" in second.stderr
        assert "Traceback" not in second.stderr
        assert ask(running).status_code == 200


def test_an_address_in_use_is_told(upstream: str, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = write_config(tmp_path, endpoint("one", upstream))
        config.write_text(config.read_text().replace("\nport = 0", f"\nport = {taken.getsockname()[1]}"))
        done = subprocess.run(
            [sys.executable, "-m", "suffice.cli.main", "serve", "--config", str(config)],
            capture_output=True, timeout=30, check=False, text=True,
        )  # fmt: skip
    assert (done.returncode, "cannot listen on" in done.stderr) == (4, True)


def test_without_a_key_other_addresses_are_not_listened_on_and_pages_are_refused(upstream: str, tmp_path: Path):
    config = write_config(tmp_path, endpoint("one", upstream))
    config.write_text(config.read_text().replace("[server]\n", '[server]\nhost = "0.0.0.0"\n'))
    with served(config) as running:
        assert running.base_url.startswith("http://127.0.0.1:")
        assert "no key is configured" in running.log.read_text()
        refused = httpx.post(running.base_url + "/chat/completions", json=BODY, headers={"origin": "https://evil"})
        assert refused.status_code == 403


async def test_a_reload_under_load_drops_nothing_and_a_bad_file_changes_nothing(upstream: str, tmp_path: Path):
    config = write_config(tmp_path, endpoint("one", upstream))
    good = config.read_text()
    running = await asyncio.to_thread(Served, config)
    statuses: list[int] = []
    stop = asyncio.Event()
    try:
        async with httpx.AsyncClient(timeout=20) as client:

            async def lane() -> None:
                while not stop.is_set():
                    statuses.append((await client.post(running.base_url + "/chat/completions", json=BODY)).status_code)

            async def models() -> set[str]:
                listed = (await client.get(running.base_url + "/models")).json()["data"]
                return {row["id"] for row in listed}

            async with asyncio.TaskGroup() as group:
                for _ in range(4):
                    group.create_task(lane())
                config.write_text(good + endpoint("two", upstream, model="n"))
                running.signal(signal.SIGHUP)
                await _until_async(lambda: models(), "openai/n")
                config.write_text(good + '[endpoints.three]\nprovder = "openai"\n')
                before = running.log.stat().st_size
                running.signal(signal.SIGHUP)
                await until(lambda: "stays as it was" in running.log.read_text()[before:])
                assert "openai/n" in await models()
                config.write_text(good)
                told = await client.post(running.control_url + "/reload")
                assert told.json()["swapped"]
                assert "openai/n" not in await models()
                await _until_async(lambda: asyncio.sleep(0, {"enough"} if len(statuses) > 10 else set()), "enough")
                stop.set()
    finally:
        stop.set()
        assert await asyncio.to_thread(running.stop) == 0
    assert len(statuses) > 10
    assert set(statuses) == {200}


async def _until_async(read: Any, wanted: str) -> None:
    async with asyncio.timeout(20):
        while wanted not in await read():
            await asyncio.sleep(0.02)


def test_a_check_that_a_reload_brings_is_run(upstream: str, tmp_path: Path):
    config = write_config(tmp_path, endpoint("one", upstream))
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "run.py").write_text("raise SystemExit('wrong')\n")
    with served(config) as running:
        check = '[checks.never]\ncommand = ["python3", "run.py"]\nrepo = "checks"\nanswer_path = "solution.py"\n'
        config.write_text(config.read_text() + check)
        assert httpx.post(running.control_url + "/reload", timeout=20).json()["swapped"]
        got = httpx.post(
            running.base_url + "/chat/completions",
            json={**BODY, "messages": [{"role": "user", "content": "say"}]},
            headers={"x-suffice-check": "never"},
            timeout=20,
        )
        # The fake's answer holds no code: the check has looked and said so.
        assert got.headers["x-suffice-verdict"] == "rejected by check:never"


def test_a_reload_by_the_control_plane_needs_its_secret_and_names_the_line(upstream: str, tmp_path: Path):
    config = write_config(tmp_path, endpoint("one", upstream))
    secret = "canary-control-secret-0123456789"
    config.write_text(config.read_text().replace("[server]\n", f'[server]\ncontrol_secret = "{secret}"\n'))
    with served(config) as running:
        assert httpx.post(running.control_url + "/reload").status_code == 401
        config.write_text(config.read_text() + "[nonsense]\nx = 1\n")
        headers = {"authorization": f"Bearer {secret}"}
        refused = httpx.post(running.control_url + "/reload", headers=headers)
        assert refused.status_code == 422
        assert "suffice.toml:" in refused.text
        assert secret not in refused.text
        assert ask(running).status_code == 200
    assert secret not in running.log.read_text()


def test_log_lines_are_json_where_no_terminal_is(upstream: str, tmp_path: Path):
    config = write_config(tmp_path, endpoint("one", upstream))
    with served(config) as running:
        assert httpx.post(running.control_url + "/reload").status_code == 200
    lines = [line for line in running.log.read_text().splitlines() if line.startswith("{")]
    assert any(json.loads(line)["message"] == "the configuration was read again" for line in lines)


def test_a_key_opens_the_gateway_to_its_holder_only(upstream: str, tmp_path: Path):
    config = write_config(tmp_path, endpoint("one", upstream))
    Served(config).stop()
    key = create_key(tmp_path)
    with served(config) as running:
        assert ask(running).status_code == 401
        good = httpx.post(running.base_url + "/chat/completions", json=BODY, headers={"authorization": f"Bearer {key}"})
        assert good.status_code == 200


def test_results_on_own_tasks_are_taken_by_the_control_plane(upstream: str, tmp_path: Path):
    with served(write_config(tmp_path, endpoint("one", upstream))) as running:
        rows = [{"task": f"t{n}", "right": True} for n in range(5)]
        told = httpx.post(
            running.control_url + "/own-tasks", json={"model": "openai/m", "kind": "edit", "results": rows}, timeout=20
        )
        assert (told.status_code, told.json()["learned"]) == (200, 5) and told.json()["success"] > told.json()[
            "success_before"
        ]
        refused = httpx.post(
            running.control_url + "/own-tasks", json={"model": "openai/none", "kind": "edit", "results": rows}
        )
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_found")
