"""The makers' SDKs for Node and Python, the Vercel AI SDK, LangChain, Pydantic AI and Continue's fill-in-the-middle adapter, unchanged,
against a gateway process."""

from __future__ import annotations

from typing import Any

import pytest
from tests.clients.driving import KEY_OF_OURS, leaks, ledger, scratch, stand
from tests.clients.install import install, unreachable
from tests.clients.libraries import LIBRARIES, Answers, Library, faults_of, run
from tests.clients.results import Row, note, version_of

from suffice.testing.script import Behaviour

DIALECTS = ("chat", "responses", "messages", "gemini")
RUNS = [
    pytest.param(library, provider, id=f"{library.name}-via-{provider}", marks=marks)
    for library in LIBRARIES
    for provider in DIALECTS
    for marks in [[] if library.fast and provider == library.dialect else [pytest.mark.clients]]
]


def needed(*locks: str) -> None:
    """Install package sets; skip where the machine has no npm or no network."""
    for lock in locks:
        reason = install(lock)
        if reason and (unreachable(reason) or reason.startswith("npm is not")):
            pytest.skip(f"{lock}: {reason}")
        assert not reason


@pytest.mark.parametrize(("library", "provider"), RUNS)
async def test_a_library(library: Library, provider: str):
    needed(*library.needs)
    faults: dict[str, str] = dict.fromkeys(faults_of({}), "did not end")
    told: Any = ""
    try:
        with scratch() as folder:
            async with stand(folder / "gateway", provider, Answers()) as running:
                code, told, _ = await run(library.lock, library.script, running, folder, library.name, "coder")
                # Counting tokens is no attempt.
                posts = sum(r.method == "POST" and "ount" not in r.path for r in running.provider.requests)
            rows, findings = ledger(folder / "gateway")
            assert (findings, leaks(folder)) == ([], [])
        assert code == 0 and isinstance(told, dict), told
        faults = faults_of(told)
        assert KEY_OF_OURS not in str(told)
        assert len(rows) == posts
    finally:
        for what, fault in faults.items():
            note(
                Row(
                    client=library.client,
                    version=library.version,
                    dialect=library.dialect,
                    provider=provider,
                    what=what,
                    result="failed" if fault else "passed",
                    note=fault[:300],
                )
            )
    assert not any(faults.values()), faults


ROUTES = {"mistral": "/v1/fim/completions", "openai": "/v1/fim/completions", "deepseek": "/beta/completions"}


@pytest.mark.clients
@pytest.mark.parametrize("adapter", list(ROUTES))
async def test_continues_fill_in_the_middle(adapter: str):
    needed("node", "continue-fim")
    result = "failed"
    try:
        with scratch() as folder:
            async with stand(folder / "gateway", "chat", Behaviour(text="a + b")) as running:
                code, told, asked = await run("continue-fim", "node/fim.mjs", running, folder, adapter, "coder")
            assert leaks(folder) == []
        assert (code, told) == (0, {"text": "a + b"})
        assert asked == [f"POST {ROUTES[adapter]}"]
        result = "passed"
    finally:
        version = version_of("continue-fim")
        row = Row(client="continue-fim", version=version, dialect=adapter, provider="chat", what="fim", result=result)
        note(row)
