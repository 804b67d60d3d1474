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


@pytest.mark.parametrize(
    ("dialect", "known"),
    [
        ("chat", "this model's maximum context length is"),
        ("responses", "this model's maximum context length is"),
        ("messages", "prompt is too long"),
        ("gemini", "exceeds the maximum number of tokens allowed"),
    ],
)
def test_a_context_that_is_too_long_is_told_in_words_on_which_clients_compact(dialect: str, known: str):
    for said in ("Prompt is too long: 9 > 8", "This model's maximum context length is 8 tokens.", "no room"):
        error = errors.RequestError(said, code="context_length_exceeded")
        text = json.loads(wire_errors.body(dialect, error))["error"]["message"]
        assert known in text.lower() and text.endswith(said)
        assert text.lower().count(known) == 1
        assert known.encode() in wire_errors.frame(dialect, error).lower()


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses", "gemini"])
def test_a_broken_stream_ends_with_one_error_frame_and_no_success(dialect: str):
    frame = wire_errors.frame(dialect, errors.UpstreamError("cut", code="stream_truncated"), "R1")
    (event,) = Decoder().feed(frame)
    assert b"cut" in event.data
    assert b"[DONE]" not in frame
    assert b"message_stop" not in frame
    assert bool(event.name) == (dialect in ("messages", "responses"))
