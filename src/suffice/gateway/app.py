"""The data plane: a raw ASGI callable that turns bytes on a socket into a `Call` and hands it to the pipeline.

It matches the raw path (never a reconstructed URL) against one table of routes, authenticates before it reads a body, bounds
what it reads, and tells every error in the dialect of the route. It holds no policy.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from suffice.errors import AuthError, BudgetError, ForbiddenError, NotFoundError, RequestError, SufficeError
from suffice.gateway import hops
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.idempotency import Idempotency
from suffice.gateway.reply import Header, Reply
from suffice.telemetry.metrics import Metrics
from suffice.values.env import Env
from suffice.wire import errors as wire_errors

log = logging.getLogger("suffice.gateway")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_JSON, MULTIPART = "application/json", "multipart/form-data"
# No form can send it: a page would have to ask first, and is never answered when it asks.
_PROTOBUF = "application/x-protobuf"
# A request that names these would otherwise be counted twice or by the wrong party.
_ONCE = frozenset({"authorization", "x-api-key", "x-goog-api-key", "content-type", "content-length", "idempotency-key"})


class Handler(Protocol):
    """Serves one route after authentication."""

    def __call__(self, call: Call, principal: Principal, reply: Reply) -> Awaitable[None]:
        """Answer `call` through `reply`."""
        ...


class Authenticator(Protocol):
    """Turns the credentials of a request into a principal."""

    def __call__(self, headers: dict[str, str], client: str) -> Principal:
        """Return the principal. Raises AuthError or ForbiddenError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the route table. A route is open only when it says so; a path that ends in `/` (but the root) is a prefix.

    `media_hint` tells who sends another content type what to do; such a route says so before it asks for a key. `media` is the
    content type that it reads, `media_too` another one. `inflates`: its bodies may come compressed by gzip.
    """

    method: str
    path: str
    dialect: str
    handler: Handler
    open: bool = False
    has_body: bool = True
    media_hint: str = ""
    media: str = _JSON
    media_too: str = ""
    inflates: bool = False


class DataPlane:
    """The ASGI application of the public listener."""

    def __init__(
        self,
        *,
        env: Env,
        routes: list[Route],
        authenticate: Authenticator,
        body_limit: int,
        request_timeout_s: float,
        metrics: Metrics | None = None,
        idempotency: Idempotency | None = None,
        socket: App | None = None,
    ) -> None:
        self._env = env
        self._idempotency = idempotency
        self._authenticate = authenticate
        self._socket = socket
        self._metrics = metrics
        self.body_limit = body_limit
        self.request_timeout_s = request_timeout_s
        self._routes: dict[bytes, dict[str, Route]] = {}
        for route in routes:
            self._routes.setdefault(route.path.encode(), {})[route.method] = route
        self._prefixes = [path for path in self._routes if len(path) > 1 and path.endswith(b"/")]
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; never raises, so that one request can never harm another."""
        if scope["type"] != "http":
            if scope["type"] == "websocket" and self._socket is not None:
                await self._socket(scope, receive, send)
            return
        connection = scope.get("suffice.connection")
        if connection is not None:
            connection.request_task = asyncio.current_task()
        started = self._env.monotonic()
        request_id = self._env.new_id()
        path: bytes = scope["raw_path"]
        methods = self._routes.get(path) or self._under(path)
        route = methods.get(scope["method"]) if methods else None
        reply = Reply(send, route.dialect if route else dialect_of(path), request_id, scope.get("suffice.answer"))
        reply.headers.append((b"x-request-id", request_id.encode()))
        self.in_flight += 1
        metrics = self._metrics
        if metrics is not None:
            metrics.request_started()
        try:
            if route is None:
                raise _no_route(scope, methods)
            await self._serve(route, scope, receive, reply, started)
        except SufficeError as error:
            if metrics is not None and isinstance(error, BudgetError):
                metrics.refused(error.budget or error.code)
            await self._tell(reply, error)
        except asyncio.CancelledError:
            # The client has left, or the drain deadline has passed; the pipeline has settled what was open.
            log.info("request %s: cancelled", request_id)
        except Exception:
            log.exception("request %s: internal error", request_id)
            await self._tell(reply, SufficeError("internal error", hint=f"request id {request_id}"))
        finally:
            self.in_flight -= 1
            if metrics is not None:
                metrics.request_finished(route.path if route else "unrouted", reply.status)

    def _under(self, path: bytes) -> dict[str, Route] | None:
        return next((self._routes[p] for p in self._prefixes if path.startswith(p) and len(path) > len(p)), None)

    async def _tell(self, reply: Reply, error: SufficeError) -> None:
        try:
            await reply.error(error)
        except Exception as failure:  # the client is gone: there is nobody left to tell
            log.info("request %s: %s could not be told: %s", reply.request_id, error.code, failure)

    async def _serve(self, route: Route, scope: Scope, receive: Receive, reply: Reply, started: float) -> None:
        headers = headers_of(scope["headers"])
        if "x-suffice-hops" in headers:
            hops.told(headers)
        client = scope["client"][0] if scope.get("client") else ""
        if route.media_hint:
            _check_content_type(headers, route.media_hint, also=route.media_too)
        query = scope["query_string"]
        if b"key=" in query and route.dialect == wire_errors.GEMINI:
            query = _without_key(query, headers)
        principal = Principal.anonymous() if route.open else self._authenticate(headers, client)
        body = b""
        if route.has_body:
            _check_content_type(headers, media=route.media, also=route.media_too)
            zipped = route.inflates and headers.get("content-encoding", "").lower() == "gzip"
            body = await self._read(headers, receive, zipped=zipped)
            if zipped:
                body = inflated(body, self.body_limit)
        call = Call(
            request_id=reply.request_id,
            dialect=route.dialect,
            path=scope["raw_path"].decode("latin-1") if route.path.endswith("/") else route.path,
            query=query,
            headers=headers,
            body=body,
            received_s=self._env.now(),
            started_mono_s=started,
            deadline_mono_s=started + self.request_timeout_s,
            client=client,
            method=route.method,
        )
        if self._idempotency is not None and "idempotency-key" in headers and route.has_body:
            await self._idempotency.serve(call, principal, reply, route.handler)
        else:
            await route.handler(call, principal, reply)

    async def _read(self, headers: dict[str, str], receive: Receive, *, zipped: bool = False) -> bytes:
        limit = self.body_limit
        too_large = RequestError(
            f"the request body is larger than {limit:,} bytes",
            code="request_too_large",
            status=413,
            hint="raise server.max_body_bytes, or send less",
        )
        if int(headers.get("content-length", "0")) > limit:
            raise too_large
        if not zipped and headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestError("compressed request bodies are not read", status=415, code="unsupported_encoding")
        message = await receive()
        if not message.get("more_body"):
            if message["type"] == "http.disconnect":
                raise asyncio.CancelledError
            data: bytes = message["body"]
            if len(data) > limit:
                raise too_large
            return data
        pieces = [message["body"]]
        size = len(pieces[0])
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise asyncio.CancelledError
            pieces.append(message["body"])
            size += len(pieces[-1])
            if size > limit:
                raise too_large
        return b"".join(pieces)


