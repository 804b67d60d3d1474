"""The routes of the dialects beside chat: Responses with its stored state, Gemini with its paths, counting, lists of models.

They turn a path into an operation and hand over; what is answered here needs no model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from suffice.decision.virtual import VIRTUAL
from suffice.errors import NotFoundError, RequestError
from suffice.gateway.app import Route
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.counting import Counting
from suffice.gateway.exchange import GeminiExchange
from suffice.gateway.models import listed
from suffice.gateway.reading import Open, Reading
from suffice.gateway.reply import Reply
from suffice.gateway.responses import Responses
from suffice.gateway.responses_compact import compact, input_tokens
from suffice.wire import gemini, listing, responses_replay
from suffice.wire.messages_client import count_tokens_body

Serve = Callable[[Call, Principal, Reply, str], Awaitable[None]]
_PREFIX = "/v1/responses/"
_GEMINI = "/v1beta/models/"


def opens(responses: Responses) -> dict[str, Open]:
    """Return how the exchanges of Responses and Gemini are opened."""
    return {"responses": responses.open, "gemini": _open_gemini}


def _open_gemini(call: Call, principal: Principal) -> GeminiExchange:
    found = gemini.parse_path(call.path, call.query.decode("latin-1"))
    return GeminiExchange(call, array=found is not None and found.array)


class DialectRoutes:
    """Handlers of the routes."""

    def __init__(self, serve: Serve, reading: Reading, responses: Responses, counting: Counting) -> None:
        self._serve = serve
        self._reading = reading
        self._responses = responses
        self._counting = counting

    def table(self) -> list[Route]:
        """Return the rows of the route table."""
        serve = self._serve
        rows: list[tuple[str, str, str, Any, bool]] = [
            ("POST", "/v1/messages", "messages", partial(_as, serve, "messages"), True),
            ("POST", "/v1/messages/count_tokens", "messages", self._count_messages, True),
            ("POST", "/v1/responses", "responses", partial(_as, serve, "responses"), True),
            ("GET", "/v1/responses", "responses", _no_socket, False),
            ("POST", "/v1/responses/compact", "responses", self._compact, True),
            ("POST", "/v1/responses/input_tokens", "responses", self._input_tokens, True),
            ("GET", _PREFIX, "responses", self._stored, False),
            ("DELETE", _PREFIX, "responses", self._stored, False),
            ("POST", _PREFIX, "responses", self._stored, False),
            ("POST", _GEMINI, "gemini", self._gemini, True),
            ("POST", "/v1/models/", "gemini", self._gemini, True),
            ("POST", "/v1beta/", "gemini", self._gemini, True),
            ("GET", "/v1beta/models", "gemini", self._gemini_models, False),
            ("GET", _GEMINI, "gemini", self._gemini_model, False),
            ("GET", "/v1/models", "chat", self._models, False),
            ("GET", "/v1/models/", "chat", self._model, False),
        ]
        return [
            Route(method=method, path=path, dialect=dialect, handler=handler, has_body=has_body)
            for method, path, dialect, handler, has_body in rows
        ]

    # --- Responses ---

    async def _stored(self, call: Call, principal: Principal, reply: Reply) -> None:
        store, tenant = self._responses.store, principal.tenant
        name, _, rest = call.path.removeprefix(_PREFIX).partition("/")
        asked, name = parse_qs(call.query.decode("latin-1")), unquote(name)
        found: dict[str, Any]
        if call.method == "DELETE" and not rest:
            found = store.delete(tenant, name)
        elif call.method == "POST" and rest == "cancel":
            found = store.cancel(tenant, name)
        elif call.method == "GET" and rest == "input_items":
            limit = asked.get("limit", ["20"])[-1]
            found = store.input_items(
                tenant,
                name,
                limit=int(limit) if limit.isdecimal() and len(limit) < 5 else -1,
                after=asked.get("after", [""])[-1],
                order=asked.get("order", ["desc"])[-1],
            )
        elif call.method == "GET" and not rest:
            found = store.retrieve(tenant, name)
            if asked.get("stream", [""])[-1] == "true":
                after = asked.get("starting_after", [""])[-1]
                told = responses_replay.replay(found, int(after) if after.isdecimal() and len(after) < 10 else -1)
                return await reply.whole(200, told, ((b"content-type", b"text/event-stream"),))
        else:
            raise NotFoundError(f"there is no route {call.method} {call.path[:100]!r}", code="unknown_route")
        await reply.whole(200, msgspec.json.encode(found))

    def _resolved(self, call: Call, principal: Principal) -> bytes:
        """Return the body with everything that it refers to written out."""
        self._reading.scanned(call)
        exchange = self._responses.open(call, principal)
        changes = exchange.expanded.changes
        if not changes:
            return call.body
        body = {k: v for k, v in exchange.body.items() if k != "previous_response_id"}
        return msgspec.json.encode(body | {"input": exchange.expanded.items})

    async def _compact(self, call: Call, principal: Principal, reply: Reply) -> None:
        sealer = self._responses.sealer(principal.tenant)
        found = await asyncio.to_thread(compact, self._resolved(call, principal), sealer, self._responses.env)
        await reply.whole(200, msgspec.json.encode(found))

    async def _input_tokens(self, call: Call, principal: Principal, reply: Reply) -> None:
        sealer = self._responses.sealer(principal.tenant)
        body = self._resolved(call, principal)
        model = str(msgspec.json.decode(body).get("model") or "")
        found = input_tokens(body, sealer, lambda text: self._counting.estimate(text.encode(), model))
        await reply.whole(200, msgspec.json.encode(found))

    # --- Messages and Gemini ---

    async def _count_messages(self, call: Call, principal: Principal, reply: Reply) -> None:
        top = self._reading.scanned(call)
        counted = await self._counting.asked_upstream(call, principal, top)
        if counted is None:
            counted = count_tokens_body(self._counting.of_messages(call, top))
        await reply.whole(200, counted)

    async def _gemini(self, call: Call, principal: Principal, reply: Reply) -> None:
        found = gemini.parse_path(call.path, call.query.decode("latin-1"))
        if found is None or found.method.endswith(("Content", "Tokens")) is False:
            raise NotFoundError(f"there is no route {call.path[:100]!r}", code="unknown_route")
        if found.method == "countTokens":
            self._reading.scanned(call)
            count = await self._counting.of_gemini(call, principal, found.model)
            if count is None:
                count = self._counting.of_body(call.body, found.model)
            return await reply.whole(200, gemini.encode_count_response(count))
        if found.method not in ("generateContent", "streamGenerateContent"):
            raise NotFoundError(f"{found.method} is not served", hint="use /v1/embeddings", code="unknown_route")
        named = msgspec.structs.replace(call, model=found.model, stream=found.stream)
        return await self._serve(named, principal, reply, "gemini")

    # --- lists of models ---

    def _rows(self, principal: Principal) -> list[listing.ListedModel]:
        return listed(self._reading.state, principal)

    def _row(self, principal: Principal, name: str) -> listing.ListedModel:
        state = self._reading.state
        known = {row.id: row for row in self._rows(principal)}
        found = known.get(name) or known.get(name.removeprefix("suffice/"))
        if found is None and name and "/" not in name:
            same = [row for row in known.values() if row.id.partition("/")[2] == name]
            found = same[0] if same else None
        if found is None and name in (*VIRTUAL, *state.settings.aliases):
            found = listing.ListedModel(id=name)
        if found is None:
            raise NotFoundError(f"there is no model {name[:200]!r}", code="model_not_found", param="model")
        return found

    async def _models(self, call: Call, principal: Principal, reply: Reply) -> None:
        if "x-goog-api-key" in call.headers or "x-goog-api-client" in call.headers:
            return await self._gemini_models(call, principal, reply)
        rows = self._rows(principal)
        if "anthropic-version" not in call.headers:
            return await reply.whole(200, listing.openai_list(rows))
        asked = parse_qs(call.query.decode("latin-1"))
        limit = asked.get("limit", ["20"])[-1]
        body = listing.anthropic_list(
            rows,
            limit=int(limit) if limit.isdecimal() and len(limit) < 6 else 20,
            after_id=asked.get("after_id", [""])[-1],
            before_id=asked.get("before_id", [""])[-1],
        )
        return await reply.whole(200, body)

    async def _model(self, call: Call, principal: Principal, reply: Reply) -> None:
        row = self._row(principal, unquote(call.path.removeprefix("/v1/models/")))
        shape = listing.anthropic_model if "anthropic-version" in call.headers else listing.openai_model
        await reply.whole(200, msgspec.json.encode(shape(row)))

    async def _gemini_models(self, call: Call, principal: Principal, reply: Reply) -> None:
        asked = parse_qs(call.query.decode("latin-1"))
        size = asked.get("pageSize", ["50"])[-1]
        size_rows = int(size) if size.isdecimal() and len(size) < 6 else 50
        token = asked.get("pageToken", [""])[-1]
        await reply.whole(200, listing.gemini_list(self._rows(principal), page_size=size_rows, page_token=token))

    async def _gemini_model(self, call: Call, principal: Principal, reply: Reply) -> None:
        row = self._row(principal, unquote(call.path.removeprefix(_GEMINI)))
        await reply.whole(200, msgspec.json.encode(listing.gemini_model(row)))


async def _as(serve: Serve, operation: str, call: Call, principal: Principal, reply: Reply) -> None:
    await serve(call, principal, reply, operation)


async def _no_socket(call: Call, principal: Principal, reply: Reply) -> None:
    """Refuse a plain GET: clients of the dialect go over to POST on 426."""
    raise RequestError(
        "GET /v1/responses is for WebSockets", hint="ask for the upgrade, or use POST", status=426, code="no_websocket"
    )
