"""What a Messages body looks like when it leaves for a cloud, and what comes back of a stream."""

from __future__ import annotations

import json

import pytest

from suffice.catalog.providers import Quirks
from suffice.errors import WireError
from suffice.gateway.call import Call
from suffice.gateway.cloud_conversation import PassThroughCloud
from suffice.gateway.conversation import Target
from suffice.testing import converse, messages
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour
from suffice.testing.script import Call as Asked
from suffice.wire.messages_view import messages_view
from suffice.wire.prescan import scan

BODY = (
    b'{"model":"one", "max_tokens" : 9,"stream":true,  "metadata":{"user_id":"u"},'
    b'"context_management":{"edits":[1.50]},"messages":[{"role":"user","content":"\\u00e9"}]}'
)
WHO = Identity("fake-0-000001", 5, "m")
ASKED = Asked(method="POST", path="/x/invoke-with-response-stream", model="m", stream=True, body=b"", parsed={})


def call(**headers: str) -> Call:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(
        request_id="r", dialect="messages", path="/v1/messages", query=b"", headers=named, body=BODY, received_s=0,
        started_mono_s=0, deadline_mono_s=1,
    )  # fmt: skip


def outbound(cloud, target=None, **headers):
    top = scan(BODY)
    target = target or Target(model_name="m", path=b"/p", quirks=Quirks())
    return PassThroughCloud(call(**headers), cloud, list).outbound(top, messages_view(top), target)


def test_bedrock_gets_model_and_stream_in_the_path_and_betas_in_the_body():
    sent = outbound("bedrock", anthropic_beta="a-1, b-2", anthropic_version="2023-06-01")
    assert b"".join(sent.body) == (
        b'{"max_tokens" : 9,  "metadata":{"user_id":"u"},"context_management":{"edits":[1.50]},'
        b'"messages":[{"role":"user","content":"\\u00e9"}],"anthropic_version":"bedrock-2023-05-31",'
        b'"anthropic_beta":["a-1","b-2"]}'
    )
    assert sent.headers == ((b"content-type", b"application/json"),)


def test_vertex_keeps_the_stream_flag_and_the_header_of_betas():
    sent = outbound("vertex", anthropic_beta="a-1")
    assert b'"stream":true,  "metadata"' in b"".join(sent.body) and b"model" not in b"".join(sent.body)
    assert (b"anthropic-beta", b"a-1") in sent.headers
    assert not any(name == b"anthropic-version" for name, _ in sent.headers)


def test_a_clamped_limit_is_spliced():
    target = Target(model_name="m", path=b"/p", quirks=Quirks(), max_output_tokens=3)
    assert json.loads(b"".join(outbound("bedrock", target).body))["max_tokens"] == 3


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_wrapped_stream_comes_out_as_the_dialects_own(size: int):
    said = Behaviour(text="Hello you", prompt_tokens=10, cached_tokens=4)
    reader = PassThroughCloud(call(), "bedrock", list).reader(scan(BODY), None, None)
    data = b"".join(chunk.payload for chunk in converse.wrapped(said, ASKED, WHO))
    out = b"".join(reader.feed(data[at : at + size]) for at in range(0, len(data), size)) + reader.close()
    plain = [json.loads(chunk.payload) for chunk in messages.stream(said, ASKED, WHO)]
    assert [json.loads(line[6:]) for line in out.split(b"\n") if line.startswith(b"data: ")] == plain
    assert reader.done and reader.answer().text == "Hello you" and reader.usage().cache_read_tokens == 4


def test_a_broken_checksum_is_no_answer():
    reader = PassThroughCloud(call(), "bedrock", list).reader(scan(BODY), None, None)
    (first, *_) = converse.wrapped(Behaviour(), ASKED, WHO)
    with pytest.raises(WireError):
        reader.feed(first.payload[:-1] + b"x")


def test_an_exception_ends_the_stream_as_a_failure():
    reader = PassThroughCloud(call(), "bedrock", list).reader(scan(BODY), None, None)
    reader.feed(converse.exception(None, 429))
    assert reader.failure["type"] == "rate_limit_error" and not reader.done


def test_what_a_check_found_goes_out_as_the_last_message():
    target = Target(model_name="m", path=b"/p", quirks=Quirks(), evidence="The tests fail.")
    rows = json.loads(b"".join(outbound("vertex", target).body))["messages"]
    assert rows[0]["content"] == "é" and "The tests fail." in json.dumps(rows[-1])
