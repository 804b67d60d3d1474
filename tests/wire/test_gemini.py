from __future__ import annotations

import json

import pytest

from suffice.errors import WireError
from suffice.wire import gemini, translate
from suffice.wire.codec import Emulation, Target
from suffice.wire.gemini import GeminiCall, parse_path
from suffice.wire.openai_chat import CODEC as CHAT

from .gemini_samples import CHUNKS, TARGET, array, context, sse


@pytest.mark.parametrize(
    ("path", "query", "call"),
    [
        (
            "/v1beta/models/m:generateContent",
            "",
            GeminiCall(model="m", method="generateContent", stream=False, array=False),
        ),
        (
            "/v1beta/models/ollama/qwen3-coder:30b:generateContent",
            "",
            GeminiCall(model="ollama/qwen3-coder:30b", method="generateContent", stream=False, array=False),
        ),
        (
            "/v1/models/a%2Fb:streamGenerateContent",
            "alt=sse&key=k",
            GeminiCall(model="a/b", method="streamGenerateContent", stream=True, array=False, key="k"),
        ),
        (
            "/v1beta1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent",
            "",
            GeminiCall(model="m", method="streamGenerateContent", stream=True, array=True),
        ),
        (
            "/v1beta/models/openai/gpt-5:countTokens",
            "",
            GeminiCall(model="openai/gpt-5", method="countTokens", stream=False, array=False),
        ),
    ],
)
def test_the_path_says_model_and_method(path: str, query: str, call: GeminiCall) -> None:
    assert parse_path(path, query) == call


@pytest.mark.parametrize(
    "path", ["/v1beta/models/m", "/v1beta/models/m:delete", "/x/models/m:generateContent", "/v1/chat"]
)
def test_other_paths_are_not_ours(path: str) -> None:
    assert parse_path(path) is None


def test_counting_bodies_go_there_and_back() -> None:
    request = gemini.decode_count_request(b'{"contents":[{"parts":[{"text":"hi"}]}]}')
    body = gemini.encode_count_request(request, TARGET)
    assert json.loads(body)["generateContentRequest"]["model"] == "models/gemini-3-flash-preview"
    assert gemini.decode_count_request(body).messages == request.messages
    assert gemini.decode_count_response(gemini.encode_count_response(12)) == 12
    for bad in (b"{}", b"[]", b"x", b'{"totalTokens":-1}', b'{"totalTokens":true}'):
        with pytest.raises(WireError):
            gemini.decode_count_response(bad)


@pytest.mark.parametrize("codec", [gemini.CODEC, gemini.ARRAY_CODEC])
def test_a_chat_provider_serves_a_gemini_client(codec: gemini.Gemini) -> None:
    call = {"index": 0, "id": "t", "function": {"name": "f", "arguments": ""}}
    rows = [
        {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "hi"}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    ]
    data = b"".join(b"data: " + json.dumps(row).encode() + b"\n\n" for row in rows) + b"data: [DONE]\n\n"
    translator = translate.stream(CHAT, codec, Target(model="m", issuer="openai"), context(stream=True), Emulation())
    out = translator.feed(data) + translator.close()
    assert translator.done
    payloads = (
        json.loads(out) if codec is gemini.ARRAY_CODEC else [json.loads(p[6:]) for p in out.split(b"\r\n\r\n") if p]
    )
    assert payloads[-1]["candidates"][0]["finishReason"] == "STOP"
    assert payloads[1]["candidates"][0]["content"]["parts"][0]["functionCall"] == {"id": "t", "name": "f", "args": {}}


@pytest.mark.parametrize("framing", [sse, array])
def test_a_gemini_provider_serves_a_chat_client(framing: object) -> None:
    translator = translate.stream(gemini.CODEC, CHAT, TARGET, context(stream=True), Emulation())
    out = translator.feed(framing(CHUNKS)) + translator.close()  # type: ignore[operator]
    assert translator.done
    assert out.endswith(b"data: [DONE]\n\n")
    assert translator.finish_reason == "tool_calls"
