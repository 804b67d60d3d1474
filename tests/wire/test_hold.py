"""What holds of every dialect have in common."""

import pytest

from suffice.errors import UpstreamError
from suffice.wire.chat_hold import ChatHold
from suffice.wire.gemini_hold import GeminiHold
from suffice.wire.hold import Hold, payloads, split
from suffice.wire.messages_hold import MessagesHold
from suffice.wire.responses_hold import ResponsesHold

CRLF = b"data: 1\r\n\r\n"


def test_events_are_cut_at_any_line_end_and_together_are_the_bytes() -> None:
    events = [b"data: 1\n\n", b": c\n\n", b"event: x\ndata: 2\n\n"]
    assert split(b"".join(events)) == events
    assert split(CRLF + CRLF) == [CRLF, CRLF]
    assert split(events[0]) == [events[0]]
    assert payloads(b"".join(events)) == [b"1", b"2"]


@pytest.mark.parametrize("kind", [ChatHold, MessagesHold, ResponsesHold, GeminiHold])
def test_an_honest_end_is_an_error_and_no_success(kind: type[Hold]) -> None:
    told = kind("req-1").fail(UpstreamError("it broke", code="c"))
    assert b"it broke" in told
    assert not any(word in told for word in (b"[DONE]", b"message_stop", b"response.completed", b"finishReason"))


def test_only_dialects_with_filler_are_marked() -> None:
    assert GeminiHold().mark("x") == b""
    assert MessagesHold().mark("x\ny") == b": x y\n\n"
