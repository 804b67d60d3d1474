"""Every client dialect with every provider dialect, over real sockets: what is said arrives, whichever way it went."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.e2e.clients import ASK, PIXEL, Chat, Messages, ask
from tests.e2e.clients_more import Gemini, Responses
from tests.gateway.running import PRICE, Gateway, gateway, one_provider

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Error, Frames, Timing, ToolCall, Toxic

# A provider of the catalogue that speaks the dialect, and the address to give for it.
PROVIDERS = {
    "chat": ("openai", "/v1"),
    "messages": ("anthropic", ""),
    "responses": ("openai", "/v1"),
    "gemini": ("google-gemini", "/v1beta"),
}
CLIENTS: dict[str, Any] = {client.name: client for client in (Chat(), Messages(), Responses(), Gemini())}
PAIRS = [(c, p) for c in CLIENTS for p in PROVIDERS]
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
EVERY = pytest.mark.parametrize(("client", "provider"), PAIRS, ids=["-to-".join(pair) for pair in PAIRS])


def settings(dialect: str, url: str, name: str = "one") -> str:
    provider, path = PROVIDERS[dialect]
    address = url.removesuffix("/v1") + path
    lines = [f'[endpoints."{name}"]', f'provider = "{provider}"', f'base_url = "{address}"', "private = true"]
    lines += ['models = ["m"]', 'api_key = "key-of-ours-1234"', f'dialects = ["{dialect}"]']
    lines += [f'[endpoints."{name}".prices]', f'"m" = {PRICE}']
    return "\n".join([*lines, ""])


def seeing(dialect: str) -> str:
    return f'[models."{PROVIDERS[dialect][0]}/m"]\ncapabilities = ["tools", "vision", "structured", "reasoning"]\n'


@asynccontextmanager
async def talking(folder: Path, dialect: str, script: Any) -> AsyncIterator[tuple[Gateway, FakeProvider]]:
    async with FakeProvider(script, models=("m",), api_key="key-of-ours-1234") as fake:
        aliases = f'[aliases]\none = ["{PROVIDERS[dialect][0]}/m"]\n'
        async with gateway(aliases + seeing(dialect) + settings(dialect, fake.base_url), folder) as running:
            yield running, fake


def sent(fake: FakeProvider) -> dict[str, Any]:
    """The one request that the provider got."""
    (request,) = fake.requests
    assert request.parsed is not None
    assert request.parsed.get("model", "m") == "m" and ("model" in request.parsed or "/models/m:" in request.path)
    return request.parsed


@EVERY
@BOTH
async def test_text(client: str, provider: str, stream: bool, tmp_path: Path):
    said = Behaviour(text="Sunny in both.", prompt_tokens=100, cached_tokens=40)
    async with talking(tmp_path, provider, said) as (running, fake):
        told = await ask(running, CLIENTS[client], "text", stream)
        assert (told.status, told.text, told.ended) == (200, "Sunny in both.", True)
        assert told.stop == CLIENTS[client].stops["end"]
        assert (told.prompt_tokens, told.output_tokens) == (100, 4)
        assert ASK in json.dumps(sent(fake))
        (row,) = await running.rows(told.answer)
        assert (row.row.charge_class, row.detail.result.usage.cache_read_tokens) == ("exact", 40)
        assert row.detail.result.usage.input_tokens == 60
        assert await running.findings() == []


@EVERY
@BOTH
@pytest.mark.parametrize("count", [1, 2], ids=["tool", "parallel"])
async def test_tools(client: str, provider: str, stream: bool, count: int, tmp_path: Path):
    calls = tuple(ToolCall(name="weather", arguments=f'{{"city":"{city}"}}') for city in ("Oslo", "Rome")[:count])
    async with talking(tmp_path, provider, Behaviour(text="", tool_calls=calls)) as (running, fake):
        told = await ask(running, CLIENTS[client], "parallel", stream)
        assert told.calls == [("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"})][:count]
        if (client, provider) != ("gemini", "gemini"):  # Gemini itself gives no ids
            assert len(set(told.ids)) == count and all(told.ids)
        assert (told.stop, told.ended) == (CLIENTS[client].stops["tools"], True)
        assert "additionalProperties" in json.dumps(sent(fake)["tools"])


@EVERY
async def test_a_tool_loop_goes_on_with_what_the_client_was_given(client: str, provider: str, tmp_path: Path):
    call = Behaviour(text="", tool_calls=(ToolCall(name="weather", arguments='{"city":"Oslo"}'),))
    async with talking(tmp_path, provider, [call, Behaviour(text="Rain.")]) as (running, fake):
        speaker = CLIENTS[client]
        told = await ask(running, speaker, "tools", False)
        answer = speaker.told(await running.post(speaker.path, speaker.history(told, ["It rains."])))
        assert answer.text == "Rain."
        body = json.dumps(fake.requests[1].parsed)
        assert "It rains." in body
        if provider != "gemini":
            assert body.count(told.ids[0]) == 2


@EVERY
@BOTH
async def test_reasoning(client: str, provider: str, stream: bool, tmp_path: Path):
    async with talking(tmp_path, provider, Behaviour(text="42", reasoning="Let me think.")) as (running, fake):
        told = await ask(running, CLIENTS[client], "reasoning", stream)
        assert (told.text, told.thought, told.ended) == ("42", "Let me think.", True)
        asked = sent(fake)
        assert {"reasoning_effort", "thinking", "reasoning"} & set(asked) or "thinkingConfig" in asked[
            "generationConfig"
        ]


@EVERY
@BOTH
async def test_images(client: str, provider: str, stream: bool, tmp_path: Path):
    async with talking(tmp_path, provider, Behaviour(text="A pixel.")) as (running, fake):
        told = await ask(running, CLIENTS[client], "images", stream)
        assert (told.text, told.ended) == ("A pixel.", True)
        assert PIXEL in json.dumps(sent(fake))


@EVERY
@BOTH
async def test_structured_output(client: str, provider: str, stream: bool, tmp_path: Path):
    async with talking(tmp_path, provider, Behaviour(text='{"city":"Oslo"}')) as (running, fake):
        told = await ask(running, CLIENTS[client], "structured", stream)
        assert json.loads(told.text) == {"city": "Oslo"}
        assert "additionalProperties" in json.dumps(sent(fake))


def inside(provider: str) -> Toxic:
    """A cut in the middle of the first tool call; Gemini's calls come whole, so there it is before the end."""
    return Toxic(cut_after_events=1 if provider == "gemini" else 4)


