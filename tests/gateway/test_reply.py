from typing import Any

import pytest

from suffice.errors import BudgetError, RateLimitError, SufficeError, UpstreamError
from suffice.gateway.reply import Reply


class Sent:
    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def __call__(self, message: Any) -> None:
        self.messages.append(message)


def headers_of(sent: Sent) -> dict[bytes, bytes]:
    return dict(sent.messages[0]["headers"])


async def test_an_error_before_the_head_is_a_response_that_sdks_do_not_retry():
    sent = Sent()
    await Reply(sent, "chat", "R1").error(BudgetError("spent"))
    assert sent.messages[0]["status"] == 402
    assert headers_of(sent)[b"x-should-retry"] == b"false"
    assert b"retry-after" not in headers_of(sent)


async def test_a_rate_limit_says_when():
    sent = Sent()
    await Reply(sent, "chat", "R1").error(RateLimitError("busy", retry_after_s=0.2))
    assert headers_of(sent)[b"retry-after"] == b"1"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UpstreamError("cooling", status=503, retry_after_s=31), b"31"),
        (UpstreamError("disabled until changed", status=503, retry_after_s=300), None),
        (RateLimitError("the minute is full", retry_after_s=300), b"300"),
        (UpstreamError("refused", status=502, retry_after_s=5), None),
    ],
)
async def test_nobody_is_sent_away_for_minutes_but_by_a_limit(error: SufficeError, told: bytes | None):
    sent = Sent()
    await Reply(sent, "chat", "R1").error(error)
    assert headers_of(sent).get(b"retry-after") == told
    later = told and error.status == 429
    assert headers_of(sent).get(b"x-should-retry") == (None if later else b"false")


async def test_an_error_after_the_head_is_the_last_frame():
    sent = Sent()
    reply = Reply(sent, "messages", "R1")
    await reply.head(200, [(b"content-type", b"text/event-stream")])
    await reply.write(b"event: ping\n\n")
    await reply.error(UpstreamError("cut", code="stream_truncated"))
    assert sent.messages[-1]["body"].startswith(b"event: error\n")
    assert sent.messages[-1]["more_body"] is False


async def test_nothing_follows_the_end():
    sent = Sent()
    reply = Reply(sent, "chat", "R1")
    await reply.whole(200, b"{}")
    await reply.error(UpstreamError("late"))
    assert len(sent.messages) == 2
