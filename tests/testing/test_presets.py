from __future__ import annotations

import json

import pytest

from suffice.testing import presets
from suffice.testing.chat import Identity
from suffice.testing.reply import steps
from suffice.testing.script import Behaviour, Call
from suffice.testing.seeded import Seeded


def wire(behaviour: Behaviour, *, stream: bool = False) -> tuple[int, bytes]:
    call = Call(method="POST", path="/v1/chat/completions", model="m", stream=stream, body=b"{}", parsed={})
    made = steps(behaviour, call, Identity("i", 0, "m"), now=0.0, chance=Seeded(0))
    head, _, body = b"".join(s.data for s in made).partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head else 0), body


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        (presets.rate_limited("1"), 429, "rate_limit_exceeded"),
        (presets.quota_exceeded(), 429, "insufficient_quota"),
        (presets.failing(503), 503, None),
        (presets.failing(529), 529, None),
        (presets.failing(413), 413, None),
        (presets.bad_credential(), 401, "invalid_api_key"),
        (presets.bad_credential(403), 403, "permission_denied"),
        (presets.no_credit(), 402, "billing"),
        (presets.unknown_model(), 404, "model_not_found"),
        (presets.too_long(), 400, "context_length_exceeded"),
        (presets.filtered(), 400, "content_filter"),
        (presets.invalid(), 400, "invalid_value"),
        (presets.error_in_200(), 200, 502),
    ],
)
def test_errors_come_with_status_and_code(behaviour: Behaviour, status: int, code: object) -> None:
    got, body = wire(behaviour)
    assert (got, json.loads(body)["error"]["code"]) == (status, code)


def test_streams_that_go_wrong() -> None:
    assert b"[DONE]" in wire(presets.dripping(1.0), stream=True)[1]
    for behaviour in (
        presets.cut(after_events=2),
        presets.stalled(),
        presets.error_event(),
        presets.unfinished(),
    ):
        assert b"[DONE]" not in wire(behaviour, stream=True)[1]
    assert b"Sign in" in wire(presets.login_page(), stream=True)[1]
    assert wire(presets.reset()) == (0, b"")
    assert wire(presets.malformed(), stream=True) != wire(Behaviour(), stream=True)


def test_answers() -> None:
    assert json.loads(wire(presets.answer("x", usage_tokens=5))[1])["usage"]["prompt_tokens"] == 5
    message = json.loads(wire(presets.tool_call("f", "{}"))[1])["choices"][0]["message"]
    assert message["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}
    assert json.loads(wire(presets.empty())[1])["choices"][0]["message"]["content"] == ""
