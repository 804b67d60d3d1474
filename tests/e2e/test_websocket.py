"""Responses over a WebSocket against `suffice serve` as a process: it stops in order, and nothing that was begun is lost."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.process import provider, served, write_config
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

ENDPOINT = '[endpoints.one]\nprovider = "openai"\nbase_url = "{}"\nprivate = true\nmodels = ["m"]\n'


def until(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    while True:
        event: dict[str, Any] = json.loads(socket.recv(timeout=20))
        if event["type"] in kinds:
            return event


def create(**more: Any) -> str:
    return json.dumps({"type": "response.create", "model": "openai/m", "input": "hi", "store": False, **more})


def test_a_stop_lets_the_running_response_end_and_sends_its_client_away(tmp_path: Path):
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"text": "one two three four five", "timing": {"between_tokens_s": 0.1}}))
    with provider(tmp_path, "--script", str(script), "--model", "m") as url:
        config = write_config(tmp_path, ENDPOINT.format(url))
        with served(config) as running, connect(running.base_url.replace("http", "ws") + "/responses") as socket:
            socket.send(create())
            until(socket, "response.output_text.delta")
            running.signal(signal.SIGTERM)
            socket.send(create())  # too late: only what runs is ended
            end = until(socket, "response.completed", "response.failed", "error")
            assert end["type"] == "response.completed"
            assert end["response"]["output"][0]["content"][0]["text"] == "one two three four five"
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=20)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012
            assert running.stop() == 0
        bills = [json.loads(line) for line in (tmp_path / "bill.jsonl").read_text().splitlines()]
        assert [bill["index"] for bill in bills if bill["closed"]] == [0]


def test_a_prewarmed_connection_carries_a_conversation(tmp_path: Path):
    with provider(tmp_path, "--model", "m") as url:
        config = write_config(tmp_path, ENDPOINT.format(url))
        with served(config) as running, connect(running.base_url.replace("http", "ws") + "/responses") as socket:
            socket.send(create(input=[], generate=False))
            previous = until(socket, "response.completed")["response"]["id"]
            for _ in range(3):
                socket.send(create(previous_response_id=previous))
                previous = until(socket, "response.completed", "error")["response"]["id"]
            socket.send(create(previous_response_id="resp_none"))
            assert until(socket, "error")["error"]["code"] == "previous_response_not_found"
