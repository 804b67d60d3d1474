"""Each row of the matrix is recognised from what a provider really sends. Answers come from the fake provider's own renderer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import NotFoundError, RateLimitError, RequestError, UpstreamError
from suffice.testing import presets
from suffice.testing.chat import Identity
from suffice.testing.reply import steps
from suffice.testing.script import Behaviour, Call, Error
from suffice.testing.seeded import Seeded
from suffice.upstream.fault_matrix import Charge, Scope
from suffice.upstream.faults import (
    Fault,
    Seen,
    check_body,
    check_head,
    classify,
    classify_event,
    classify_seen,
    classify_transport,
)
from suffice.upstream.transport_fault import TransportFault

NOW = 1_000_000.0
JSON = [(b"content-type", b"application/json")]
HTML = [(b"content-type", b"text/html")]


def answered(behaviour: Behaviour) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body that the fake provider would send."""
    call = Call(method="POST", path="/v1/chat/completions", model="m", stream=False, body=b"{}", parsed={})
    made = steps(behaviour, call, Identity("i", 0, "m"), now=NOW, chance=Seeded(0))
    head, _, body = b"".join(s.data for s in made).partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    pairs = [line.split(b": ", 1) for line in lines]
    return int(first.split()[1]), [(name.lower(), value) for name, value in pairs], body


def http(behaviour: Behaviour, **more: Any) -> Fault:
    status, headers, body = answered(behaviour)
    return classify(status, headers, body, now_s=NOW, **more)


def whole(behaviour: Behaviour) -> Fault:
    _, headers, body = answered(behaviour)
    fault = check_body(headers, body, now_s=NOW)
    assert fault is not None
    return fault


def lost(kind: Any, phase: Any = "body", sent: Any = "all", *, reused: bool = False) -> Fault:
    return classify_transport(TransportFault(kind, phase, bytes_sent=sent, reused=reused))


def event(code: str = "server_error", *, late: bool = False, exact: bool = False) -> Fault:
    payload = json.dumps({"error": {"message": "m", "type": code, "code": None}}).encode()
    return classify_event(payload, tokens_seen=late, exact_usage=exact)


