from __future__ import annotations

import calendar
from typing import Any

import pytest

from suffice.errors import ConfigError
from suffice.upstream.sigv4 import Credentials, digest, encode_path, sign, signing_key

# The example key, time and answers that AWS publishes with the algorithm; they open nothing.
KEY = Credentials(access_key_id="AKIDEXAMPLE00000", secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
NOW_S = calendar.timegm((2015, 8, 30, 12, 36, 0))


def signature(**changes: Any) -> str:
    given: dict[str, Any] = {
        "method": "GET",
        "host": "example.amazonaws.com",
        "path": "/",
        "body_sha256": digest([b""]),
        "credentials": KEY,
        "region": "us-east-1",
        "service": "service",
        "now_s": NOW_S,
    }
    headers = dict(sign(**(given | changes)))
    return headers[b"authorization"].decode().rpartition("Signature=")[2]


def test_the_published_signing_key() -> None:
    key = signing_key(KEY.secret_access_key, "20150830", "us-east-1", "iam")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


def test_the_published_example_of_a_plain_request() -> None:
    assert signature() == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


def test_the_published_example_with_query_and_headers() -> None:
    headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]
    query = [("Version", "2010-05-08"), ("Action", "ListUsers")]
    found = signature(host="iam.amazonaws.com", service="iam", query=query, headers=headers)
    assert found == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"


def test_every_part_of_a_request_is_signed() -> None:
    changes: list[dict[str, Any]] = [
        {"method": "POST"},
        {"host": "x.amazonaws.com"},
        {"path": "/a"},
        {"path": "/a%3A0"},
        {"body_sha256": digest([b"{", b"}"])},
        {"region": "eu-west-1"},
        {"service": "bedrock"},
        {"now_s": NOW_S + 1},
        {"query": [("a", "b")]},
        {"headers": [("x-a", "b")]},
        {"credentials": Credentials(access_key_id="A" * 20, secret_access_key="other")},
    ]
    found = [signature(), *(signature(**change) for change in changes)]
    assert len(set(found)) == len(found)


def test_order_and_spaces_do_not_matter_where_the_algorithm_says_so() -> None:
    one = signature(query=[("a", "1"), ("b", "2")], headers=[("X-B", " p   q "), ("x-a", "1")])
    assert one == signature(query=[("b", "2"), ("a", "1")], headers=[("x-a", "1"), ("x-b", "p q")])


def test_temporary_credentials_send_their_token_signed() -> None:
    temporary = Credentials(access_key_id="A" * 20, secret_access_key="s", session_token="tok/en==")
    headers = dict(
        sign(
            method="POST",
            host="h",
            path="/",
            body_sha256=digest([]),
            credentials=temporary,
            region="us-east-1",
            now_s=NOW_S,
        )
    )
    assert headers[b"x-amz-security-token"] == b"tok/en=="
    assert headers[b"x-amz-date"] == b"20150830T123600Z"
    assert b"SignedHeaders=host;x-amz-date;x-amz-security-token" in headers[b"authorization"]


def test_a_model_id_is_encoded_for_the_wire() -> None:
    assert encode_path("/model/us.anthropic.x-v1:0/converse") == "/model/us.anthropic.x-v1%3A0/converse"


def test_no_secret_in_a_repr_and_no_broken_key() -> None:
    shown = repr(Credentials(access_key_id="A" * 20, secret_access_key="SECRET", session_token="TOKEN"))
    assert "SECRET" not in shown and "TOKEN" not in shown
    for broken in (
        {"secret_access_key": ""},
        {"secret_access_key": "a\n"},
        {"secret_access_key": "a", "session_token": "é"},
    ):
        with pytest.raises(ConfigError) as caught:
            Credentials(access_key_id="A" * 20, **broken)
        assert "é" not in str(caught.value)
    with pytest.raises(ConfigError):
        Credentials(access_key_id="short", secret_access_key="x")
    with pytest.raises(ConfigError):
        signature(region="us-east-1/x")
