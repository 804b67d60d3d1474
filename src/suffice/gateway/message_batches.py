"""Batches of Messages at Anthropic: begun, listed, described, cancelled, deleted by the key that made them, and paid for.

Like `batches.py`, but the requests come in the body itself, and the results are a route of their own. Invariants: every request of
a batch was looked at before it went out; the address of results that a client is told is ours, so that its key goes nowhere else.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote

import msgspec

from suffice.errors import RequestError
from suffice.gateway.app import Route
from suffice.gateway.auth import Principal
from suffice.gateway.batch_handling import BatchHandling, object_of, unrouted
from suffice.gateway.batch_money import DESCRIPTION_BYTES, BatchMoney
from suffice.gateway.batches import BatchRoutes
from suffice.gateway.call import Call
from suffice.gateway.conversation import JSON_HEADERS
from suffice.gateway.files import below, relayed
from suffice.gateway.messages_conversation import version_headers
from suffice.gateway.passed_objects import PassedObject, PassedObjects
from suffice.gateway.reading import Reading
from suffice.gateway.reply import JSON, Header, Reply
from suffice.gateway.services import Pinned, Services, named, told
from suffice.ledger.book import Ledger
from suffice.wire import batch_lines, service_usage

PREFIX = "/v1/messages/batches/"


def batches(services: Services, objects: PassedObjects, reading: Reading, ledger: Ledger) -> list[Route]:
    """Return the rows of the route table for the batches of both dialects."""
    money = BatchMoney(services, objects, ledger)
    return [
        *BatchRoutes(services, objects, reading, money).table(),
        *MessageBatchRoutes(services, objects, reading, money).table(),
    ]


class MessageBatchRoutes(BatchHandling):
    """Handlers of the routes."""

    kind, prefix, dialect = "message_batch", PREFIX, "messages"

    def table(self) -> list[Route]:
        """Return the rows of the route table."""
        path = PREFIX[:-1]
        return [
            Route(method="POST", path=path, dialect=self.dialect, handler=self._create),
            Route(method="GET", path=path, dialect=self.dialect, handler=self._list, has_body=False),
            Route(method="GET", path=PREFIX, dialect=self.dialect, handler=self._one, has_body=False),
            Route(method="POST", path=PREFIX, dialect=self.dialect, handler=self._cancel),
            Route(method="DELETE", path=PREFIX, dialect=self.dialect, handler=self._delete, has_body=False),
        ]

    def _headers(self, call: Call) -> list[Header]:
        return version_headers(call)

    async def _create(self, call: Call, principal: Principal, reply: Reply) -> None:
        services = self._services
        top = self._reading.scanned(call)
        raw = top.value("requests")
        if raw is None:
            raise RequestError("requests is missing", param="requests")
        pinned: list[Pinned] = []

        def name_of(model: str) -> str:
            # The first request says where all go; the others must be served there.
            if not pinned:
                pinned.append(services.pick(call, "batches", model, dialect=self.dialect))
            return named(services, principal, pinned[0], model)

        lines = batch_lines.read_requests(raw, name_of)
        body = [call.body] if lines.data is raw else top.splice({"requests": lines.data})
        answer, headers = await self._money.begin(
            call,
            principal,
            pinned[0],
            lines.demands,
            kind=self.kind,
            headers=[*JSON_HEADERS, *version_headers(call)],
            body=body,
        )
        await reply.whole(200, _shown(answer), [JSON, *headers])

    async def _list(self, call: Call, principal: Principal, reply: Reply) -> None:
        rows = await self._objects.of_key(self.kind, principal.key_id)
        asked = parse_qs(call.query.decode("latin-1"))
        found = _page(rows, **{name: asked.get(name, [""])[-1] for name in ("limit", "after_id", "before_id")})
        await reply.whole(200, msgspec.json.encode(found))

    async def _one(self, call: Call, principal: Principal, reply: Reply) -> None:
        row, pinned, rest = await self._found(call, principal)
        if rest == "results":
            response = await self._services.ask(
                call, pinned, b"GET", below(pinned, row.id, "results"), version_headers(call), []
            )
            return await relayed(self._services, call, pinned, response, reply, b"application/x-jsonl")
        if rest:
            raise unrouted(call)
        answer = await self._looked_at(call, row, pinned)
        await reply.whole(200, _shown(answer), [JSON, *told(pinned, call)])

    async def _cancel(self, call: Call, principal: Principal, reply: Reply) -> None:
        row, pinned, rest = await self._found(call, principal)
        if rest != "cancel":
            raise unrouted(call)
        answer = await self._described(call, row, pinned, rest)
        await reply.whole(200, _shown(answer), [JSON, *told(pinned, call)])

    async def _delete(self, call: Call, principal: Principal, reply: Reply) -> None:
        row, pinned, rest = await self._found(call, principal)
        if rest:
            raise unrouted(call)
        if not row.settled:
            await self._looked_at(call, row, pinned)  # afterwards nobody could tell what it cost
        response = await self._services.ask(call, pinned, b"DELETE", below(pinned, row.id), version_headers(call), [])
        answer = await self._services.read(call, response, DESCRIPTION_BYTES)
        await self._objects.delete(row)
        await reply.whole(200, answer, [JSON, *told(pinned, call)])

    async def _looked_at(self, call: Call, row: PassedObject, pinned: Pinned) -> bytes:
        """Return the provider's description of now; a batch that has ended is paid for at what it came to."""
        answer = await self._described(call, row, pinned)
        found = object_of(answer)
        if found.get("processing_status") == "ended":
            await self._money.ended(row, lambda: self._really(call, row, pinned, found))
        return answer

    async def _really(self, call: Call, row: PassedObject, pinned: Pinned, batch: dict[str, Any]) -> int | None:
        counts = batch.get("request_counts")
        answered = counts.get("succeeded") if isinstance(counts, dict) else None
        if answered == 0:
            return 0
        path = below(pinned, row.id, "results")
        response = await self._services.ask(call, pinned, b"GET", path, version_headers(call), [])
        models = [demand.model for demand in row.demands]
        return await self._money.tallied(pinned, response, models, service_usage.of_result, answered=answered)


def _shown(answer: bytes) -> bytes:
    """Return a description whose results are fetched here: SDKs send the caller's key to the address that stands in it."""
    row = object_of(answer)
    if not row.get("results_url"):
        return answer
    return msgspec.json.encode(row | {"results_url": f"{PREFIX}{quote(str(row.get('id')), safe='')}/results"})


def _page(rows: list[PassedObject], *, limit: str, after_id: str, before_id: str) -> dict[str, Any]:
    """Return one page as Anthropic has it; `before_id` asks for the page that ends before it."""
    size = min(max(int(limit), 1), 1000) if limit.isdecimal() and len(limit) < 6 else 20
    ids = [row.id for row in rows]
    start, end = 0, len(rows)
    if before_id:
        end = ids.index(before_id) if before_id in ids else 0
        start = max(0, end - size)
    elif after_id:
        start = ids.index(after_id) + 1 if after_id in ids else end
    some = rows[start : min(end, start + size)]
    return {
        "data": [object_of(_shown(row.body.encode())) for row in some],
        "first_id": some[0].id if some else None,
        "last_id": some[-1].id if some else None,
        "has_more": start > 0 if before_id else start + size < end,
    }
