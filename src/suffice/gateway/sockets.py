"""Responses over a WebSocket, from the handshake to the close: the ASGI side of `responses_socket.py`.

The caller is authenticated before the connection is accepted, and again for every response: a key that was revoked or has spent
its budget does nothing more on a connection that is open already. Each response is a request of its own, with its own id, deadline
and place in the ledger, and goes the same way as one over HTTP. Invariant: a refused handshake is answered as HTTP, with the true
status and the dialect's body.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from suffice.errors import AuthError, NotFoundError, SufficeError
from suffice.gateway import hops
from suffice.gateway.app import Authenticator, Receive, Scope, Send, headers_of
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.reply import JSON, Reply
from suffice.gateway.responses import Responses
from suffice.gateway.responses_socket import Emit, ResponsesSocket, SocketLimits
from suffice.gateway.websocket import CUT, DRAIN
from suffice.telemetry.metrics import Metrics
from suffice.values.env import Env
from suffice.wire import errors as wire_errors
from suffice.wire import sse
from suffice.wire.openai_responses import ResponsesClient

log = logging.getLogger("suffice.gateway")

PATH = b"/v1/responses"
# How long a client may leave one event untaken.
TAKE_S = 60.0
# Close codes of RFC 6455: going away, and the registered "service restart", on which clients open another connection.
_GOING_AWAY, _RESTART = 1001, 1012
_EVENT_BYTES = 64 * 1024 * 1024

Serve = Callable[[Call, Principal, Reply, str], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class _Link:
    """What the handshake said, and where to send."""

    headers: dict[str, str]
    query: bytes
    client: str
    tenant: str
    send: Send
    cut: bool = False


class ResponsesSockets:
    """The ASGI application of WebSockets. `limits` and `request_timeout_s` may be exchanged while it runs."""

    def __init__(
        self,
        *,
        env: Env,
        serve: Serve,
        authenticate: Authenticator,
        responses: Responses,
        limits: SocketLimits,
        request_timeout_s: float,
        metrics: Metrics | None = None,
        take_s: float = TAKE_S,
    ) -> None:
        self._env = env
        self._serve = serve
        self._authenticate = authenticate
        self._responses = responses
        self.limits = limits
        self.request_timeout_s = request_timeout_s
        self._metrics = metrics
        self._take_s = take_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; never raises."""
        connection_id = self._env.new_id()
        try:
            await receive()  # the handshake itself
            try:
                link = self._admitted(scope, send)
            except SufficeError as error:
                return await _refuse(send, error, connection_id)
            await send({"type": "websocket.accept", "headers": [(b"x-request-id", connection_id.encode())]})
            await self._talk(link, receive)
        except asyncio.CancelledError:
            # The time for an orderly end is over; what ran has been settled.
            log.info("websocket %s: cancelled", connection_id)
        except Exception:
            log.exception("websocket %s: internal error", connection_id)

    def _admitted(self, scope: Scope, send: Send) -> _Link:
        if scope["raw_path"] != PATH:
            shown = scope["raw_path"][:100].decode("latin-1")
            raise NotFoundError(f"there is no WebSocket at {shown!r}", hint="use /v1/responses", code="unknown_route")
        headers = headers_of(scope["headers"])
        hops.told(headers)
        client = scope["client"][0] if scope.get("client") else ""
        principal = self._authenticate(headers, client)
        return _Link(headers=headers, query=scope["query_string"], client=client, tenant=principal.tenant, send=send)

    async def _talk(self, link: _Link, receive: Receive) -> None:
        responses = self._responses
        draining = False

        async def next_message() -> str | None:
            nonlocal draining
            while True:
                message = await receive()
                if message["type"] == "websocket.receive":
                    text: str | None = message.get("text")
                    return text if text is not None else str(message["bytes"], "utf-8", "replace")
                if message["type"] != DRAIN:
                    return None
                draining = True
                socket.drain()

        socket = ResponsesSocket(
            env=self._env,
            receive=next_message,
            send=lambda event: self._send(link, event),
            run=lambda body, emit: self._turn(link, body, emit),
            client=ResponsesClient(responses.sealer(link.tenant), self._env.now),
            history=lambda response_id: responses.store.history(link.tenant, response_id),
            limits=self.limits,
        )
        await socket.serve()
        await self._close(link, _RESTART if draining else _GOING_AWAY)

    async def _send(self, link: _Link, event: str) -> None:
        try:
            async with asyncio.timeout(self._take_s):
                await link.send({"type": "websocket.send", "text": event})
        except TimeoutError:
            link.cut = True
            await link.send({"type": CUT})
            raise

    async def _close(self, link: _Link, code: int) -> None:
        if link.cut:
            return
        try:
            async with asyncio.timeout(self._take_s):
                await link.send({"type": "websocket.close", "code": code})
        except TimeoutError:
            await link.send({"type": CUT})
        except Exception as error:  # the client was first; the kind of exception belongs to the server
            log.info("a websocket was closed already: %s", type(error).__name__)

    async def _turn(self, link: _Link, body: bytes, emit: Emit) -> None:
        """Answer one request through `emit`, event by event. Raises SufficeError while nothing has been sent."""
        principal = self._authenticate(link.headers, link.client)
        if principal.tenant != link.tenant:
            raise AuthError("the key belongs to another team than when the connection began", hint="open another one")
        started = self._env.monotonic()
        call = Call(
            request_id=self._env.new_id(),
            dialect=wire_errors.RESPONSES,
            path=PATH.decode(),
            query=link.query,
            headers=link.headers,
            body=body,
            received_s=self._env.now(),
            started_mono_s=started,
            deadline_mono_s=started + self.request_timeout_s,
            client=link.client,
        )
        decoder = sse.Decoder(_EVENT_BYTES)

        async def send(message: Any) -> None:
            for event in decoder.feed(message.get("body") or b""):
                await emit(event.data.decode())

        await self._counted(call, principal, Reply(send, wire_errors.RESPONSES, call.request_id))

    async def _counted(self, call: Call, principal: Principal, reply: Reply) -> None:
        metrics = self._metrics
        if metrics is not None:
            metrics.request_started()
        status = 0
        try:
            await self._serve(call, principal, reply, wire_errors.RESPONSES)
        except SufficeError as error:
            status = error.status
            if not reply.started:
                raise
            await reply.error(error)
        finally:
            if metrics is not None:
                metrics.request_finished(PATH.decode(), reply.status or status)


async def _refuse(send: Send, error: SufficeError, request_id: str) -> None:
    body = wire_errors.body(wire_errors.RESPONSES, error, request_id)
    headers = [JSON, (b"content-length", str(len(body)).encode()), (b"x-request-id", request_id.encode())]
    await send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
