import pytest

from suffice.testing.dialects import CHAT, INFILL, MESSAGES, dialect_of, known, model_of


def test_the_path_tells_the_dialect():
    assert dialect_of("/v1/messages") is MESSAGES
    assert dialect_of("/infill") is INFILL
    assert dialect_of("/v1/chat/completions") is CHAT is dialect_of("/v1/unknown")


def test_events_are_named_where_the_dialect_names_them():
    assert MESSAGES.name(b'{"type":"message_stop"}') == b"message_stop"
    assert CHAT.name(b'{"type":"message_stop"}') == b""


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/model/us.amazon.nova-v1%3A0/converse-stream", "us.amazon.nova-v1:0"),
        ("/v1/projects/p/locations/l/publishers/anthropic/models/claude-x@1:streamRawPredict", "claude-x@1"),
        ("/v1beta/models/gemini-x:generateContent", "gemini-x"),
        ("/v1/chat/completions", ""),
    ],
)
def test_the_path_tells_the_model_where_the_body_does_not(path, model):
    assert known(path) and model_of(path) == model
    assert not known("/v1/other")
