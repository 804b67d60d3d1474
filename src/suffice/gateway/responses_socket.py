"""The WebSocket side of the Responses dialect: one connection, one response at a time, and the chain that lives in it.

A client sends `response.create` messages and gets the events that a stream over HTTP would hold, one in each message. With
`store: false` the conversation is remembered in the connection only; a continuation that fails takes the response it built on
with it, so that a client never builds on a state that it cannot know. `generate: false` warms a connection up and is answered
here. Messages that arrive while a response runs wait their turn, a bounded number of them.

It knows no socket: `receive`, `send` and `run` come from outside. Invariant: every message is answered by exactly one end, a
terminal event or an error event, unless the client has left or the gateway stops: then only the response that runs is ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from suffice.errors import RequestError, SufficeError, UpstreamError
from suffice.gateway.responses_state import Item, as_items, not_found, replayable
from suffice.values.env import Env
from suffice.wire import errors as wire_errors
from suffice.wire import responses_object
from suffice.wire.openai_responses import ResponsesClient
from suffice.wire.responses_items import items_of
from suffice.wire.responses_request import ENCRYPTED

log = logging.getLogger("suffice.gateway")

Receive = Callable[[], Awaitable[str | None]]
Send = Callable[[str], Awaitable[None]]
Emit = Callable[[str], Awaitable[None]]
Run = Callable[[bytes, Emit], Awaitable[None]]

_GOOD = ("response.completed", "response.incomplete")


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """Bounds of one connection; sizes in bytes, times in seconds. `waiting` counts messages that may queue."""

    message_bytes: int = 32 * 1024 * 1024
    idle_s: float = 900.0
    lifetime_s: float = 3600.0
    waiting: int = 4
    chain_responses: int = 4
    chain_bytes: int = 64 * 1024 * 1024


class _Gone(Exception):
    """The client has left in the middle of an answer."""


class ResponsesSocket:
    """One connection.

    `history(id)` returns the items of a response in the tenant's store, None when it is not there; a request that continues
    such a response still names it when it comes to `run`, which resolves it as over HTTP.
    """

    def __init__(
        self,
        *,
        env: Env,
        receive: Receive,
        send: Send,
        run: Run,
        client: ResponsesClient,
        history: Callable[[str], list[Item] | None] = lambda _: None,
        limits: SocketLimits | None = None,
    ) -> None:
        self._env = env
        self._receive = receive
        self._send = send
        self._run = run
        self._client = client
        self._history = history
        self._limits = limits or SocketLimits()
        self._chain: OrderedDict[str, tuple[list[Item], int]] = OrderedDict()
        self._queue: asyncio.Queue[str | None] = asyncio.Queue(self._limits.waiting)
        self._running: asyncio.Task[None] | None = None
        self._gone = False
        self._draining = False

    def drain(self) -> None:
        """Begin no further response; `serve` returns when the running one has ended."""
        self._draining = True
        if not self._queue.full():
            self._queue.put_nowait(None)  # wakes the loop when it waits; a full queue means that it does not

    async def serve(self) -> None:
        """Serve until the client leaves, idles too long, or the connection is too old. Does not close the socket."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read())
            try:
                await self._work()
            finally:
                reader.cancel()

    async def _read(self) -> None:
        try:
            while (message := await self._receive()) is not None:
                await self._queue.put(message)
        except Exception as error:  # the kind of exception belongs to the socket's library
            log.info("a websocket was lost: %s", error)
        self._gone = True
        if self._running is not None:
            self._running.cancel()
        await self._queue.put(None)

    async def _work(self) -> None:
        ends_s = self._env.monotonic() + self._limits.lifetime_s
        while not (self._gone or self._draining):
            left_s = ends_s - self._env.monotonic()
            try:
                async with asyncio.timeout(min(self._limits.idle_s, max(left_s, 0.0))):
                    message = await self._queue.get()
            except TimeoutError:
                code = "websocket_connection_limit_reached" if left_s <= self._limits.idle_s else "idle_timeout"
                await self._tell(
                    RequestError("the connection was open or idle too long", code=code, hint="open another")
                )
                return
            if message is None or self._draining:
                return
            # A group for one task: the reader may cancel it without cancelling this loop.
            async with asyncio.TaskGroup() as group:
                self._running = group.create_task(self._one(message))
            self._running = None

    async def _one(self, message: str) -> None:
        previous = ""
        try:
            body = self._parse(message)
            previous = str(body.get("previous_response_id") or "")
            if not await self._respond(body, previous):
                self._chain.pop(previous, None)
        except _Gone:
            self._gone = True
        except SufficeError as error:
            self._chain.pop(previous, None)
            await self._tell(error)
        except Exception:
            log.exception("a response over a websocket failed")
            self._chain.pop(previous, None)
            await self._tell(SufficeError("internal error"))

    def _parse(self, message: str) -> dict[str, Any]:
        if len(message.encode("utf-8", "surrogatepass")) > self._limits.message_bytes:
            raise RequestError("the message is too large", code="request_too_large", status=413)
        try:
            body = msgspec.json.decode(message)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise RequestError(f"the message is not valid JSON: {error}") from None
        if not isinstance(body, dict) or body.get("type") != "response.create":
            raise RequestError(
                "a message must be an object of type response.create", code="unknown_event", param="type"
            )
        previous = body.get("previous_response_id")
        if previous is not None and not isinstance(previous, str):
            raise RequestError("previous_response_id must be a string", param="previous_response_id")
        inner = body.get("response")
        # Some clients put the request beside the type, some into `response`.
        request = dict(inner) if isinstance(inner, dict) else dict(body)
        request.pop("type", None)
        return request

    async def _respond(self, body: dict[str, Any], previous: str) -> bool:
        """Run one request and return whether it ended well."""
        warm_up = body.pop("generate", True) is False
        given = as_items(body.get("input"))
        if previous in self._chain:
            given = items = [*self._chain[previous][0], *given]
            del body["previous_response_id"]
        elif previous:
            before = self._history(previous)
            if before is None:
                raise not_found(previous)
            items = [*before, *given]
        else:
            items = given
        body["input"] = given
        body["stream"] = True
        include = body.get("include") or []
        if isinstance(include, list) and ENCRYPTED not in include:
            # The chain must carry the reasoning even where the client does not.
            body["include"] = [*include, ENCRYPTED]
        request = msgspec.json.encode(body)
        if warm_up:
            await self._warm_up(request, items)
            return True
        end = _End()

        async def emit(event: str) -> None:
            end.see(event)
            await self._deliver(event)

        await self._run(request, emit)
        if not end.seen:
            raise UpstreamError("the answer broke off", code="upstream_truncated")
        if end.response is None:
            return False
        self._remember(end.response, items)
        return True

    async def _warm_up(self, request: bytes, items: list[Item]) -> None:
        asked = self._client.decode_request(request)
        now_s = int(self._env.now())
        response = responses_object.skeleton(
            asked, response_id=f"resp_{self._env.new_id().lower()}", model="", created_s=now_s
        )
        await self._deliver(_event("response.created", 0, response))
        done = response | {"status": "completed", "completed_at": now_s, "usage": responses_object.report(None)}
        await self._deliver(_event("response.completed", 1, done))
        self._remember(done, items)

    def _remember(self, response: dict[str, Any], items: list[Item]) -> None:
        whole = [*items, *replayable(items_of(response))]
        size = len(msgspec.json.encode(whole))
        if size > self._limits.chain_bytes:
            return
        self._chain[str(response.get("id"))] = (whole, size)
        while len(self._chain) > self._limits.chain_responses or self._chain_size() > self._limits.chain_bytes:
            self._chain.popitem(last=False)

    def _chain_size(self) -> int:
        return sum(size for _, size in self._chain.values())

    async def _deliver(self, event: str) -> None:
        try:
            await self._send(event)
        except Exception as error:  # the kind of exception belongs to the socket's library
            raise _Gone from error

    async def _tell(self, error: SufficeError) -> None:
        told = msgspec.json.decode(wire_errors.body(wire_errors.RESPONSES, error))["error"]
        try:
            await self._send(msgspec.json.encode({"type": "error", "status": error.status, "error": told}).decode())
        except Exception as failure:
            self._gone = True
            log.info("a websocket error could not be told: %s", failure)


class _End:
    """Looks for the end of an answer among its events."""

    def __init__(self) -> None:
        self.seen = False
        self.response: dict[str, Any] | None = None

    def see(self, event: str) -> None:
        # Deltas are most of the events and are not decoded; a text that quotes a terminal event only costs a decoding.
        if not any(f'"{kind}"' in event for kind in (*_GOOD, "response.failed", "error")):
            return
        decoded = msgspec.json.decode(event)
        kind = decoded.get("type") if isinstance(decoded, dict) else None
        if kind in (*_GOOD, "response.failed", "error"):
            self.seen = True
        if kind in _GOOD and isinstance(decoded.get("response"), dict):
            self.response = decoded["response"]


def _event(kind: str, number: int, response: dict[str, Any]) -> str:
    return msgspec.json.encode({"type": kind, "sequence_number": number, "response": response}).decode()
