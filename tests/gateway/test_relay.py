from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gateway.running import one_provider

from suffice.testing.script import Behaviour, Timing, Usage
from suffice.wire.chat_relay import ChatRelay

STREAM = b"".join(
    b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % word
    for word in (b"a", b"\xc3\xa9", b"[DONE] not")
)
STREAM += b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n'
END = b"data: [DONE]\n\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, len(STREAM + USAGE + END) - 1), max_size=6).map(sorted))
def test_however_a_stream_is_cut_the_client_gets_the_same(cuts: list[int]):
    whole = STREAM + USAGE + END
    reader = ChatRelay(swallow_usage=True)
    out = b""
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        out += reader.feed(whole[start:end])
    assert out + reader.close() == STREAM + END


@pytest.mark.parametrize("size", [1, 7, 64])
async def test_small_writes_of_the_provider_change_nothing(size: int, tmp_path: Path):
    script = Behaviour(timing=Timing(write_bytes=size, between_writes_s=0.0))
    async with one_provider(tmp_path, script) as (running, _):
        answer = await running.chat(stream=True)
        assert answer.text == script.text
        assert answer.events[-1] == "[DONE]"


async def test_a_provider_that_omits_done_is_completed(tmp_path: Path):
    body = STREAM.decode().replace("[DONE] not", "x")
    script = Behaviour(body=body, content_type="text/event-stream", usage=Usage(where="none"))
    async with one_provider(tmp_path, script) as (running, _):
        answer = await running.chat(stream=True)
        assert answer.events[-1] == "[DONE]"
        assert [r.row.outcome for r in await running.rows(answer)] == ["ok"]


async def test_first_tokens_do_not_wait_for_the_rest(tmp_path: Path):
    script = Behaviour(text="word " * 20, timing=Timing(between_tokens_s=0.02))
    async with one_provider(tmp_path, script) as (running, provider):
        body = {"model": "openai/m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
        async with running.client.stream("POST", running.base_url + "/chat/completions", json=body) as got:
            async for line in got.aiter_lines():
                if "word" in line:
                    assert provider.requests[0].outcome == "open"
                    break
