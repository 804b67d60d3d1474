"""The listening side: uvicorn's HTTP protocol with the guards that it lacks.

Adds to `HttpToolsProtocol`: limits on header count and bytes, exactly one valid Host, a strict request target, deadlines for
slow headers, slow bodies and idle sockets, and the cancellation of a request whose client has left. Deadlines are a number
per connection that one sweep a second compares with the clock: they cost a request nothing but an assignment.
A refused connection gets one JSON error and is closed; nothing of it reaches the application.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from suffice.errors import RequestError
from suffice.gateway.answering import Answering
from suffice.wire import errors as wire_errors

_HOST = re.compile(rb"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
# The one path whose last part may hold an encoded slash: the id of a model.
_MODEL_PATH = (b"/v1/models/", b"/v1beta/")
_BAD_TARGET = re.compile(rb"//|/\.\.?(?:/|$|\?)|%2[fF]|%5[cC]|%00|\\|[\x00-\x20\x7f-\xff]|#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one connection; times in seconds, sizes in bytes.

    `request_s` ends a request whose client does not take its answer, `connections` is the most of them; 0 is no bound.
    """

    header_count: int = 100
    header_bytes: int = 64 * 1024
    target_bytes: int = 8 * 1024
    header_s: float = 10.0
    body_s: float = 30.0
    body_rate: float = 4096.0
    idle_s: float = 75.0
    request_s: float = 0.0
    connections: int = 0


