"""Strict parsing of HTTP/1 answers: httptools' parser, and the checks that it leaves to us.

It does no I/O. Invariant: after `complete` the message is whole by its own framing; a message that could be framed in two ways is
refused.
"""

from __future__ import annotations

from typing import NoReturn

import httptools

from suffice.upstream.deadlines import TransportLimits
from suffice.upstream.transport_fault import FaultKind

_WATCHED = frozenset((b"content-length", b"transfer-encoding", b"content-encoding", b"keep-alive"))
_INTERIM = frozenset((100, 102, 103))
_BODILESS = frozenset((204, 304))


class RefusedError(Exception):
    """Raised inside a parser callback to stop the parser; the reason is in `AnswerParser.refusal`."""


class AnswerParser:
    """One answer after another. `begin`, then `parser.feed_data`, then look at the state.

    `head_done`: `status` and `head` (lower-case names) hold the final head. `pieces`: body bytes not yet taken. `complete`: the
    message is whole. `keep`: the connection may serve another. `close_delimited`: the end of the connection ends the body.
    `compressed`: gzip or zlib came although identity was asked for. `idle_s`: how long the other side keeps a free
    connection, as far as it said. The caller adds to `fed`, before feeding, the bytes it feeds until the head is done.
    """

    __slots__ = (
        "_chunked",
        "_framed",
        "_headers",
        "_informational",
        "_interim",
        "close_delimited",
        "complete",
        "compressed",
        "fed",
        "head",
        "head_done",
        "head_only",
        "idle_s",
        "keep",
        "limits",
        "on_body",
        "parser",
        "pieces",
        "refusal",
        "status",
    )

    def __init__(self, limits: TransportLimits) -> None:
        self.limits = limits
        self.idle_s = limits.idle_s
        self.pieces: list[bytes] = []
        # The parser calls list.append itself: no Python frame per piece of body.
        self.on_body = self.pieces.append
        self.begin(head_only=False)
        self.parser = httptools.HttpResponseParser(self)

    def begin(self, *, head_only: bool) -> None:
        """Expect a new answer; `head_only` when the request was HEAD."""
        self._headers: list[tuple[bytes, bytes]] = []
        self._informational = 0
        self._interim = False
        self._framed = False
        self._chunked = False
        self.head_only = head_only
        self.fed = 0
        self.status = 0
        self.head = self._headers
        self.head_done = False
        self.complete = False
        self.keep = False
        self.close_delimited = False
        self.compressed = False
        self.refusal: tuple[FaultKind, str] | None = None

    def on_message_begin(self) -> None:
        """A status line begins: the first, one after a 1xx, or one too many."""
        if self.complete:
            self._stop("malformed", "bytes beyond the end of the message")
        self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep one header; look closer at the few that change framing."""
        name = name.lower()
        self._headers.append((name, value))
        if name in _WATCHED and not self.head_done:
            self._watch(name, value)

    def _watch(self, name: bytes, value: bytes) -> None:
        if name == b"content-length":
            self._framed = True
        elif name == b"transfer-encoding":
            if self._framed or value.strip().lower() != b"chunked":
                self._stop("malformed", "transfer-encoding other than chunked, or framed twice")
            self._framed = self._chunked = True
        elif name == b"content-encoding":
            coding = value.strip().lower()
            if coding in (b"gzip", b"x-gzip", b"deflate") and not self.compressed:
                self.compressed = True
            elif coding not in (b"", b"identity"):
                self._stop("malformed", "content-encoding that was not asked for")
        else:
            for part in value.lower().split(b","):
                key, _, number = part.strip().partition(b"=")
                if key == b"timeout" and number.isdigit() and len(number) < 9:
                    self.idle_s = min(self.limits.idle_s, int(number) - 1)

    def on_headers_complete(self) -> None:
        """Check the head and publish it, unless it is a 1xx."""
        parser = self.parser
        status = parser.get_status_code()
        headers = self._headers
        if len(headers) > self.limits.header_count:
            self._stop("too_large", f"over {self.limits.header_count} headers")
        version = parser.get_http_version()
        if version != "1.1" and (version != "1.0" or self._chunked):
            self._stop("malformed", "not an HTTP/1 answer")
        if status < 200:
            self._informational += 1
            self._interim = True
            if status not in _INTERIM or self._informational > self.limits.informational or self._framed:
                self._stop("malformed", "unexpected or too many 1xx answers")
            return
        if status > 599:
            self._stop("malformed", "status out of range")
        limit = self.limits.head_bytes
        # Adding up is needed only when what arrived could be too much.
        if self.fed > limit and sum([len(n) + len(v) + 4 for n, v in headers]) > limit:
            self._stop("too_large", f"head over {limit} bytes")
        self.status = status
        self.head = headers
        self._headers = []  # trailers go here and are dropped
        self.head_done = True
        if self.head_only or status in _BODILESS:
            self.compressed = False
        if self.head_only:
            self.complete = True
            return
        self.keep = parser.should_keep_alive()
        self.close_delimited = not self._framed and status not in _BODILESS

    def on_message_complete(self) -> None:
        """A message ended: a 1xx, or the answer."""
        if self._interim:
            self._interim = False
        else:
            self.complete = True

    def _stop(self, kind: FaultKind, detail: str) -> NoReturn:
        self.refusal = (kind, detail)
        raise RefusedError