FAULTS = {
    "invalid": (Behaviour(status=400, error=Error(message="tool_9 is not valid", type="invalid_request_error")), 400),
    "context": (
        Behaviour(
            status=400,
            error=Error(message="prompt is too long: 300000 tokens > 200000 maximum", type="invalid_request_error"),
        ),
        400,
    ),
    "rate": (Behaviour(status=429, error=Error(message="slow down", type="rate_limit_error"), retry_after="30"), 429),
    "overloaded": (Behaviour(status=529, error=Error(message="Overloaded", type="overloaded_error")), 503),
    "auth": (
        Behaviour(status=401, error=Error(message="bad key sk-ant-api03-abcdef", type="authentication_error")),
        502,
    ),
    "billing": (Behaviour(status=402, error=Error(message="org-1234567 has no credit", type="billing_error")), 503),
    "broken": (Behaviour(status=500, error=Error(message="oops")), 502),
}


@EVERY
@BOTH
@pytest.mark.parametrize("fault", list(FAULTS))
async def test_errors(client: str, provider: str, stream: bool, fault: str, tmp_path: Path):
    script, status = FAULTS[fault]
    async with talking(tmp_path, provider, script) as (running, _):
        told = await ask(running, CLIENTS[client], "text", stream)
        if (client, fault) == ("messages", "overloaded"):
            status = 529
        if (client, provider, fault) == ("messages", "messages", "broken"):
            status = 500
        assert told.status == status
        assert told.error and "key-of-ours" not in told.message
        assert "sk-ant" not in told.message and "org-1234567" not in told.message
        if fault == "context":
            assert "prompt is too long" in told.message.lower()
        if fault == "rate":
            assert int(told.answer.headers["retry-after"]) >= 1
        rows = await running.rows(told.answer)
        assert {row.row.charge_class for row in rows} == {"none"}


@EVERY
@pytest.mark.parametrize(
    "toxic", [Toxic(cut_after_events=4), Toxic(cut_after_events=4, rst=True), Toxic(error_after_events=6)]
)
async def test_a_broken_stream_never_succeeds(client: str, provider: str, toxic: Toxic, tmp_path: Path):
    # Tokens come one by one, so that the head has left before the break.
    said = Behaviour(text="This goes on for a while.", toxic=toxic, timing=Timing(between_tokens_s=0.01))
    async with talking(tmp_path, provider, said) as (running, _):
        told = await ask(running, CLIENTS[client], "text", True)
        assert told.status == 200
        assert told.error and not told.ended and not told.stop
        (row,) = await running.rows(told.answer)
        assert row.row.charge_class == "est"


@pytest.mark.parametrize(("client", "provider"), [pair for pair in PAIRS if pair[0] != pair[1]])
async def test_a_stream_cut_inside_a_tool_call_shows_none_of_it(client: str, provider: str, tmp_path: Path):
    calls = (ToolCall(name="weather", arguments='{"city":"Oslo is a long name for a city"}'),)
    said = Behaviour(text="", tool_calls=calls, toxic=inside(provider), timing=Timing(between_tokens_s=0.01))
    async with talking(tmp_path, provider, said) as (running, _):
        told = await ask(running, CLIENTS[client], "tools", True)
        # Nothing was visible, so the truth is told with its status.
        assert (told.status, told.calls) == (502, [])