class GuardedProtocol(HttpToolsProtocol):
    """One client connection. `limits` is set on the subclass that `guarded` makes."""

    limits = Limits()
    _header_bytes = 0
    _header_count = 0
    _refusal: tuple[int, str] | None = None
    _body_start = 0.0
    _body_seen = 0
    deadline = 0.0
    answer_by = 0.0
    request_task: asyncio.Task[Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first request."""
        super().connection_made(transport)
        self.deadline = self.loop.time() + self.limits.header_s
        if 0 < self.limits.connections < len(self.connections):
            self._refuse(503, "too many connections")

    def data_received(self, data: bytes) -> None:
        """Feed the parser; on a refusal answer once and close."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            status, message = self._refusal or (400, "the request does not follow HTTP/1.1")
            self._refuse(status, message)

    def _refuse(self, status: int, message: str) -> None:
        error = RequestError(message, status=status, code="bad_http")
        content = wire_errors.body(wire_errors.CHAT, error)
        head = STATUS_LINE[status] + b"content-type: application/json\r\nconnection: close\r\ncontent-length: "
        if not self.transport.is_closing():
            cycle = self.cycle
            # Never write into the answer of an earlier request on the same connection.
            if cycle is None or cycle.response_complete or (cycle.more_body and not cycle.response_started):
                self.transport.write(head + str(len(content)).encode() + b"\r\n\r\n" + content)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Reset the counters of the next request."""
        super().on_message_begin()
        self._header_bytes = self._header_count = self._body_seen = 0
        self.scope["suffice.connection"] = self  # type: ignore[typeddict-unknown-key]
        if self.cycle is None or self.cycle.response_complete:
            self.deadline = self.loop.time() + self.limits.header_s

    def on_url(self, url: bytes) -> None:
        """Bound the request target."""
        self.url += url
        if len(self.url) > self.limits.target_bytes:
            self._reject(414, "the request target is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Bound the header block."""
        self._header_count += 1
        self._header_bytes += len(name) + len(value) + 4
        if self._header_count > self.limits.header_count or self._header_bytes > self.limits.header_bytes:
            self._reject(431, "the request header is too large")
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Check target, version and Host before anything of the application runs."""
        hosts = 0
        has_length = has_coding = False
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
                if _HOST.fullmatch(value) is None:
                    self._reject(400, "the Host header is not a host")
            elif name == b"content-length":
                if has_length or not value.isdigit() or len(value) > 18:
                    self._reject(400, "the Content-Length header is not one number")
                has_length = True
            elif name == b"transfer-encoding":
                if has_coding or value.lower() != b"chunked":
                    self._reject(400, "the Transfer-Encoding header is not `chunked`")
                has_coding = True
        if hosts != 1:
            self._reject(400, "a request needs exactly one Host header")
        if has_length and has_coding:
            self._reject(400, "Content-Length and Transfer-Encoding exclude each other")
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            self._reject(505, "only HTTP/1.1 is spoken here")
        if self.parser.should_upgrade():
            self._check_upgrade(has_body=has_length or has_coding)
        path = self.url.partition(b"?")[0]
        if path.startswith(_MODEL_PATH):
            path = path.replace(b"%2F", b"-").replace(b"%2f", b"-")
        if not path.startswith(b"/") or _BAD_TARGET.search(path) is not None:
            self._reject(400, "the request target is not a plain path")
        self._body_start = self.loop.time()
        self.deadline = self._body_start + self.limits.body_s
        if self.parser.should_upgrade():
            super().on_headers_complete()
        else:
            self._begin()

    def _begin(self) -> None:
        """Start the request as uvicorn does, with an answer that can be written to without a message per piece."""
        parser, scope = self.parser, self.scope
        version = parser.get_http_version()
        scope["method"], scope["http_version"] = parser.get_method().decode("ascii"), version
        raw_path, _, query = self.url.partition(b"?")
        scope["path"] = unquote(raw_path.decode("ascii"))
        scope["raw_path"], scope["query_string"] = raw_path, query.partition(b"#")[0]
        before = self.cycle
        self.cycle = answer = Answering(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        scope["suffice.answer"] = answer  # type: ignore[typeddict-unknown-key]
        if before is None or before.response_complete:
            self._start_asgi_task(answer, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((answer, self.app))

    def _check_upgrade(self, *, has_body: bool) -> None:
        """Refuse what would let one request's bytes be read as another's, or as frames."""
        if not self._should_upgrade():
            self._reject(400, "this protocol upgrade is not offered here")
        if has_body or self.parser.get_method() != b"GET":
            self._reject(400, "a WebSocket begins with a GET that has no body")
        if self.cycle is not None and not self.cycle.response_complete:
            self._reject(400, "a WebSocket cannot begin while an answer is under way")

    def _reject(self, status: int, message: str) -> None:
        # Raised out of a parser callback it ends the parsing; data_received answers.
        self._refusal = (status, message)
        raise RequestError(message, status=status)

    def on_body(self, body: bytes) -> None:
        """Extend the deadline of a body by what arrived, at the least rate that is tolerated."""
        self._body_seen += len(body)
        self.deadline = self._body_start + self.limits.body_s + self._body_seen / self.limits.body_rate
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: from here the application's own deadline rules."""
        self.deadline = 0.0
        if self.limits.request_s:
            self.answer_by = self.loop.time() + self.limits.request_s
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the idle clock instead of a timer per request."""
        self.server_state.total_requests += 1
        self.request_task = None
        self.answer_by = 0.0
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif not self.deadline:
            self.deadline = self.loop.time() + self.limits.idle_s

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the request of a client that has left before its answer was complete."""
        task, self.request_task = self.request_task, None
        unfinished = self.cycle is not None and not self.cycle.response_complete
        super().connection_lost(exc)
        if task is not None and unfinished:
            task.cancel()

    def expire(self, now: float) -> None:
        """Close the connection when its deadline has passed; called by the sweep."""
        if self.answer_by and now > self.answer_by and not self.transport.is_closing():
            # Not `close`: that would wait for a client that takes nothing.
            self.transport.abort()
        elif self.deadline and now > self.deadline and not self.transport.is_closing():
            self.deadline = 0.0
            waiting = self.cycle is None or self.cycle.response_complete
            if waiting and not self._header_bytes:
                self.transport.close()
            else:
                self._refuse(408, "the request came too slowly")


def guarded(limits: Limits) -> type[GuardedProtocol]:
    """Return the protocol class with `limits`."""
    return type("LimitedProtocol", (GuardedProtocol,), {"limits": limits})


async def sweep(connections: set[Any], every_s: float = 1.0) -> None:
    """Compare the deadlines of `connections` with the loop's clock, once every `every_s` seconds, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every_s)
        now = loop.time()
        for connection in list(connections):
            if isinstance(connection, GuardedProtocol):
                connection.expire(now)
