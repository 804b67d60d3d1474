"""Every client dialect with the clouds and Cohere, over real sockets: what is said arrives, and what is counted is booked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.clients import ASK, PIXEL, Chat, Messages, ask
from tests.e2e.clients_more import Gemini, Responses
from tests.gateway.running import PRICE, Gateway, gateway

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Error, Timing, ToolCall, Toxic

# Provider of the catalogue, path of its base address, model, and settings of its endpoint.
AWS = 'region = "us-east-1"\naccess_key_id = "${ID}"\nsecret_access_key = "${SECRET}"\n'
GOOGLE = 'region = "us-east1"\nproject = "acme"\napi_key = "${SECRET}"\n'
VERTEX = "/v1/projects/acme/locations/us-east1"
CLOUDS = {
    "converse": ("bedrock", "", "us.amazon.nova-pro-v1:0", AWS),
    "bedrock-messages": ("bedrock", "", "us.anthropic.claude-sonnet-5-v1:0", AWS),
    "vertex-messages": ("google-vertex", VERTEX, "claude-sonnet-5@20260101", GOOGLE),
    "vertex-gemini": ("google-vertex", VERTEX, "gemini-3-pro", GOOGLE),
    "cohere": ("cohere", "/v2", "command-a", 'api_key = "${SECRET}"\n'),
}
CLIENTS: dict[str, Any] = {client.name: client for client in (Chat(), Messages(), Responses(), Gemini())}
ENV = {"ID": "AKIDEXAMPLE00000", "SECRET": "not-a-real-secret"}
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
EVERY = pytest.mark.parametrize(("client", "cloud"), [(c, p) for c in CLIENTS for p in CLOUDS])


@asynccontextmanager
async def talking(folder: Path, cloud: str, script: Any) -> AsyncIterator[tuple[Gateway, FakeProvider]]:
    provider, path, model, more = CLOUDS[cloud]
    async with FakeProvider(script) as fake:
        toml = f'[aliases]\none = ["{provider}/{model}"]\n[endpoints.one]\nprovider = "{provider}"\nprivate = true\n'
        toml += f'base_url = "{fake.base_url.removesuffix("/v1")}{path}"\nmodels = ["{model}"]\n{more}'
        toml += f'[endpoints.one.prices]\n"{model}" = {PRICE}\n'
        toml += f'[models."{provider}/{model}"]\ncapabilities = ["tools", "vision", "structured", "reasoning"]\n'
        async with gateway(toml, folder, ENV) as running:
            yield running, fake


@EVERY
@BOTH
async def test_text(client: str, cloud: str, stream: bool, tmp_path: Path):
    said = Behaviour(text="Sunny in both.", prompt_tokens=100, cached_tokens=40)
    async with talking(tmp_path, cloud, said) as (running, fake):
        told = await ask(running, CLIENTS[client], "text", stream)
        assert (told.status, told.text, told.ended) == (200, "Sunny in both.", True), told.answer
        assert told.stop == CLIENTS[client].stops["end"]
        assert (told.prompt_tokens, told.output_tokens) == (100, 4)
        (request,) = fake.requests
        assert ASK in request.body.decode()
        (row,) = await running.rows(told.answer)
        assert (row.row.charge_class, row.detail.result.usage.cache_read_tokens) == ("exact", 40)
        assert row.detail.result.usage.input_tokens == 60
        assert await running.findings() == []


@EVERY
@BOTH
async def test_parallel_tools(client: str, cloud: str, stream: bool, tmp_path: Path):
    calls = tuple(ToolCall(name="weather", arguments=f'{{"city":"{city}"}}') for city in ("Oslo", "Rome"))
    async with talking(tmp_path, cloud, Behaviour(text="", tool_calls=calls)) as (running, fake):
        told = await ask(running, CLIENTS[client], "parallel", stream)
        assert told.calls == [("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"})], told.answer
        if (client, cloud) != ("gemini", "vertex-gemini"):
            assert len(set(told.ids)) == 2 and all(told.ids)
        assert (told.stop, told.ended) == (CLIENTS[client].stops["tools"], True)
        assert "city" in fake.requests[0].body.decode()


@EVERY
async def test_a_tool_loop_goes_on_with_what_the_client_was_given(client: str, cloud: str, tmp_path: Path):
    call = Behaviour(
        text="", reasoning="Look it up.", tool_calls=(ToolCall(name="weather", arguments='{"city":"Oslo"}'),)
    )
    async with talking(tmp_path, cloud, [call, Behaviour(text="Rain.")]) as (running, fake):
        speaker = CLIENTS[client]
        told = await ask(running, speaker, "tools", False)
        answer = speaker.told(await running.post(speaker.path, speaker.history(told, ["It rains."])))
        assert answer.text == "Rain.", answer.answer
        assert "It rains." in fake.requests[1].body.decode()


@EVERY
@BOTH
async def test_a_refused_credential_is_not_shown_as_the_clients_own(
    client: str, cloud: str, stream: bool, tmp_path: Path
):
    refused = Error(message="The security token of account 123456789012 is invalid", type="permission_error")
    async with talking(tmp_path, cloud, Behaviour(status=403, error=refused)) as (running, _):
        told = await ask(running, CLIENTS[client], "text", stream)
        assert told.status == 502 and "123456789012" not in told.answer.body.decode()
        (row,) = await running.rows(told.answer)
        assert (row.detail.result.fault_row, row.row.charge_class) == (26, "none")


@EVERY
async def test_a_stream_that_breaks_ends_in_an_honest_error(client: str, cloud: str, tmp_path: Path):
    slow = Timing(between_tokens_s=0.03)  # so that something has gone out before it breaks
    broken = Behaviour(text="Sunny in both places today.", toxic=Toxic(error_after_events=5), timing=slow)
    async with talking(tmp_path, cloud, broken) as (running, _):
        told = await ask(running, CLIENTS[client], "text", True)
        assert told.error and not told.ended, told.answer
        assert told.text.startswith("Sunn")


@pytest.mark.parametrize("cloud", ["converse", "bedrock-messages"])
@BOTH
async def test_what_aws_gets_is_signed(cloud: str, stream: bool, tmp_path: Path):
    async with talking(tmp_path, cloud, Behaviour()) as (running, fake):
        await ask(running, CLIENTS["messages"], "text", stream)
        (request,) = fake.requests
        assert "/AKIDEXAMPLE00000/" not in request.path and "%3A0/" in request.path
        assert request.header("authorization").startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE00000/")
        body = json.loads(request.body)
        assert "model" not in body and "stream" not in body
        assert ("anthropic_version" in body) == (cloud == "bedrock-messages")


@EVERY
@BOTH
async def test_structured_output(client: str, cloud: str, stream: bool, tmp_path: Path):
    said = Behaviour(text='{"city":"Oslo"}')
    async with talking(tmp_path, cloud, said) as (running, fake):
        told = await ask(running, CLIENTS[client], "structured", stream)
        assert json.loads(told.text) == {"city": "Oslo"}, told.answer
        assert "city" in fake.requests[0].body.decode()


@EVERY
async def test_images(client: str, cloud: str, tmp_path: Path):
    async with talking(tmp_path, cloud, Behaviour(text="A pixel.")) as (running, fake):
        told = await ask(running, CLIENTS[client], "images", True)
        assert (told.text, told.ended) == ("A pixel.", True), told.answer
        assert PIXEL in fake.requests[0].body.decode()


@pytest.mark.parametrize("client", ["chat", "responses"])
@pytest.mark.parametrize("cloud", list(CLOUDS))
@BOTH
async def test_freeform_tools(client: str, cloud: str, stream: bool, tmp_path: Path):
    patch = '*** Begin\n+ a "b" \\ c\n'
    calls = (ToolCall(name="patch", arguments=json.dumps({"input": patch})),)
    async with talking(tmp_path, cloud, Behaviour(text="", tool_calls=calls)) as (running, fake):
        told = await ask(running, CLIENTS[client], "custom", stream)
        assert told.calls == [("patch", patch)], told.answer
        assert "emulated=tools.custom" in told.answer.headers["x-suffice-losses"]
        assert '"custom"' not in fake.requests[0].body.decode()


GOOGLES = json.dumps({"error": {"code": 400, "message": "thinking.x: not allowed", "status": "INVALID_ARGUMENT"}})
LONG = "prompt is too long: 300000 tokens > 200000 maximum"
SAID: list[tuple[Behaviour, int, str, str]] = [
    (
        Behaviour(status=400, error=Error(message=LONG, type="invalid_request_error")),
        400,
        "invalid_request_error",
        LONG,
    ),
    (
        Behaviour(status=429, error=Error(message="Too many tokens", type="rate_limit_error")),
        429,
        "rate_limit_error",
        "",
    ),
    (Behaviour(status=404, error=Error(message="no such beta", type="not_found_error")), 404, "not_found_error", ""),
    (Behaviour(status=400, body=GOOGLES), 400, "invalid_request_error", "thinking.x: not allowed"),
]


@pytest.mark.parametrize("cloud", ["bedrock-messages", "vertex-messages"])
@pytest.mark.parametrize(("script", "status", "kind", "words"), SAID, ids=["long", "rate", "beta", "google"])
@BOTH
async def test_messages_clients_get_a_clouds_words_in_their_own_form(
    cloud: str, stream: bool, script: Behaviour, status: int, kind: str, words: str, tmp_path: Path
):
    async with talking(tmp_path, cloud, script) as (running, _):
        told = await ask(running, CLIENTS["messages"], "text", stream)
        expected = words or (script.error.message if script.error else "")
        assert (told.status, told.error, told.message) == (status, kind, expected)
        assert set(told.answer.json["error"]) == {"type", "message"}


@pytest.mark.parametrize("cloud", ["bedrock-messages", "vertex-messages"])
async def test_what_a_cloud_says_of_our_account_is_hidden(cloud: str, tmp_path: Path):
    message = "arn:aws:iam::123456789012:role/x may not use projects/acme-prod with this"
    async with talking(tmp_path, cloud, Behaviour(status=400, error=Error(message=message))) as (running, _):
        told = await ask(running, CLIENTS["messages"], "text", False)
        assert told.status == 400 and "may not use" in told.message
        assert not any(word in told.answer.body.decode() for word in ("123456789012", "acme-prod"))


CLASSES = {
    "invalid": (Behaviour(status=400, error=Error(message="tool_9 is not valid")), 400),
    "rate": (Behaviour(status=429, error=Error(message="slow down"), retry_after="30"), 429),
    "overloaded": (Behaviour(status=503, error=Error(message="Overloaded", type="overloaded_error")), 503),
    "broken": (Behaviour(status=500, error=Error(message="oops")), 502),
}


@EVERY
@pytest.mark.parametrize("fault", list(CLASSES))
async def test_classes_of_errors(client: str, cloud: str, fault: str, tmp_path: Path):
    script, status = CLASSES[fault]
    async with talking(tmp_path, cloud, script) as (running, _):
        told = await ask(running, CLIENTS[client], "text", fault in ("rate", "broken"))
        own_words = client == "messages" and cloud.endswith("messages")
        expected = {"overloaded": (503, 529), "broken": (500, 502)}.get(fault, (status,))
        assert told.status in expected if client == "messages" else told.status == status
        assert told.error and "not-a-real-secret" not in told.answer.body.decode()
        if fault == "invalid" or own_words:
            assert script.error is not None and script.error.message in told.message
        if fault == "rate":
            assert int(told.answer.headers["retry-after"]) >= 1
        assert {row.row.charge_class for row in await running.rows(told.answer)} == {"none"}
