import json

import pytest

from suffice import errors
from suffice.wire import errors as wire_errors
from suffice.wire.sse import Decoder

BUDGET = errors.BudgetError("the budget team-a is spent", hint="it resets on Monday")


@pytest.mark.parametrize(
    ("dialect", "path", "kind"),
    [
        ("chat", ("error", "type"), "insufficient_quota"),
        ("messages", ("error", "type"), "billing_error"),
        ("gemini", ("error", "status"), "FAILED_PRECONDITION"),
        ("responses", ("error", "code"), "budget_exceeded"),
    ],
)
def test_each_dialect_tells_it_its_own_way(dialect: str, path: tuple[str, str], kind: str):
    told = json.loads(wire_errors.body(dialect, BUDGET, "R1"))
    assert told[path[0]][path[1]] == kind
    assert "it resets on Monday" in told["error"]["message"]


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses", "gemini"])
def test_a_broken_stream_ends_with_one_error_frame_and_no_success(dialect: str):
    frame = wire_errors.frame(dialect, errors.UpstreamError("cut", code="stream_truncated"), "R1")
    (event,) = Decoder().feed(frame)
    assert b"cut" in event.data
    assert b"[DONE]" not in frame
    assert b"message_stop" not in frame
    assert bool(event.name) == (dialect in ("messages", "responses"))