# what happened, as: row, status for the caller, retry (first letters), charge
S, O, N, K, V = Scope.SAME, Scope.OTHER, Scope.NEXT, Scope.OTHER_CREDENTIAL, Scope.OTHER_PROVIDER  # noqa: E741
CASES: list[tuple[Fault, int, int, tuple[Scope, ...], str]] = [
    (lost("connect_refused", "connect", "none"), 1, 502, (O, N), "none"),
    (lost("dns", "dns", "none"), 2, 502, (O, N), "none"),
    (lost("tls", "tls", "none"), 3, 502, (O, N), "none"),
    (lost("connect_timeout", "connect", "none"), 4, 504, (O, N), "none"),
    (lost("write_reset", "write", "part"), 5, 502, (S, O, N), "none"),
    (lost("write_reset", "write", "all"), 5, 502, (O, N), "unk"),
    (lost("stale_keepalive", "head", "all", reused=True), 6, 502, (O, S, N), "unk"),
    (lost("stale_keepalive", "write", "part", reused=True), 6, 502, (S, O, N), "none"),
    (lost("header_timeout", "head"), 7, 504, (O, N), "unk"),
    (lost("total_timeout", "head"), 7, 504, (O, N), "unk"),
    (lost("total_timeout", "queue", "none"), 7, 504, (O, N), "none"),
    (lost("first_byte_timeout"), 8, 504, (O, N), "unk"),
    (lost("stall"), 9, 504, (O, N), "est"),
    (classify_seen(Seen.STALLED), 9, 504, (O, N), "est"),
    (lost("total_timeout"), 10, 504, (O, N), "est"),
    (classify_seen(Seen.SLOW), 10, 504, (O, N), "est"),
    (http(presets.rate_limited("3")), 11, 429, (O, S, N), "none"),
    (http(presets.rate_limited("6")), 11, 429, (O, N), "none"),
    (http(presets.rate_limited(date_s=4)), 11, 429, (O, S, N), "none"),
    (http(presets.rate_limited(milliseconds=300)), 11, 429, (O, S, N), "none"),
    (http(presets.rate_limited()), 12, 429, (O, S, N), "none"),
    (http(presets.quota_exceeded()), 13, 503, (K, N), "none"),
    (http(presets.failing(500)), 14, 502, (S, O, N), "none"),
    (http(presets.failing(500), elapsed_s=2.0), 14, 502, (O, N), "none"),
    (http(presets.failing(500), elapsed_s=6.0), 14, 502, (O, N), "unk"),
    (http(presets.failing(502)), 14, 502, (S, O, N), "none"),
    (http(presets.failing(503)), 14, 503, (S, O, N), "none"),
    (http(presets.failing(504)), 14, 504, (S, O, N), "none"),
    (http(presets.failing(520)), 14, 502, (S, O, N), "none"),
    (http(presets.failing(529)), 15, 503, (V, N), "none"),
    (http(Behaviour(status=503, error=Error(type="overloaded_error"))), 15, 503, (V, N), "none"),
    (http(Behaviour(status=429, error=Error(type="engine_overloaded_error"))), 15, 503, (V, N), "none"),
    (whole(presets.error_in_200(502)), 16, 502, (O, N), "none"),
    (whole(presets.error_in_200(429)), 16, 429, (O, S, N), "none"),
    (whole(presets.error_in_200("insufficient_quota")), 16, 503, (K, N), "none"),
    (event(), 17, 502, (O, N), "none"),
    (event("overloaded_error"), 17, 503, (V, N), "none"),
    (event("rate_limit_error"), 17, 429, (O, S, N), "none"),
    (event(late=True), 18, 502, (), "est"),
    (event(late=True, exact=True), 18, 502, (), "exact"),
    (lost("truncated"), 19, 502, (O, N), "est"),
    (classify_seen(Seen.TRUNCATED), 19, 502, (O, N), "est"),
    (classify_seen(Seen.MALFORMED), 20, 502, (O, N), "est"),
    (whole(Behaviour(body="OK")), 20, 502, (O, N), "est"),
    (whole(presets.login_page()), 21, 502, (O, N), "none"),
    (classify(403, HTML, b"<html>Blocked"), 21, 502, (O, N), "none"),
    (classify_seen(Seen.EMPTY), 22, 200, (S, O, N), "exact"),
    (classify_seen(Seen.FILTERED), 23, 200, (N,), "exact"),
    (http(presets.filtered()), 23, 400, (N,), "est"),
    (http(presets.too_long()), 24, 400, (N,), "none"),
    (http(Behaviour(status=400, error=Error(message="prompt is too long: 9 > 8", type="invalid_request_error"))),
     24, 400, (N,), "none"),
    (http(presets.no_credit()), 25, 503, (K, N), "none"),
    (http(Behaviour(status=400, error=Error(message="Your credit balance is too low to access"))), 25, 503, (K, N), "none"),
    (http(presets.bad_credential(401)), 26, 502, (K, N), "none"),
    (http(presets.bad_credential(403)), 26, 502, (K, N), "none"),
    (classify(401, [], b""), 26, 502, (K, N), "none"),
    (classify(400, JSON, b'{"error":{"code":400,"message":"API key not valid."}}'), 26, 502, (K, N), "none"),
    (http(presets.unknown_model()), 27, 404, (O, N), "none"),
    (classify(410, [], b""), 27, 404, (O, N), "none"),
    (http(Behaviour(status=403, error=Error(code="unsupported_country_region_territory"))), 27, 404, (O, N), "none"),
    (http(presets.invalid("temperature")), 28, 400, (), "none"),
    (classify(422, JSON, b'{"detail":"wrong"}'), 28, 400, (), "none"),
    (http(presets.failing(408)), 29, 504, (O, S, N), "none"),
    (http(presets.failing(409)), 29, 503, (O, S, N), "none"),
    (http(presets.failing(425)), 29, 503, (O, S, N), "none"),
    (http(presets.failing(413)), 30, 413, (N,), "none"),
    (classify_seen(Seen.TOOL_INCOMPLETE), 31, 200, (S,), "exact"),
    (classify_seen(Seen.DUPLICATE), 32, 200, (), "exact"),
    (classify_seen(Seen.USAGE_MISSING), 33, 200, (), "est"),
    (lost("malformed"), 34, 502, (O, N), "est"),
    (lost("malformed", "head"), 34, 502, (O, N), "unk"),
    (lost("too_large"), 35, 502, (O, N), "est"),
    (classify_seen(Seen.TOO_LARGE), 35, 502, (O, N), "est"),
    (classify(302, [(b"location", b"https://evil.example/")], b""), 36, 502, (O, N), "none"),
    (lost("egress_denied", "connect", "none"), 0, 502, (O, N), "none"),
    (lost("proxy", "proxy", "none"), 0, 502, (O, N), "none"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "row", "status", "retry", "charge"), CASES)
