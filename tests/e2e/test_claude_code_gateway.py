"""The published Claude Code gateway protocol, line by line (docs/claude-code-gateway.md), as a gateway without sign-in can keep it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import PRICE, Gateway, gateway

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Error, Timing

# The shape of what the client sends: an attribution block first, fields and flags from lists that stay open.
BODY: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 32000,
    "stream": True,
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli;"},
        {"type": "text", "text": "You are a coding agent.", "cache_control": {"type": "ephemeral"}},
    ],
    "messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}],
    "tools": [{"name": "Bash", "input_schema": {"type": "object"}, "strict": True, "defer_loading": True}],
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "high"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015"}]},
    "a_field_of_next_year": {"kept": 1.50},
}
FLAGS = {"anthropic-version": "2023-06-01", "anthropic-beta": "claude-code-20250219,next-year-2027-01-01"}


def settings(url: str, provider: str = "anthropic", more: str = "") -> str:
    base = url.removesuffix("/v1") if provider == "anthropic" else url
    lines = ["[endpoints.one]", f'provider = "{provider}"', f'base_url = "{base}"', "private = true"]
    lines += ['models = ["claude-x"]', 'api_key = "key-of-ours-1234"', more]
    return "\n".join([*lines, "[endpoints.one.prices]", f"claude-x = {PRICE}", ""])


async def send(up: Gateway, body: Any = BODY, **headers: str) -> Any:
    return await up.post("/messages?beta=true", body, FLAGS | {k.replace("_", "-"): v for k, v in headers.items()})


async def test_body_flags_and_query_reach_a_provider_of_the_dialect_byte_for_byte(tmp_path: Path):
    async with FakeProvider(Behaviour(text="yes")) as fake, gateway(settings(fake.base_url), tmp_path) as up:
        raw = json.dumps(BODY, indent=1).encode()
        answer = await send(up, raw)
        assert answer.status == 200 and b"event: message_stop" in answer.body
        (request,) = fake.requests
        assert (request.body, request.query) == (raw, "beta=true")
        assert {name: request.header(name) for name in FLAGS} == FLAGS


@pytest.mark.parametrize("provider", ["openai", "google-gemini", "deepseek"])
async def test_what_another_dialect_has_no_words_for_is_dropped_by_name_not_refused(provider: str, tmp_path: Path):
    async with FakeProvider(Behaviour(text="yes")) as fake:
        more = "" if provider == "google-gemini" else 'dialects = ["chat"]'
        async with gateway(settings(fake.base_url, provider, more), tmp_path) as up:
            answer = await send(up)
            assert answer.status == 200 and b"event: message_stop" in answer.body
            lost = answer.headers["x-suffice-losses"]
            assert "a_field_of_next_year" in lost and "context_management" in lost
            told = json.dumps(fake.requests[0].parsed)
            assert "cc_version" in told and "a_field_of_next_year" not in told and "adaptive" not in told


@pytest.mark.parametrize("name", ["authorization", "x-api-key"])
async def test_the_key_comes_in_either_header_and_never_goes_on(name: str, tmp_path: Path):
    async with FakeProvider(Behaviour()) as fake, gateway(settings(fake.base_url), tmp_path) as up:
        secret = (await up.key(owner="ada"))["authorization"].removeprefix("Bearer ")
        value = f"Bearer {secret}" if name == "authorization" else secret
        assert (await send(up, **{name: value})).status == 200
        assert (await send(up, **{name: "wrong"})).status == 401
        assert (await send(up)).status == 401
        assert all(secret not in repr(r.headers) + r.body.decode() for r in fake.requests)
        models = await up.get("/models?limit=1000", {name: value, "anthropic-version": "2023-06-01"})
        (row,) = [r for r in models.json["data"] if r["id"].endswith("claude-x")]
        assert row["type"] == "model" and row["display_name"] and models.json["has_more"] is False


async def test_the_probe_is_answered_without_a_body_or_a_key(tmp_path: Path):
    async with FakeProvider() as fake, gateway(settings(fake.base_url), tmp_path) as up:
        await up.key(owner="ada")
        got = await up.client.head(up.base_url.removesuffix("v1"))
        assert (got.status_code, got.content) == (200, b"")
        assert fake.requests == []


ERRORS = [
    (Error(message="prompt is too long: 210000 tokens > 200000 maximum", type="invalid_request_error"), 400),
    (Error(message="capability_rejected:context_management", type="invalid_request_error"), 400),
    (Error(message="model: claude-x", type="not_found_error"), 404),
    (Error(message="Request exceeds the maximum size", type="request_too_large"), 413),
    (Error(message="Overloaded", type="overloaded_error"), 529),
    (Error(message="Internal server error", type="api_error"), 500),
]


@pytest.mark.parametrize(("error", "status"), ERRORS, ids=[str(status) + e.type for e, status in ERRORS])
async def test_a_providers_errors_come_unmodified(error: Error, status: int, tmp_path: Path):
    async with (
        FakeProvider(Behaviour(status=status, error=error)) as fake,
        gateway(settings(fake.base_url), tmp_path) as up,
    ):
        answer = await send(up)
        assert answer.status == status
        assert answer.json["type"] == "error" and answer.json["request_id"] == answer.request_id
        assert (answer.json["error"]["type"], answer.json["error"]["message"]) == (error.type, error.message)


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_our_accounts_troubles_are_never_the_clients(status: int, tmp_path: Path):
    refused = Error(message="org-1234567 of ops@acme.dev may not", type="permission_error")
    async with (
        FakeProvider(Behaviour(status=status, error=refused)) as fake,
        gateway(settings(fake.base_url), tmp_path) as up,
    ):
        answer = await send(up)
        assert answer.status in (502, 503)
        assert not any(word in answer.body.decode() for word in ("org-1234567", "acme.dev", "key-of-ours"))


async def test_a_spend_limit_says_nothing_of_retrying_and_a_rate_limit_does(tmp_path: Path):
    limit = Error(message="slow down", type="rate_limit_error")
    async with (
        FakeProvider(Behaviour(status=429, error=limit, retry_after="7")) as fake,
        gateway(settings(fake.base_url) + "[budgets.b]\nlimit_usd = 0.000001\nwindow = 'day'\n", tmp_path) as up,
    ):
        told = await send(up, **await up.key(owner="ada"))
        assert told.status == 429 and int(told.headers["retry-after"]) >= 1
        poor = await send(up, **await up.key(owner="bob", budgets=("b",)))
        assert poor.status == 402 and "retry-after" not in poor.headers and len(fake.requests) >= 1


async def test_events_are_not_held_back_and_pings_are_events(tmp_path: Path):
    slow = Behaviour(text="one two three four", timing=Timing(between_tokens_s=0.2))
    async with FakeProvider(slow) as fake, gateway(settings(fake.base_url), tmp_path) as up:
        url = up.base_url + "/messages?beta=true"
        seen: list[bytes] = []
        async with up.client.stream("POST", url, json=BODY, headers=FLAGS) as got:
            async for piece in got.aiter_raw():
                seen.append(piece)
        assert len([piece for piece in seen if b"text_delta" in piece]) >= 4


async def test_the_clients_session_is_the_ledgers(tmp_path: Path):
    async with FakeProvider(Behaviour()) as fake, gateway(settings(fake.base_url), tmp_path) as up:
        key = await up.key(owner="ada")
        answers = [await send(up, **key, x_claude_code_session_id=name) for name in ("s1", "s1", "s2")]
        sessions = [(await up.rows(a))[0].detail.intent.session for a in answers]
        assert sessions[0] == sessions[1] != sessions[2] and "s1" not in sessions[0]
        counted = await up.post("/messages/count_tokens", {k: v for k, v in BODY.items() if k != "stream"}, key | FLAGS)
        assert counted.status == 200 and counted.json["input_tokens"] > 0
