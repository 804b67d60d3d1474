"""Gemini to Gemini: the bytes, and the stream as an array."""

import json
from pathlib import Path

from tests.gateway.running import PRICE, gateway

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour

BODY = b'{ "contents":[{"role":"user","parts":[{"text":"hi"}]}] , "newField": {"kept":1.50} }'


def toml(url: str) -> str:
    lines = ["[endpoints.one]", 'provider = "google-gemini"', f'base_url = "{url.removesuffix("/v1")}/v1beta"']
    lines += ["private = true", 'models = ["m"]', 'api_key = "key-of-ours-1234"']
    return "\n".join([*lines, "[endpoints.one.prices]", f"m = {PRICE}", ""])


async def test_bytes_go_on_as_they_came(tmp_path: Path):
    async with FakeProvider(Behaviour(text="hi")) as fake, gateway(toml(fake.base_url), tmp_path) as up:
        answer = await up.post("v1beta/models/google-gemini/m:generateContent", BODY, {"x-goog-api-key": "mine"})
        assert answer.status == 200, answer.body
        assert answer.json["candidates"][0]["content"]["parts"] == [{"text": "hi"}]
        (request,) = fake.requests
        assert (request.body, request.path) == (BODY, "/v1beta/models/m:generateContent")
        assert request.header("x-goog-api-key") == "key-of-ours-1234"


async def test_a_stream_without_alt_is_an_array(tmp_path: Path):
    async with FakeProvider(Behaviour(text="hi there")) as fake, gateway(toml(fake.base_url), tmp_path) as up:
        answer = await up.post("v1beta/models/m:streamGenerateContent", BODY)
        assert answer.headers["content-type"] == "application/json"
        rows = json.loads(answer.body)
        assert rows[-1]["candidates"][0]["finishReason"] == "STOP"
        assert fake.requests[0].query == "alt=sse"


async def test_a_broken_stream_ends_in_the_dialects_error(tmp_path: Path):
    broken = Behaviour(
        body='data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n\n', content_type="text/event-stream"
    )
    async with FakeProvider(broken) as fake, gateway(toml(fake.base_url), tmp_path) as up:
        answer = await up.post("v1beta/models/m:streamGenerateContent?alt=sse", {**json.loads(BODY), "stream": None})
        assert b"error" in answer.body and b"finishReason" not in answer.body
