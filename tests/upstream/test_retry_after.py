from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.upstream.retry_after import MAX_S, header, retry_after_s

NOW = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT


@pytest.mark.parametrize(
    ("headers", "details", "expected"),
    [
        ({"retry-after": "7"}, None, 7),
        ({"retry-after": " 1.5 "}, None, 1.5),
        ({"retry-after": "0"}, None, 0),
        ({"retry-after-ms": "250", "retry-after": "9"}, None, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT"}, None, 30),
        ({"retry-after": "Wed, 21 Oct 2015 07:27:30 GMT"}, None, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:20 GMT"}, None, 10),
        ({"retry-after": "2m3s"}, None, 123),
        ({"retry-after": "250ms"}, None, 0.25),
        ({"retry-after": "1h"}, None, 3600),
        ({"retry-after": "99999"}, None, MAX_S),
        ({}, [{"retryDelay": "34.5s"}], 34.5),
        ({}, [{"x": 1}, "y"], None),
        ({}, None, None),
        ({"retry-after": "soon"}, None, None),
        ({"retry-after": "-3"}, None, None),
        ({"retry-after": "nan"}, None, None),
        ({"retry-after": "inf"}, None, None),
        ({"retry-after": "1e400"}, None, None),
        ({"retry-after": "٣"}, None, None),
    ],
)
def test_every_form(headers: dict[str, str], details: object, expected: float | None) -> None:
    raw = [(k.encode(), v.encode("utf-8")) for k, v in headers.items()]
    assert retry_after_s(raw, details, NOW) == expected


@given(st.binary(max_size=80), st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_nonsense_never_raises_and_stays_in_range(value: bytes, now: float) -> None:
    for name in (b"retry-after", b"retry-after-ms"):
        seconds = retry_after_s([(name, value), (b"date", value)], [{"retryDelay": value.decode("latin-1")}], now)
        assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= MAX_S)


def test_header_is_the_first_of_its_name() -> None:
    assert header([(b"A", b" x "), (b"a", b"y")], b"a") == "x"
    assert header([], b"a") == ""
