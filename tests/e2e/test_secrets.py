"""Canary secrets, driven through every error path: none comes out anywhere."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import Gateway, endpoint, gateway, one_provider

from suffice.testing import presets
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Error

PROVIDER = "sk-CANARYprovider0123456789abcdef"
HEADER = "canary-header-0123456789abcdef"
ECHO = Behaviour(
    status=400, error=Error(message=f"Incorrect API key provided: {PROVIDER}. Authorization: Bearer {PROVIDER}")
)
SCRIPTS = [
    Behaviour(),
    ECHO,
    Behaviour(status=401, error=ECHO.error),
    Behaviour(status=500, error=ECHO.error),
    Behaviour(status=429, error=ECHO.error),
    Behaviour(error=ECHO.error, error_in_200=True),
    presets.error_event(0, ECHO.error),
    presets.error_event(3, ECHO.error),
    Behaviour(body=f"<html>{PROVIDER}</html>", content_type="text/html"),
    Behaviour(body=f"not json {PROVIDER}"),
    presets.cut(after_bytes=20),
    presets.reset(),
    Behaviour(headers=(("set-cookie", PROVIDER), ("x-request-id", PROVIDER), ("openai-organization", "org-CANARY"))),
]


async def everything(running: Gateway, provider: FakeProvider, key: dict[str, str]) -> list[str]:
    """Go through the error paths; returns everything that clients saw."""
    seen = []
    bad = {"authorization": key["authorization"][:-3] + "xxx"}
    for script in SCRIPTS:
        provider.set_script(script)
        for stream in (False, True):
            running.runtime.health._circuits.clear()
            seen.append(await running.chat(headers=key, stream=stream))
    seen.append(await running.chat(headers=bad))
    seen.append(await running.chat(headers=key, model="nope"))
    seen.append(await running.post("/chat/completions", b"{", key))
    seen.append(await running.post("/chat/completions", b'{"model": "openai/m"}', key))
    seen.append(await running.get("/nowhere", key))
    seen.append(await running.get("/models", key))
    seen.append(await running.post("/embeddings", {"model": "auto", "input": "x"}, key))
    seen.append(await running.get(f"/models?key={key['authorization'][7:]}"))
    return [f"{a.status} {dict(a.headers)} {a.body.decode('latin-1')}" for a in seen]


async def test_no_canary_comes_out_anywhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    caplog.set_level(logging.DEBUG, "suffice")
    # The test's own client logs what it asks for.
    for name in ("httpx2", "httpcore2"):
        monkeypatch.setattr(logging.getLogger(name), "disabled", True)
    more = 'headers = { x-team = "${CANARY_HEADER}" }\napi_key = "${CANARY_KEY}"'
    async with FakeProvider(models=("m",), api_key=PROVIDER) as provider:
        variables = {"CANARY_KEY": PROVIDER, "CANARY_HEADER": HEADER}
        async with gateway(endpoint("one", provider.base_url, more=more), tmp_path, variables) as running:
            key = await running.key(owner="ann")
            secret = key["authorization"].partition(".")[2]
            outside = await everything(running, provider, key)
            # The provider did get them: the canaries sing where they should.
            assert provider.requests[0].header("authorization") == f"Bearer {PROVIDER}"
            assert provider.requests[0].header("x-team") == HEADER
            told: list[Any] = [running.runtime.story(row.row.request_id) for row in await running.recent()]
            assert len(told) > 20
            sinks = {
                "clients": "\n".join(outside),
                "explain": json.dumps(told, default=str),
                "metrics": running.runtime.metrics.render().decode(),
                "settings": repr(running.runtime.state.settings),
            }
        sinks["logs"] = caplog.text
        for path in tmp_path.rglob("*"):
            if path.is_file() and path.name != "suffice.toml":
                sinks[f"file {path.name}"] = path.read_bytes().decode("latin-1")
        for canary in (PROVIDER, HEADER, secret, "org-CANARY"):
            assert [name for name, text in sinks.items() if canary in text] == [], canary


async def test_a_provider_cannot_start_a_header_of_ours(tmp_path: Path):
    script = Behaviour(body='{"choices":[],"model":"m\\r\\nx-evil: 1","usage":null}')
    async with one_provider(tmp_path, script) as (running, _):
        answer = await running.chat()
    assert "x-evil" not in answer.headers


async def test_a_failure_of_ours_is_a_plain_500(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*args: object, **more: object) -> None:
        raise ZeroDivisionError(PROVIDER)

    async with (
        FakeProvider(models=("m",)) as provider,
        gateway(endpoint("one", provider.base_url), tmp_path) as running,
    ):
        monkeypatch.setattr(running.runtime.pipeline._routes, "first", broken)
        answer = await running.chat()
        assert (answer.status, answer.error["code"]) == (500, "internal_error")
        assert answer.request_id in answer.error["message"]
        assert PROVIDER not in answer.body.decode()
        assert "Traceback" not in answer.body.decode()
