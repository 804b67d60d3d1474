"""Batches at a provider: begun, listed, described and cancelled by the key that made them, and paid for.

A batch is paid for when it is begun, with the most that its lines can come to (their prompts, their limits, the provider's share for
batches); when the provider says that it has ended, the charge is corrected once to what was really used. Invariant: no batch is begun
on a file that was not read here, and no correction is booked twice.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import msgspec

from suffice.errors import RequestError
from suffice.gateway.app import Route
from suffice.gateway.auth import Principal
from suffice.gateway.batch_handling import BatchHandling, object_of, unrouted
from suffice.gateway.call import Call
from suffice.gateway.conversation import JSON_HEADERS
from suffice.gateway.files import at, below
from suffice.gateway.passed_objects import PassedObject, page
from suffice.gateway.reply import JSON, Reply
from suffice.gateway.services import HEADER, Pinned, told
from suffice.wire import service_usage
from suffice.wire.prescan import TopLevel

_ENDED = frozenset({"completed", "expired", "cancelled", "failed"})


class BatchRoutes(BatchHandling):
    """Handlers of the routes."""

    kind, prefix, dialect = "batch", "/v1/batches/", "chat"

    def table(self) -> list[Route]:
        """Return the rows of the route table."""
        return [
            Route(method="POST", path="/v1/batches", dialect="chat", handler=self._create),
            Route(method="GET", path="/v1/batches", dialect="chat", handler=self._list, has_body=False),
            Route(method="GET", path=self.prefix, dialect="chat", handler=self._one, has_body=False),
            Route(method="POST", path=self.prefix, dialect="chat", handler=self._one, has_body=False),
        ]

    # --- beginning one ---

    async def _create(self, call: Call, principal: Principal, reply: Reply) -> None:
        services = self._services
        top = self._reading.scanned(call)
        file = await self._objects.find("file", _input(top), principal.key_id, endpoint=call.header(HEADER))
        pinned = at(services, "batches", file, "chat")
        demands = file.demands
        if not demands:
            raise RequestError(
                "the file was not uploaded here for a batch", hint="upload it with purpose=batch", param="input_file_id"
            )
        answer, headers = await self._money.begin(
            call, principal, pinned, demands, kind="batch", headers=[*JSON_HEADERS], body=[call.body]
        )
        await reply.whole(200, answer, [JSON, *headers])

    # --- what has become of it ---

    async def _list(self, call: Call, principal: Principal, reply: Reply) -> None:
        asked = parse_qs(call.query.decode("latin-1"))
        rows = await self._objects.of_key("batch", principal.key_id)
        found = page(rows, limit=asked.get("limit", ["20"])[-1], after=asked.get("after", [""])[-1])
        await reply.whole(200, msgspec.json.encode(found))

    async def _one(self, call: Call, principal: Principal, reply: Reply) -> None:
        row, pinned, rest = await self._found(call, principal)
        if (call.method, rest) not in (("GET", ""), ("POST", "cancel")):
            raise unrouted(call)
        answer = await self._described(call, row, pinned, rest)
        await self._results(row, answer)
        await self._settle(call, row, pinned, answer)
        await reply.whole(200, answer, [JSON, *told(pinned, call)])

    async def _results(self, row: PassedObject, answer: bytes) -> None:
        """Give the files that a batch has written to the key that began it."""
        told_row = object_of(answer)
        for field in ("output_file_id", "error_file_id"):
            file_id = told_row.get(field)
            if isinstance(file_id, str) and file_id:
                shown = {
                    "id": file_id,
                    "object": "file",
                    "purpose": "batch_output",
                    "created_at": row.created_ms // 1000,
                }
                body = msgspec.json.encode(shown).decode()
                made = row._replace(id=file_id, kind="file", settled=1, body=body, demand="[]")
                await self._objects.put(made)

    async def _settle(self, call: Call, row: PassedObject, pinned: Pinned, answer: bytes) -> None:
        if object_of(answer).get("status") in _ENDED:
            await self._money.ended(row, lambda: self._really(call, row, pinned, answer))

    async def _really(self, call: Call, row: PassedObject, pinned: Pinned, answer: bytes) -> int | None:
        """Return what a batch cost, in nano-dollars, from its own report or from its output; None when neither tells."""
        batch = object_of(answer)
        models = [demand.model for demand in row.demands]
        reported = service_usage.of_report(batch.get("usage")) if len(models) == 1 else None
        if reported is not None and (reported.prompt_tokens or not batch.get("output_file_id")):
            return self._money.cost(pinned, {models[0]: (reported, 1)})
        output = batch.get("output_file_id")
        if not isinstance(output, str) or not output:
            # Nothing was written: nothing was answered.
            return 0
        counts = batch.get("request_counts")
        answered = counts.get("completed") if isinstance(counts, dict) else None
        return await self._tallied(call, row, output, models, answered)

    async def _tallied(
        self, call: Call, row: PassedObject, output: str, models: list[str], answered: object
    ) -> int | None:
        pinned = at(self._services, "files", row, "chat")
        response = await self._services.ask(call, pinned, b"GET", below(pinned, output, "content"), [], [])
        return await self._money.tallied(pinned, response, models, service_usage.of_line, answered=answered)


def _input(top: TopLevel) -> str:
    raw = top.value("input_file_id")
    try:
        found = msgspec.json.decode(raw or b"null", type=str)
    except (msgspec.MsgspecError, UnicodeError):
        raise RequestError("input_file_id must name a file", param="input_file_id") from None
    return found