def test_the_matrix(fault: Fault, row: int, status: int, retry: tuple[Scope, ...], charge: str) -> None:
    assert (fault.row, fault.status, fault.retry, fault.charge) == (row, status, retry, charge)


def test_every_row_has_a_case() -> None:
    assert {case[1] for case in CASES} == set(range(37))


def test_the_providers_wait_is_the_cooldown() -> None:
    assert http(presets.rate_limited("3")).cooldown_s == 3
    assert http(presets.rate_limited(date_s=90)).cooldown_s == 90
    assert http(presets.rate_limited("999999")).cooldown_s == 3600
    assert http(presets.failing(529, retry_after="20")).cooldown_s == 20
    assert http(presets.failing(503, retry_after="40")).cooldown_s == 40
    assert http(presets.rate_limited()).retry_after_s is None


def test_errors_inside_a_200_name_the_row_inside() -> None:
    assert whole(presets.error_in_200(429)).inner == 12
    assert event("overloaded_error").inner == 15
    assert whole(presets.error_in_200("context_length_exceeded")).inner == 24
    assert classify(200, JSON, b'{"error":{"code":503}}').row == 16
    assert classify(200, JSON, b"nonsense").row == 20


def test_good_answers_are_no_faults() -> None:
    for behaviour in (
        Behaviour(),
        presets.empty(),
        Behaviour(text='he said "error"'),
        presets.tool_call("f", '{"error":1}'),
    ):
        _, headers, body = answered(behaviour)
        assert check_body(headers, body) is None
    assert check_body(JSON, b'{"id":"x","error":null,"choices":[{"index":0}]}') is None
    assert check_head([(b"content-type", b"text/event-stream; charset=utf-8")], stream=True) is None
    assert check_head([(b"content-type", b"text/plain")], stream=True) is None
    wrong = check_head(HTML, stream=True)
    assert wrong is not None
    assert wrong.row == 21


SECRET = "sk-proj-abcdefghijkl0123456789"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529])
@pytest.mark.parametrize("code", [None, "insufficient_quota", "content_filter", "context_length_exceeded", "billing"])
def test_no_account_detail_reaches_the_caller(status: int, code: str | None) -> None:
    message = f"Bad key {SECRET} of org-AbCdEf123456 (boss@example.com), see https://example.com/billing"
    fault = http(Behaviour(status=status, error=Error(message=message, code=code, param=SECRET)))
    shown = str(fault.error()) + str(fault.param)
    for detail in (SECRET, "org-AbCdEf123456", "boss@example.com", "example.com"):
        assert detail not in shown
    assert fault.status not in (401, 402, 403)


def test_the_callers_own_mistakes_are_explained() -> None:
    fault = http(presets.invalid("temperature"))
    assert fault.param == "temperature"
    assert "Invalid value for temperature" in fault.message
    assert "maximum context length" in http(presets.too_long()).message
    assert "9000 tokens" in http(presets.too_long()).message


@pytest.mark.parametrize(
    ("fault", "cls"),
    [
        (http(presets.rate_limited("3")), RateLimitError),
        (http(presets.unknown_model()), NotFoundError),
        (http(presets.invalid()), RequestError),
        (http(presets.failing(500)), UpstreamError),
    ],
)
def test_exceptions_carry_status_code_and_wait(fault: Fault, cls: type) -> None:
    error = fault.error(7.0)
    assert type(error) is cls
    assert (error.status, error.code, error.retry_after_s) == (fault.status, fault.code, 7.0)
    assert fault.error().retry_after_s == fault.retry_after_s


def test_anthropic_callers_keep_529() -> None:
    fault = http(presets.failing(529))
    assert (fault.client_status("anthropic-messages"), fault.client_status("openai-chat")) == (529, 503)
    assert http(presets.failing(500)).client_status("anthropic-messages") == 502


@given(
    st.integers(300, 599),
    st.lists(
        st.tuples(st.sampled_from([b"retry-after", b"content-type", b"date"]), st.binary(max_size=30)), max_size=3
    ),
    st.one_of(st.binary(max_size=60), st.sampled_from([b'{"error":', b"[[", b'{"error":{"code":1e999}}'])),
)
def test_whatever_comes_has_a_row(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    fault = classify(status, headers, body, now_s=NOW)
    assert 1 <= fault.row <= 36
    assert 0 <= fault.cooldown_s <= 3600
    assert fault.charge in (Charge.NONE, Charge.EST, Charge.UNK)
