"""The SDKs for Node, the Vercel AI SDK and Continue's fill-in-the-middle adapter, unchanged, against a gateway process."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.clients.driving import KEY_OF_OURS, OFFLINE, Stand, bounded, leaks, ledger, scratch, stand
from tests.clients.install import bins_of, folder_of, install, unreachable
from tests.clients.results import Row, note, version_of
from tests.clients.script import ASIDE, FINAL, Model, call
from tests.clients.tap import tapped

from suffice.testing import presets
from suffice.testing.script import Behaviour, Call

SCRIPTS = Path(__file__).with_name("node")
# library -> name in the table, package whose version is told, dialect
LIBRARIES = {
    "openai-chat": ("openai-node", "openai", "chat"),
    "openai-responses": ("openai-node", "openai", "responses"),
    "anthropic": ("anthropic-node", "@anthropic-ai/sdk", "messages"),
    "google": ("google-genai-node", "@google/genai", "gemini"),
    "ai-chat": ("vercel-ai-sdk", "ai", "chat"),
    "ai-responses": ("vercel-ai-sdk", "ai", "responses"),
    "ai-messages": ("vercel-ai-sdk", "ai", "messages"),
    "ai-gemini": ("vercel-ai-sdk", "ai", "gemini"),
}
DIALECTS = ("chat", "responses", "messages", "gemini")
RUNS = [
    pytest.param(name, provider, id=f"{name}-via-{provider}", marks=[] if provider == native else [pytest.mark.clients])
    for name, (_, _, native) in LIBRARIES.items()
    for provider in DIALECTS
]


class Library(Model):
    """The scripted model of these runs: a call of one tool, a last text, and a refusal of who asks for one."""

    def __init__(self) -> None:
        super().__init__((call("weather", city="Oslo"),))

    def __call__(self, index: int, call: Call) -> Behaviour:
        return presets.invalid() if b"please fail" in call.body else super().__call__(index, call)


def needed(*locks: str) -> None:
    """Install package sets; skip where the machine has no npm or no network."""
    for lock in locks:
        reason = install(lock)
        if reason and (unreachable(reason) or reason.startswith("npm is not")):
            pytest.skip(f"{lock}: {reason}")
        assert not reason


async def run(
    lock: str, script: str, running: Stand, folder: Path, *arguments: str
) -> tuple[int | None, Any, list[str]]:
    """Run a Node program beside the packages of `lock`; returns exit code, what it printed, and the request lines."""
    copied = folder_of(lock) / f"{os.getpid()}-{script}"
    shutil.copy(SCRIPTS / script, copied)
    places = [*bins_of("node"), Path(sys.executable).parent]
    path = os.pathsep.join([*map(str, places), os.environ["PATH"]])
    env = {**OFFLINE, "PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}
    out = folder / "library.log"
    try:
        async with tapped(running.base) as tap:
            words = ["node", str(copied), arguments[0], tap.base, running.key, *arguments[1:]]
            code = await bounded(words, env, folder, out, 60.0)
            said = out.read_text(errors="replace")
            found = re.findall(r"^\{.*\}$", said, re.M)
            return code, json.loads(found[-1]) if found else said, tap.asked
    finally:
        copied.unlink()


@pytest.mark.parametrize(("library", "provider"), RUNS)
async def test_a_library(library: str, provider: str):
    needed("node", "sdk-node")
    client, package, dialect = LIBRARIES[library]
    whole = dict.fromkeys(("text", "tools", "error"), "failed")
    try:
        with scratch() as folder:
            async with stand(folder / "gateway", provider, Library()) as running:
                code, told, _ = await run("sdk-node", "sdk.mjs", running, folder, library, "coder")
            rows, findings = ledger(folder / "gateway")
            assert (findings, leaks(folder)) == ([], [])
        assert code == 0, told
        assert told["text"]["text"] == ASIDE and told["text"]["output"] > 0
        whole["text"] = "passed"
        assert told["tools"] == {"name": "weather", "input": {"city": "Oslo"}, "final": FINAL}
        whole["tools"] = "passed"
        assert told["error"].get("status") == 400, told["error"]
        assert KEY_OF_OURS not in str(told)
        assert len(rows) == 4
        whole["error"] = "passed"
    finally:
        for what, result in whole.items():
            note(
                Row(
                    client=client,
                    version=version_of("sdk-node", package),
                    dialect=dialect,
                    provider=provider,
                    what=what,
                    result=result,
                )
            )


ROUTES = {"mistral": "/v1/fim/completions", "openai": "/v1/fim/completions", "deepseek": "/beta/completions"}


@pytest.mark.clients
@pytest.mark.parametrize("adapter", list(ROUTES))
async def test_continues_fill_in_the_middle(adapter: str):
    needed("node", "continue-fim")
    result, asked = "failed", []
    try:
        with scratch() as folder:
            async with stand(folder / "gateway", "chat", Behaviour(text="a + b")) as running:
                code, told, asked = await run("continue-fim", "fim.mjs", running, folder, adapter, "coder")
            assert leaks(folder) == []
        assert (code, told) == (0, {"text": "a + b"})
        assert asked == [f"POST {ROUTES[adapter]}"]
        result = "passed"
    finally:
        version = version_of("continue-fim")
        row = Row(client="continue-fim", version=version, dialect=adapter, provider="chat", what="fim", result=result)
        note(row)
