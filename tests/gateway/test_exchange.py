"""The client's side of a turn."""

import pytest

from suffice.errors import RequestError
from suffice.gateway.call import Call
from suffice.gateway.exchange import GeminiExchange, exchange_of, sealed
from suffice.wire.gemini_seal import pack
from suffice.wire.reasoning import seal


def call(body, **more):
    return Call(
        request_id="0-1", dialect="chat", path="/", query=b"", headers={}, body=body, received_s=9.5, started_mono_s=0,
        deadline_mono_s=1, **more,
    )  # fmt: skip


HI = b'{"model":"m","user":"alice","messages":[{"role":"user","content":"hi"}]}'


def test_the_callers_user_leaves_under_the_tenants_namespace():
    assert exchange_of("chat", call(HI)).told(b"", "", lambda state: "").user == "alice"
    one, other = (exchange_of("chat", call(HI)).told(name, "", lambda state: "").user for name in (b"t1", b"t2"))
    assert len({"alice", one, other}) == 3


def test_a_request_is_decoded_once():
    exchange = exchange_of("chat", call(HI))
    assert exchange.request is exchange.request
    assert exchange.told(b"x", "openai", lambda state: "") is exchange.told(b"x", "openai", lambda state: "")
    assert exchange.context().response_id == "chatcmpl-01"
    assert exchange.media_type == b"text/event-stream"


@pytest.mark.parametrize(("array", "kind"), [(True, b"application/json"), (False, b"text/event-stream")])
def test_the_path_of_a_gemini_call_names_model_and_stream(array, kind):
    body = b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'
    exchange = GeminiExchange(call(body, model="auto", stream=True), array=array)
    assert (exchange.request.model, exchange.request.stream, exchange.media_type) == ("auto", True, kind)


def test_seals_are_found_in_every_dialect():
    assert sealed("messages", seal("openai", "S").encode()) and not sealed("messages", b"{}")
    assert sealed("gemini", pack("openai", "S").encode()) and not sealed("gemini", b"{}")


def test_a_gemini_call_without_contents_is_refused():
    with pytest.raises(RequestError, match="contents is not specified"):
        _ = GeminiExchange(call(b"{}", model="auto"), array=False).request