@pytest.mark.parametrize(("client", "provider"), [pair for pair in PAIRS if pair[0] != pair[1]])
async def test_a_stream_cut_inside_a_tool_call_goes_on_elsewhere(client: str, provider: str, tmp_path: Path):
    calls = (ToolCall(name="weather", arguments='{"city":"Oslo"}'),)
    good = Behaviour(text="", tool_calls=calls)
    bad = replace(good, toxic=inside(provider), timing=Timing(between_tokens_s=0.005))
    key = "key-of-ours-1234"
    async with (
        FakeProvider(bad, models=("m",), api_key=key) as first,
        FakeProvider(good, models=("m",), api_key=key) as second,
    ):
        toml = f'[aliases]\none = ["{PROVIDERS[provider][0]}/m"]\n'
        toml += settings(provider, first.base_url, "a") + settings(provider, second.base_url, "b")
        async with gateway(toml, tmp_path) as running:
            told = await ask(running, CLIENTS[client], "tools", True)
            assert (told.status, told.calls, told.ended) == (200, [("weather", {"city": "Oslo"})], True)
            assert [r.row.outcome for r in await running.rows(told.answer)] == ["failed", "ok"]


@EVERY
@pytest.mark.parametrize(
    "frames",
    [Frames(comments=True), Frames(crlf=True), Frames(no_final_newline=True)],
    ids=["comments", "crlf", "newline"],
)
async def test_odd_frames(client: str, provider: str, frames: Frames, tmp_path: Path):
    said = Behaviour(text="Odd but good.", frames=frames, timing=Timing(write_bytes=7))
    async with talking(tmp_path, provider, said) as (running, _):
        told = await ask(running, CLIENTS[client], "text", True)
        assert (told.text, told.ended) == ("Odd but good.", True)


# Bodies that are well formed and cannot be read all the same: never a 500, never sent on where we have to read them.
UNREADABLE = [b'"odd":{"x":1e400}', b'"odd":"\\ud800"', b'"odd":[' + b"[" * 120 + b"]" * 120 + b"]"]


@pytest.mark.parametrize("more", UNREADABLE, ids=["infinite", "surrogate", "deep"])
@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("/messages", b'"max_tokens":5,"messages":[{"role":"user","content":"hi"}]'),
        ("/responses", b'"input":"hi"'),
        ("v1beta/models/openai/m:generateContent", b'"contents":[{"role":"user","parts":[{"text":"hi"}]}]'),
    ],
)
async def test_what_cannot_be_read_is_the_callers_mistake(path: str, start: bytes, more: bytes, tmp_path: Path):
    async with one_provider(tmp_path) as (running, fake):
        answer = await running.post(path, b'{"model":"openai/m",' + start + b"," + more + b"}")
        assert answer.status in (200, 400), answer.body
        assert (answer.status == 200) == bool(fake.requests)
        assert all(b"e400" not in request.body and b"ud800" not in request.body for request in fake.requests)


GEMINI_ASK: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


async def test_the_key_of_a_gemini_request_may_stand_in_its_query_and_goes_nowhere_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    async with talking(tmp_path, "gemini", Behaviour()) as (running, fake):
        secret = (await running.key(owner="ada"))["authorization"].removeprefix("Bearer ")
        path = "v1beta/models/google-gemini/m:"
        whole = await running.post(f"{path}generateContent?key={secret}", GEMINI_ASK)
        stream = await running.post(f"{path}streamGenerateContent?alt=sse&key={secret}&x=1", GEMINI_ASK)
        assert (whole.status, stream.status) == (200, 200)
        assert stream.body.startswith(b"data:")
        assert (await running.rows(whole))[0].row.owner == "ada"
        for query in ("", "?key=", "?key=sk-sf-wrong.wrong", f"?kkey={secret}"):
            assert (await running.post(f"{path}generateContent{query}", GEMINI_ASK)).status == 401
        # A header counts more, and other dialects know no such thing.
        told = await running.post(f"{path}generateContent?key={secret}", GEMINI_ASK, {"x-goog-api-key": "wrong"})
        assert told.status == 401
        assert (await running.chat(model="google-gemini/m", headers={})).status == 401
        assert (await running.post(f"/chat/completions?key={secret}", {})).status == 401
        assert len(fake.requests) == 2
        assert all(secret.encode() not in r.path.encode() + r.body + repr(r.headers).encode() for r in fake.requests)
        ours = [r.getMessage() for r in caplog.records if not r.name.startswith("http")]  # the client logs its own URL
        assert all(secret not in message for message in ours)
        assert all(secret.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
