import json

import pytest

from suffice.errors import UpstreamError, WireError
from suffice.wire.messages_relay import MessagesRelay, whole


def event(kind, **fields):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


USAGE = {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 1}
START = event("message_start", message={"id": "msg_1", "model": "up", "usage": USAGE})
TEXT = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
DELTA = event("content_block_delta", index=0, delta={"type": "text_delta", "text": 'message_stop "type":"error"'})
CLOSE = event("content_block_stop", index=0)
END = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9}) + event("message_stop")
STREAM = START + event("ping") + TEXT + DELTA + CLOSE + END


def test_every_byte_goes_on_at_every_split():
    for at in range(len(STREAM)):
        relay = MessagesRelay()
        assert relay.feed(STREAM[:at]) + relay.feed(STREAM[at:]) + relay.close() == STREAM
        assert relay.done and relay.finished and relay.failure is None


FOREIGN = event("provider.telemetry", note="message_stop") + event("ping", type="noted", message={"type": "ping"})


def test_a_strict_client_is_shown_known_events_alone():
    last = b'event: message_stop\ndata: {"of": {"type": "noted"}, "type": "message_stop"}\n\n'
    told = START + FOREIGN + TEXT + DELTA + FOREIGN + CLOSE + last
    for at in range(len(told)):
        relay = MessagesRelay(strict=True)
        said = relay.feed(told[:at]) + relay.feed(told[at:]) + relay.close()
        assert said.count(b"data: ") == 5 and b"telemetry" not in said and b'"note":' not in said
        assert relay.done and said.endswith(b'"type": "message_stop"}\n\n')
    plain = MessagesRelay(strict=True)
    assert plain.feed(STREAM) == STREAM, "a stream without foreign events is the same bytes"
    assert plain.feed(b"data: [DONE]\n\n") == b""
    assert MessagesRelay().feed(FOREIGN) == FOREIGN, "other clients know the newest types first"


def test_a_name_is_the_events_own_and_no_more_than_a_word():
    for data, name in (
        (b'{"message":{"type":"message"},"type":"message_start"}', b"message_start"),
        (b'{"type":"a\\nevent: message_stop"}', b"message"),
        (b'{"type":7}', b"message"),
        (b"[DONE]", b"message"),
    ):
        assert MessagesRelay().feed(b"data: " + data + b"\n\n") == b"event: " + name + b"\ndata: " + data + b"\n\n"


def test_what_is_read_beside_it():
    relay = MessagesRelay()
    relay.feed(STREAM)
    answer, usage = relay.answer(), relay.usage()
    assert (answer.text, answer.finish_reason, answer.model) == ('message_stop "type":"error"', "stop", "up")
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (7, 3, 9)
    assert (relay.finish_reason, relay.data_events, relay.quiet) == ("end_turn", 7, False)


def test_a_cut_stream_is_not_finished_and_has_no_usage_to_bill_by():
    relay = MessagesRelay()
    relay.feed(START + TEXT + DELTA)
    assert relay.close() == b""
    assert not relay.finished and relay.usage() is None
    assert relay.answer().text


def test_an_error_event_is_a_failure():
    relay = MessagesRelay()
    relay.feed(START + event("error", error={"type": "overloaded_error", "message": "Overloaded"}))
    assert relay.failure == {"type": "overloaded_error", "message": "Overloaded"} and not relay.done


def test_an_error_in_another_dialects_form_is_a_failure_and_a_word_is_none():
    relay = MessagesRelay()
    relay.feed(b'data: {"error":{"message":"m","code":"c"}}\n\n')
    assert relay.failure == {"message": "m", "code": "c"} and not relay.done
    spoken = MessagesRelay()
    spoken.feed(
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\"error\\""},"error":null}\n\n'
    )
    assert spoken.failure is None


def test_missing_event_lines_are_added():
    bare = STREAM.replace(b"event: message_start\n", b"").replace(b"event: content_block_delta\n", b"")
    assert MessagesRelay().feed(bare) == STREAM.replace(b'": ', b'": ')


def test_comments_are_no_progress():
    relay = MessagesRelay()
    assert relay.feed(b": waiting\n\n") == b": waiting\n\n"
    assert not relay.started and relay.data_events == 0


@pytest.mark.parametrize("bad", [b"data: {\n\n", b"data: nonsense\n\n", b'data: {"type":"message_start"\n\n'])
def test_what_is_not_json_is_refused(bad):
    with pytest.raises(WireError):
        MessagesRelay().feed(bad)


def test_the_end_of_a_broken_stream_is_the_dialects_own():
    told = MessagesRelay("req-1").fail(UpstreamError("it broke", status=502))
    assert told.startswith(b"event: error\ndata: ") and b'"req-1"' in told and b"message_stop" not in told
    assert MessagesRelay().keep_alive().startswith(b"event: ping\n")


def test_a_whole_message():
    body = {"id": "m", "type": "message", "model": "up", "content": [{"type": "text", "text": "hi"}]}
    failure, answer, usage = whole(json.dumps(body | {"stop_reason": "max_tokens", "usage": USAGE}).encode())
    assert (failure, answer.text, answer.finish_reason, usage.output_tokens) == (None, "hi", "length", 1)
    failure, _, usage = whole(b'{"type":"error","error":{"type":"api_error","message":"no"}}')
    assert failure == {"type": "api_error", "message": "no"} and usage is None
    with pytest.raises(WireError):
        whole(b"[]")


@pytest.mark.parametrize("odd", [b"7", b"null", b"[]", b'"text"'])
def test_an_event_that_is_no_object_is_shown_to_nobody(odd: bytes):
    ping, foreign = b'event: ping\ndata: {"type":"ping"}\n\n', b'event: note\ndata: {"type":"note"}\n\n'
    assert MessagesRelay().feed(ping + b"data: " + odd + b"\n\n" + foreign) == ping + foreign
