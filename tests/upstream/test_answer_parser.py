from __future__ import annotations

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.upstream.answer_parser import AnswerParser
from suffice.upstream.deadlines import TransportLimits

OK = b"HTTP/1.1 200 OK\r\n"
LIMITS = TransportLimits()


def feed(*data: bytes, head_only: bool = False) -> AnswerParser:
    parser = AnswerParser(LIMITS)
    parser.begin(head_only=head_only)
    for piece in data:
        if not parser.head_done:
            parser.fed += len(piece)
        parser.parser.feed_data(piece)
    return parser


REFUSED = {
    "cl and te": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "te and cl": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two cl": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "two equal cl": OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "cl list": OK + b"Content-Length: 3, 3\r\n\r\nabc",
    "negative cl": OK + b"Content-Length: -3\r\n\r\nabc",
    "plus cl": OK + b"Content-Length: +3\r\n\r\nabc",
    "underscore cl": OK + b"Content-Length: 1_0\r\n\r\nabc",
    "hex cl": OK + b"Content-Length: 0x3\r\n\r\nabc",
    "huge cl": OK + b"Content-Length: " + b"9" * 40 + b"\r\n\r\nabc",
    "beyond cl": OK + b"Content-Length: 3\r\n\r\nabcX",
    "beyond cl and close": OK + b"Connection: close\r\nContent-Length: 3\r\n\r\nabcX",
    "second answer": (OK + b"Content-Length: 3\r\n\r\nabc") * 2,
    "te other": OK + b"Transfer-Encoding: gzip\r\n\r\nabc",
    "te list": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "te twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "te in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk size 0x": OK + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "chunk size negative": OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
    "chunk size garbage": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "chunk size huge": OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    "chunk end": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n",
    "chunk bare lf": OK + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
    "folded": OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "space before colon": OK + b"X : a\r\nContent-Length: 0\r\n\r\n",
    "bare lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "nul": OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "bare cr": OK + b"X: a\rb\r\nContent-Length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
    "status 099": b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n",
    "status 101": b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "status 199": b"HTTP/1.1 199 X\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "1xx framed": b"HTTP/1.1 103 X\r\nContent-Length: 2\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "http/2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "http/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "not http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "204 with body": b"HTTP/1.1 204 X\r\nContent-Length: 3\r\n\r\nabc",
    "brotli": OK + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc",
    "zstd": OK + b"Content-Encoding: zstd\r\nContent-Length: 3\r\n\r\nabc",
    "gzip twice": OK + b"Content-Encoding: gzip, gzip\r\nContent-Length: 3\r\n\r\nabc",
    "gzip in two headers": OK + b"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    "many 100": b"HTTP/1.1 100 C\r\n\r\n" * 9 + OK + b"Content-Length: 0\r\n\r\n",
    "many headers": OK + b"x: y\r\n" * 257 + b"\r\n",
    "large head": OK + b"x: " + b"y" * 66_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_messages_that_are_refused_in_one_piece_and_byte_by_byte(data):
    with pytest.raises((httptools.HttpParserError, httptools.HttpParserUpgrade)):
        feed(data)
    with pytest.raises((httptools.HttpParserError, httptools.HttpParserUpgrade)):
        feed(*[data[i : i + 1] for i in range(len(data))])


def test_at_the_limits():
    assert feed(OK + b"x: y\r\n" * 255 + b"content-length: 0\r\n\r\n").complete
    assert feed(OK + b"x: " + b"y" * 65_000 + b"\r\ncontent-length: 0\r\n\r\n").complete
    assert feed(b"HTTP/1.1 100 C\r\n\r\n" * 8 + OK + b"content-length: 0\r\n\r\n").status == 200


def test_informational_answers_are_skipped():
    parser = feed(b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na")
    assert (parser.status, parser.head, parser.pieces, parser.complete) == (
        200,
        [(b"content-length", b"1")],
        [b"a"],
        True,
    )


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body(status):
    parser = feed(b"HTTP/1.1 %d X\r\n\r\n" % status)
    assert parser.complete and parser.keep and not parser.close_delimited


def test_framing_decides_about_keeping():
    assert feed(OK + b"content-length: 0\r\n\r\n").keep
    assert feed(OK + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n").keep
    assert not feed(OK + b"connection: close\r\ncontent-length: 0\r\n\r\n").keep
    assert not feed(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n").keep
    assert feed(b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n").keep
    parser = feed(b"HTTP/1.0 200 OK\r\n\r\nabc")
    assert parser.close_delimited and not parser.complete and not parser.keep


def test_trailers_do_not_reach_the_head():
    parser = feed(OK + b"transfer-encoding: chunked\r\n\r\n0\r\ncontent-encoding: br\r\nx: y\r\n\r\n")
    assert parser.complete and parser.head == [(b"transfer-encoding", b"chunked")]


def test_an_answer_to_head_ends_with_its_head():
    parser = feed(OK + b"content-length: 9\r\n\r\n", head_only=True)
    assert parser.complete and not parser.keep


def test_the_other_sides_idle_time_is_heeded():
    assert feed(OK + b"keep-alive: timeout=5, max=100\r\ncontent-length: 0\r\n\r\n").idle_s == 4
    assert feed(OK + b"keep-alive: timeout=500\r\ncontent-length: 0\r\n\r\n").idle_s == LIMITS.idle_s
    assert feed(OK + b"keep-alive: timeout=x\r\ncontent-length: 0\r\n\r\n").idle_s == LIMITS.idle_s


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", OK, OK + b"transfer-encoding: chunked\r\n\r\n", OK + b"content-length: "]),
)
def test_no_bytes_raise_anything_else(noise, prefix):
    try:
        parser = feed(prefix + noise)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return
    assert not parser.complete or 200 <= parser.status <= 599
