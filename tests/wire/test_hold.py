"""What holds of every dialect have in common."""

import pytest

from suffice.errors import UpstreamError
from suffice.wire.chat_hold import ChatHold
from suffice.wire.gemini_hold import GeminiHold
from suffice.wire.hold import Hold
from suffice.wire.messages_hold import MessagesHold
from suffice.wire.responses_hold import ResponsesHold


@pytest.mark.parametrize("kind", [ChatHold, MessagesHold, ResponsesHold, GeminiHold])
def test_an_honest_end_is_an_error_and_no_success(kind: type[Hold]) -> None:
    told = kind("req-1").fail(UpstreamError("it broke", code="c"))
    assert b"it broke" in told
    assert not any(word in told for word in (b"[DONE]", b"message_stop", b"response.completed", b"finishReason"))


def test_only_dialects_with_filler_are_marked() -> None:
    assert GeminiHold().mark("x") == b""
    assert MessagesHold().mark("x\ny") == b": x y\n\n"