def dialect_of(path: bytes) -> str:
    """Return the dialect in which to tell an error on `path`, which need not be a known route."""
    if b"/messages" in path:
        return wire_errors.MESSAGES
    if path.startswith(b"/v1beta"):
        return wire_errors.GEMINI
    if path.startswith(b"/v1/responses"):
        return wire_errors.RESPONSES
    return wire_errors.CHAT


def headers_of(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by lower-case name, the first value of each. Raises RequestError for a repeat that could deceive."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1")
        if key in headers:
            if key in _ONCE:
                raise RequestError(f"the header {key} is given twice", code="repeated_header")
            if key == "anthropic-beta":
                headers[key] += "," + value.decode("latin-1")
            continue
        headers[key] = value.decode("latin-1")
    return headers


def _without_key(query: bytes, headers: dict[str, str]) -> bytes:
    """Return the query of a Gemini request without `key`, which clients of that dialect may send instead of a header.

    It is put where the header would be, unless there is a credential in one, and goes no further: not upstream, into no log.
    """
    rest = []
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if name != b"key":
            rest.append(part)
        elif "authorization" not in headers and "x-api-key" not in headers:
            headers.setdefault("x-goog-api-key", unquote_to_bytes(value.replace(b"+", b" ")).decode("latin-1"))
    return b"&".join(rest)


def inflated(data: bytes, limit: int) -> bytes:
    """Return what gzip compressed. Raises RequestError: 400 for what is none, 413 for what comes to more than `limit` bytes."""
    reader = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        body = reader.decompress(data, limit + 1)
    except zlib.error:
        raise RequestError("the request body is no gzip", code="bad_encoding") from None
    if len(body) > limit:
        hint = "send less at a time"
        raise RequestError(f"the request body inflates to more than {limit:,} bytes", status=413, hint=hint)
    if not reader.eof:
        raise RequestError("the compressed request body ends too early", code="bad_encoding")
    return body


def _check_content_type(headers: dict[str, str], hint: str = "", media: str = _JSON, also: str = "") -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if also and kind == also:
        return
    if kind != media and (kind or media != _JSON):
        raise RequestError(
            f"the content type is {kind[:80]!r}",
            hint=hint or f"send {media}",
            status=415,
            code="unsupported_media_type",
        )


def _no_route(scope: Scope, methods: dict[str, Route] | None) -> SufficeError:
    if methods:
        allowed = ", ".join(sorted(methods))
        return RequestError(
            f"{scope['method'][:20]} is not served here", hint=f"use {allowed}", status=405, code="method_not_allowed"
        )
    shown = scope["raw_path"][:100].decode("latin-1")
    return NotFoundError(f"there is no route {shown!r}", hint="see docs/reference/routes.md", code="unknown_route")


def refuse_browsers(headers: dict[str, str]) -> None:
    """Refuse what a web page can send, on a listener without keys. Raises ForbiddenError."""
    if "origin" in headers:
        raise ForbiddenError(
            "requests from web pages are refused while no key is configured",
            hint="create one with `suffice keys create`",
            code="origin_refused",
        )
    kind = headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    # A form with a credential of its own: a page could send that only after asking, and is never answered when it asks.
    asked = kind == MULTIPART and ("authorization" in headers or "x-api-key" in headers)
    if kind not in (_JSON, _PROTOBUF) and not asked:
        raise ForbiddenError("only application/json is read while no key is configured", code="origin_refused")


def bearer(headers: dict[str, str]) -> str:
    """Return the virtual key of a request: `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`. Raises AuthError."""
    authorization = headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
    if authorization:
        if scheme.lower() != "bearer" or not token.strip():
            raise AuthError("the Authorization header is not `Bearer <key>`", hint="send your Suffice key, sk-sf-...")
        return token.strip()
    key = headers.get("x-api-key") or headers.get("x-goog-api-key") or headers.get("api-key") or ""
    if not key:
        raise AuthError("no key was sent", hint="send `Authorization: Bearer sk-sf-...`", code="missing_api_key")
    return key


__all__ = ["DataPlane", "Header", "Route", "bearer", "dialect_of", "headers_of", "refuse_browsers"]
