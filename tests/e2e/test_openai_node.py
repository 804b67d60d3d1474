"""The official OpenAI SDK for Node, unchanged, against a whole gateway."""

from __future__ import annotations

import asyncio
import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import one_provider

from suffice.testing import presets
from suffice.testing.script import Behaviour, ToolCall

FOLDER = Path(__file__).with_name("node")
CALLS = Behaviour(
    text="",
    tool_calls=(
        ToolCall(name="weather", arguments='{"city": "Paris"}'),
        ToolCall(name="weather", arguments='{"city": "Rome"}'),
    ),
)
ARGUMENTS = ['{"city": "Paris"}', '{"city": "Rome"}']

pytestmark = pytest.mark.skipif(shutil.which("node") is None or shutil.which("npm") is None, reason="node is absent")


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Install the locked SDK beside the tests, once for all workers."""
    marker = FOLDER / "node_modules" / "openai" / "package.json"
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]["openai"]
    with (FOLDER / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if marker.exists() and json.loads(marker.read_text())["version"] == wanted:
            return
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


async def drive(folder: Path, scenario: str, script: Any = None) -> tuple[Any, int]:
    """Run one scenario; returns what the SDK saw and how many requests the provider got."""
    async with one_provider(folder, script) as (running, provider):
        process = await asyncio.create_subprocess_exec(
            "node", "drive.mjs", scenario, running.base_url, cwd=FOLDER, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0
        assert await running.findings() == []
        return json.loads(out), len(provider.requests)


@pytest.mark.parametrize("scenario", ["chat", "stream"])
async def test_text_and_usage(scenario: str, tmp_path: Path):
    told, _ = await drive(tmp_path, scenario)
    assert told["text"] == "Hello from the fake provider."
    assert told["usage"]["completion_tokens"] == 8


@pytest.mark.parametrize("scenario", ["tools", "streamedTools"])
async def test_parallel_tool_calls(scenario: str, tmp_path: Path):
    assert await drive(tmp_path, scenario, CALLS) == (ARGUMENTS, 1)


async def test_embeddings_in_both_codings(tmp_path: Path):
    assert await drive(tmp_path, "embeddings") == ({"count": 2, "near": True}, 2)


async def test_models(tmp_path: Path):
    told, _ = await drive(tmp_path, "models")
    assert {"auto", "openai/m"} <= set(told["listed"])
    assert told["one"] == "openai/m"


async def test_our_retries_are_not_multiplied(tmp_path: Path):
    told, requests = await drive(tmp_path, "failure", presets.failing(503))
    assert (told, requests) == ({"status": 503, "code": "upstream_error"}, 2)
