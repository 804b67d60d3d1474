from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.upstream import error_body
from suffice.upstream.error_body import MAX_MESSAGE, Kind, from_object, read, scrubbed


def openai(**fields: Any) -> dict[str, Any]:
    return {"error": {"message": "m", "type": "t", "param": None, "code": None, **fields}}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (openai(code="insufficient_quota"), Kind.QUOTA, 0),
        (openai(code="context_length_exceeded", type="invalid_request_error"), Kind.CONTEXT, 0),
        (openai(type="invalid_request_error"), Kind.INVALID, 0),
        (openai(code=429, message="x"), Kind.NOTHING, 429),
        (openai(code="502"), Kind.NOTHING, 502),
        (openai(code=True), Kind.NOTHING, 0),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, Kind.OVERLOADED, 0),
        (
            {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}},
            Kind.BILLING,
            0,
        ),
        (
            {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9"}},
            Kind.CONTEXT,
            0,
        ),
        ({"error": {"code": 429, "message": "q", "status": "RESOURCE_EXHAUSTED"}}, Kind.RATE, 429),
        ([{"error": {"code": 503, "message": "q", "status": "UNAVAILABLE"}}], Kind.SERVER, 503),
        (
            {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}},
            Kind.AUTH,
            400,
        ),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, Kind.BILLING, 0),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate"}}, Kind.RATE, 0),
        ({"error": "model not found, try pulling it first"}, Kind.MODEL, 0),
        ({"detail": "Not authenticated"}, Kind.NOTHING, 0),
        ({"object": "error", "message": "x", "type": "server_error"}, Kind.SERVER, 0),
        ({"__type": "ThrottlingException", "message": "slow"}, Kind.RATE, 0),
    ],
)
def test_the_dialects(body: Any, kind: Kind, status: int) -> None:
    found = read(json.dumps(body).encode())
    assert (found.found, found.kind, found.status) == (True, kind, status)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"\xff\xfe", b"3", b"[]", b"{}", b'{"error":null,"choices":[]}', b"[" * 100_000,
        b'{"base_resp":{"status_code":0}}', b'{"choices":[{"message":{}}],"message":"x"}', b'{"error":{"x":"' + b"a" * 300_000,
    ],
)  # fmt: skip
def test_what_is_no_error(body: bytes) -> None:
    assert not read(body).found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "code", "details", "x"]), inner)
    ),
)


@given(json_values)
def test_any_object_is_read_without_raising(raw: Any) -> None:
    found = from_object(raw)
    assert len(found.message) <= MAX_MESSAGE
    assert found.status == 0 or 400 <= found.status <= 599


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdef123456", "sk-ab**********cd", "org-Abc123Def456", "Bearer abc.def", "me@example.com",
        "https://example.com/account/billing", "AIzaSyA1234567890", "proj_1234567890", "a" * 40,
        "0f8fad5b-d9cb-469f-a165-70867728950e",
    ],
)  # fmt: skip
def test_secrets_are_hidden(secret: str) -> None:
    assert secret not in scrubbed(f"Incorrect key: {secret} for it.")


def test_ordinary_words_stay_and_text_is_one_short_line() -> None:
    text = "This model's maximum context length is 8192 tokens. However, the organization's messages had 9000."
    assert scrubbed(text) == text
    assert scrubbed("a\r\n\x00b\tc") == "a b c"
    assert len(scrubbed("word " * 1000)) == MAX_MESSAGE


@pytest.mark.parametrize(
    ("body", "status", "found"),
    [
        (b'{"message":"slow"}', 429, {"type": "rate_limit_error", "message": "slow"}),
        (b'{"Message":"gone"}', 404, {"type": "not_found_error", "message": "gone"}),
        (b'{"error":{"type":"overloaded_error","message":"o"}}', 400, {"type": "overloaded_error", "message": "o"}),
        (b'[{"error":{"code":500,"message":"m","status":"X"}}]', 500, {"type": "api_error", "message": "m"}),
        (
            b'{"error":{"message":"role 123456789012"}}',
            400,
            {"type": "invalid_request_error", "message": "role [hidden]"},
        ),
        (b'{"error":"x"}', 400, None),
        (b"[]", 400, None),
        (b"<html>", 400, None),
        (b"", 400, None),
    ],
)
def test_a_clouds_error_is_worded_as_messages(body: bytes, status: int, found: object):
    assert error_body.in_messages(body, status) == found


@given(
    st.binary(max_size=60)
    | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: repr(v).encode())
)
def test_a_strangers_bytes_never_break_the_wording(body: bytes):
    error_body.in_messages(body, 500)
