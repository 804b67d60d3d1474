from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import RequestError
from suffice.upstream.endpoints import make_endpoint
from suffice.upstream.request_head import HeadBuilder

ENDPOINT = make_endpoint("e", provider="p", base_url="https://h.example/v1", api_key="k", headers=(("x-org", "o"),))


def build(headers=(), *, method=b"POST", path=b"/x", size=1) -> bytes:
    return HeadBuilder().build(ENDPOINT, method, path, headers, size)


def test_the_head():
    assert build([(b"accept", b"a")], size=7) == (
        b"POST /v1/x HTTP/1.1\r\nhost: h.example\r\naccept-encoding: identity\r\nauthorization: Bearer k\r\nx-org: o\r\n"
        b"user-agent: suffice\r\naccept: a\r\ncontent-length: 7\r\n\r\n"
    )
    assert b"content-length: 0" in build(size=0)
    assert b"content-length" not in build(method=b"GET", size=0)


@pytest.mark.parametrize(
    "name",
    [
        "host",
        "Content-Length",
        "transfer-encoding",
        "authorization",
        "X-Api-Key",
        "cookie",
        "x-org",
        "",
        "a b",
        "a:b",
        "a\n",
    ],
)
def test_names_that_are_refused(name):
    builder = HeadBuilder()
    for _ in range(2):  # also when the name has been seen
        with pytest.raises(RequestError):
            builder.build(ENDPOINT, b"POST", b"/", [(name.encode(), b"v")], 1)


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\n", b"\r", b"a\0b", b"a\r\n\r\nGET / HTTP/1.1\r\n\r\n"])
def test_values_that_are_refused(value):
    with pytest.raises(RequestError) as caught:
        build([(b"x", value)])
    assert "b: c" not in str(caught.value)


@pytest.mark.parametrize("path", [b"", b"x", b"/a b", b"/a\r\n", b"/a#b", b"/\xc3\xa9", b"http://evil/", b"/\0"])
def test_paths_that_are_refused(path):
    with pytest.raises(RequestError):
        build(path=path)


def test_methods_that_are_refused():
    for method in (b"get", b"CONNECT", b"POST /", b""):
        with pytest.raises(RequestError):
            build(method=method)


@given(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=12)), max_size=5), st.binary(max_size=9))
def test_no_input_adds_a_line(headers, path):
    try:
        head = build(headers, path=b"/" + path)
    except RequestError:
        return
    lines = head.split(b"\r\n")
    assert len(lines) == ENDPOINT.static_lines + len(headers) + 3
    assert b"\n" not in b"".join(lines) and b"\r" not in b"".join(lines)
    assert head.endswith(b"\r\n\r\n") and head.index(b"\r\n\r\n") == len(head) - 4


def test_the_memory_of_names_is_bounded():
    builder = HeadBuilder()
    for i in range(3000):
        builder.build(ENDPOINT, b"POST", b"/", [(b"x-%d" % i, b"v")], 1)
    assert len(builder._known) <= 1024
