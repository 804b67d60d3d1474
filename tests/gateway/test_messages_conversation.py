"""Messages to Messages: the bytes, the headers and the errors that clients of the dialect react to."""

import json
from pathlib import Path

from tests.e2e.clients import ASK
from tests.gateway.running import PRICE, gateway

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Error, Frames

BODY = b'{ "model" : "anthropic/m" , "max_tokens":50,"new_field": {"kept":1.50}, "messages":[{"role":"user","content":"hi"}] }'


def toml(url: str) -> str:
    lines = ["[endpoints.one]", 'provider = "anthropic"', f'base_url = "{url.removesuffix("/v1")}"', "private = true"]
    lines += ['models = ["m"]', 'api_key = "key-of-ours-1234"', "[endpoints.one.prices]", f"m = {PRICE}"]
    return "\n".join(lines) + "\n"


async def test_bytes_and_headers_go_on_as_they_came(tmp_path: Path):
    async with FakeProvider(Behaviour(text="hi")) as fake, gateway(toml(fake.base_url), tmp_path) as running:
        headers = {"anthropic-version": "2024-01-01", "anthropic-beta": "a-2025,b-2026", "x-api-key": "ignored"}
        answer = await running.post("/messages?beta=true", BODY, headers)
        assert answer.status == 200 and answer.json["content"][0]["text"] == "hi"
        (request,) = fake.requests
        assert request.body == BODY.replace(b'"anthropic/m"', b'"m"')
        assert (request.path, request.query) == ("/v1/messages", "beta=true")
        assert request.header("anthropic-version") == "2024-01-01"
        assert request.header("anthropic-beta") == "a-2025,b-2026"
        assert request.header("x-api-key") == "key-of-ours-1234"
        assert request.header("authorization") is None


async def test_a_strict_client_is_shown_no_foreign_event(tmp_path: Path):
    script, body = Behaviour(text="hi", frames=Frames(unknown_event=True)), BODY.replace(b"{", b'{"stream":true,', 1)
    async with FakeProvider(script) as fake, gateway(toml(fake.base_url), tmp_path) as running:
        for agent, shown in (("opencode/1.18 ai-sdk/provider-utils/4.0", False), ("claude-cli/2.1", True)):
            answer = await running.post("/messages", body, {"user-agent": agent})
            assert (b"telemetry" in answer.body) is shown and b"message_stop" in answer.body


async def test_a_version_is_sent_when_the_client_names_none(tmp_path: Path):
    async with FakeProvider(Behaviour()) as fake, gateway(toml(fake.base_url), tmp_path) as running:
        await running.post("/messages", BODY)
        assert fake.requests[0].header("anthropic-version") == "2023-06-01"
        assert fake.requests[0].query == ""


async def test_the_providers_own_words_reach_the_client_without_secrets(tmp_path: Path):
    words = "capability_rejected:x for sk-ant-api03-aaaaaaaaaaaa in org-12345678: prompt is too long"
    script = Behaviour(status=400, error=Error(message=words, type="invalid_request_error"))
    async with FakeProvider(script) as fake, gateway(toml(fake.base_url), tmp_path) as running:
        answer = await running.post("/messages", BODY)
        assert answer.status == 400
        assert answer.error == {
            "type": "invalid_request_error",
            "message": "capability_rejected:x for [hidden] in [hidden] prompt is too long",
        } or answer.error["message"].endswith("prompt is too long")
        assert "aaaa" not in answer.error["message"] and "12345678" not in answer.error["message"]
        assert answer.json["request_id"] == answer.request_id


async def test_a_refused_credential_of_ours_is_not_the_clients(tmp_path: Path):
    script = Behaviour(status=403, error=Error(message="your org is disabled", type="permission_error"))
    async with FakeProvider(script) as fake, gateway(toml(fake.base_url), tmp_path) as running:
        answer = await running.post("/messages", BODY)
        assert answer.status == 502 and "org" not in json.dumps(answer.json["error"])


async def test_a_loop_may_change_providers(tmp_path: Path):
    """Signed thinking of one provider is not shown to another that speaks the same dialect."""
    async with FakeProvider([Behaviour(text="4", reasoning="2+2"), Behaviour(text="5")], models=("m",)) as fake:
        second = toml(fake.base_url).replace("endpoints.one", "endpoints.two").replace('"anthropic"', '"deepseek"')
        async with gateway(toml(fake.base_url) + second, tmp_path) as running:
            body = {"model": "anthropic/m", "max_tokens": 50, "messages": [{"role": "user", "content": ASK}]}
            first = await running.post("/messages", body)
            turns = [{"role": "assistant", "content": first.json["content"]}, {"role": "user", "content": "and?"}]
            again = {**body, "model": "deepseek/m", "messages": [*body["messages"], *turns]}
            answer = await running.post("/messages", again)
            assert answer.json["content"][-1]["text"] == "5"
            assert "signature" not in json.dumps(fake.requests[1].parsed)
