"""The control plane: health, metrics, explanations, reload and results on own tasks, on a listener of its own (127.0.0.1 by default).

Starlette serves it: it is never on the path of a model's answer. Every route but health needs the control secret when one is
configured; without one the listener is loopback only (the configuration refuses anything else) and web pages are refused.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from suffice.errors import AuthError, NotFoundError, RequestError, SufficeError
from suffice.gateway.app import refuse_browsers
from suffice.wire import errors as wire_errors

MAX_BODY_BYTES = 1024 * 1024
Reload = Callable[[], Awaitable[dict[str, Any]]]


class ControlPlane:
    """The handlers. `ready` says whether requests can be served, `story` returns one request's record or None."""

    def __init__(
        self,
        *,
        secret: str,
        ready: Callable[[], dict[str, Any]],
        metrics: Callable[[], bytes],
        story: Callable[[str], dict[str, Any] | None],
        reload: Reload,
        models: Callable[[], list[dict[str, Any]]],
        own_tasks: Callable[[bytes], dict[str, Any]],
    ) -> None:
        self._secret = secret.encode()
        self._ready = ready
        self._metrics = metrics
        self._story = story
        self._reload = reload
        self._models = models
        self._own_tasks = own_tasks

    def app(self) -> Starlette:
        """Return the ASGI application."""
        routes = [
            Route("/health", self._health, methods=["GET"]),
            Route("/ready", self._readiness, methods=["GET"]),
            Route("/metrics", self._guard(self._metrics_page), methods=["GET"]),
            Route("/explain/{request_id}", self._guard(self._explain), methods=["GET"]),
            Route("/models", self._guard(self._list_models), methods=["GET"]),
            Route("/reload", self._guard(self._do_reload), methods=["POST"]),
            Route("/own-tasks", self._guard(self._take_results), methods=["POST"]),
        ]
        return Starlette(routes=routes)

    def _guard(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                self._authenticate(request)
                return await handler(request)
            except SufficeError as error:
                return Response(wire_errors.body(wire_errors.CHAT, error), error.status, media_type="application/json")

        return guarded

    def _authenticate(self, request: Request) -> None:
        if not self._secret:
            refuse_browsers({k: v for k, v in request.headers.items() if k == "origin"})
            return
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._secret):
            raise AuthError(
                "the control plane needs its secret", hint="send `Authorization: Bearer <server.control_secret>`"
            )

    async def _health(self, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _readiness(self, request: Request) -> Response:
        told = self._ready()
        return _json(told, 200 if told.get("ready") else 503)

    async def _metrics_page(self, request: Request) -> Response:
        return Response(self._metrics(), media_type="text/plain; version=0.0.4")

    async def _explain(self, request: Request) -> Response:
        request_id = request.path_params["request_id"]
        story = self._story(request_id)
        if story is None:
            raise NotFoundError(f"no request {request_id[:64]!r} is in the ledger")
        return _json(story)

    async def _list_models(self, request: Request) -> Response:
        return _json({"models": self._models()})

    async def _do_reload(self, request: Request) -> Response:
        report = await self._reload()
        return _json(report, 200 if report.get("swapped") else 422)

    async def _take_results(self, request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY_BYTES:
                raise RequestError(f"the request body is larger than {MAX_BODY_BYTES:,} bytes", status=413)
        return _json(self._own_tasks(body))


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
