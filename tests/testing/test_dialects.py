from suffice.testing.dialects import CHAT, INFILL, MESSAGES, dialect_of


def test_the_path_tells_the_dialect():
    assert dialect_of("/v1/messages") is MESSAGES
    assert dialect_of("/infill") is INFILL
    assert dialect_of("/v1/chat/completions") is CHAT is dialect_of("/v1/unknown")


def test_events_are_named_where_the_dialect_names_them():
    assert MESSAGES.name(b'{"type":"message_stop"}') == b"message_stop"
    assert CHAT.name(b'{"type":"message_stop"}') == b""
