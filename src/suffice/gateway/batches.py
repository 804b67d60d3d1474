"""Batches at a provider: begun, listed, described and cancelled by the key that made them, and paid for.

A batch is paid for when it is begun, with the most that its lines can come to (their prompts, their limits, the provider's share for
batches); when the provider says that it has ended, the charge is corrected once to what was really used. Invariant: no batch is begun
on a file that was not read here, and no correction is booked twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import parse_qs, unquote

import msgspec

from suffice.errors import NotFoundError, RequestError, SufficeError
from suffice.gateway.app import Route
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.conversation import JSON_HEADERS
from suffice.gateway.files import at, below, described
from suffice.gateway.passed_objects import PassedObject, PassedObjects, page
from suffice.gateway.reading import Reading
from suffice.gateway.reply import JSON, Reply
from suffice.gateway.routes import DENSE_BYTES_PER_TOKEN, OUTPUT_UPPER_TAIL
from suffice.gateway.services import HEADER, Pinned, Services, told
from suffice.ledger.book import Ledger
from suffice.upstream.transport_fault import TransportFault
from suffice.values.money import Known, NanoUsd, Price, Rates, Unknown
from suffice.values.usage import Usage
from suffice.wire import service_usage
from suffice.wire.batch_lines import Demand
from suffice.wire.prescan import TopLevel

log = logging.getLogger("suffice.gateway")

PREFIX = "/v1/batches/"
_ENDED = frozenset({"completed", "expired", "cancelled", "failed"})
_DESCRIPTION_BYTES = 1024 * 1024
_OUTPUT_BYTES = 1024 * 1024 * 1024
_JSON_LINE_BYTES = 16 * 1024 * 1024


class BatchRoutes:
    """Handlers of the routes."""

    def __init__(self, services: Services, objects: PassedObjects, reading: Reading, ledger: Ledger) -> None:
        self._services = services
        self._objects = objects
        self._reading = reading
        self._ledger = ledger

    def table(self) -> list[Route]:
        """Return the rows of the route table."""
        return [
            Route(method="POST", path="/v1/batches", dialect="chat", handler=self._create),
            Route(method="GET", path="/v1/batches", dialect="chat", handler=self._list, has_body=False),
            Route(method="GET", path=PREFIX, dialect="chat", handler=self._one, has_body=False),
            Route(method="POST", path=PREFIX, dialect="chat", handler=self._one, has_body=False),
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
        for demand in demands:
            services.permit(principal, f"{pinned.provider.id}/{demand.model}")
        price, bound, usage = self._demanded(pinned, demands)
        several = len(demands) > 1
        pinned = Pinned(
            endpoint=pinned.endpoint,
            provider=pinned.provider,
            speech=pinned.speech,
            model="" if several else demands[0].model,
        )
        reservation = await services.reserve(call, principal, pinned, price, bound, "batches")
        answer = await services.paid(call, pinned, reservation, [*JSON_HEADERS], [call.body], _DESCRIPTION_BYTES)
        # Booked with what was reserved: corrected when it has ended.
        known = not isinstance(price, Unknown)
        cost = services.settle(
            reservation, _booked(price), usage, exact=False, extra_nano=reservation.amount if known else 0
        )
        row = described("batch", answer, pinned, call, principal, demands=demands, settled=not known)
        await self._objects.put(row)
        await reply.whole(200, answer, [JSON, *told(pinned, call, cost, exact=False)])

    def _demanded(self, pinned: Pinned, demands: Iterable[Demand]) -> tuple[Price, int, Usage]:
        """Return (a price that says how sure it is, the most that the lines come to in nano-dollars, their tokens)."""
        bound, usage, price = 0, Usage(estimated=True), None
        for demand in demands:
            model = self._services.state.fleet.catalog.model(f"{pinned.provider.id}/{demand.model}")
            found = self._services.price(f"{pinned.provider.id}/{demand.model}")
            if isinstance(found, Unknown):
                return found, 0, Usage(estimated=True)
            price = found if price is None or isinstance(price, Known) else price
            tail = (model.max_output if model is not None else 0) or OUTPUT_UPPER_TAIL
            tokens = Usage(
                input_tokens=int(demand.prompt_bytes / DENSE_BYTES_PER_TOKEN) + demand.lines,
                output_tokens=demand.output_tokens + demand.unlimited * min(tail, OUTPUT_UPPER_TAIL),
                estimated=True,
            )
            usage += tokens
            bound += _share(pinned, found.rates, tokens, demand.lines)
        assert price is not None
        return price, bound, usage

    # --- what has become of it ---

    async def _list(self, call: Call, principal: Principal, reply: Reply) -> None:
        asked = parse_qs(call.query.decode("latin-1"))
        rows = await self._objects.of_key("batch", principal.key_id)
        found = page(rows, limit=asked.get("limit", ["20"])[-1], after=asked.get("after", [""])[-1])
        await reply.whole(200, msgspec.json.encode(found))

    async def _one(self, call: Call, principal: Principal, reply: Reply) -> None:
        name, _, rest = call.path.removeprefix(PREFIX).partition("/")
        row = await self._objects.find("batch", unquote(name), principal.key_id, endpoint=call.header(HEADER))
        pinned = at(self._services, "batches", row, "chat")
        if call.method == "GET" and not rest:
            response = await self._services.ask(call, pinned, b"GET", below(pinned, row.id), [], [])
        elif call.method == "POST" and rest == "cancel":
            path = below(pinned, row.id, "cancel")
            response = await self._services.ask(call, pinned, b"POST", path, [*JSON_HEADERS], [b"{}"])
        else:
            raise NotFoundError(f"there is no route {call.method} {call.path[:100]!r}", code="unknown_route")
        answer = await self._services.read(call, response, _DESCRIPTION_BYTES)
        await self._objects.update(row, answer)
        await self._results(row, answer)
        await self._settle(call, row, answer)
        await reply.whole(200, answer, [JSON, *told(pinned, call)])

    async def _results(self, row: PassedObject, answer: bytes) -> None:
        """Give the files that a batch has written to the key that began it."""
        told_row = _object(answer)
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

    async def _settle(self, call: Call, row: PassedObject, answer: bytes) -> None:
        """Correct the charge of a batch that has ended. A failure leaves it as it was: the client's answer is not in question."""
        if row.settled or _object(answer).get("status") not in _ENDED:
            return
        try:
            cost = await self._really(call, row, answer)
            if cost is None or not await self._objects.settle(row):
                return
            try:
                await self._ledger.adjust(row.request_id, 1, NanoUsd(cost), f"batch {row.id} has ended")
            except BaseException:
                await self._objects.unsettle(row)
                raise
        except SufficeError as error:
            log.warning("the charge of batch %s could not be corrected: %s", row.id, error)

    async def _really(self, call: Call, row: PassedObject, answer: bytes) -> int | None:
        """Return what a batch cost, in nano-dollars, from its own report or from its output; None when neither tells."""
        pinned = at(self._services, "batches", row, "chat")
        batch = _object(answer)
        models = [demand.model for demand in row.demands]
        reported = service_usage.of_report(batch.get("usage")) if len(models) == 1 else None
        if reported is not None and (reported.prompt_tokens or not batch.get("output_file_id")):
            return self._cost(pinned, {models[0]: (reported, 1)})
        output = batch.get("output_file_id")
        if not isinstance(output, str) or not output:
            # Nothing was written: nothing was answered.
            return 0
        return await self._tallied(call, row, output, models)

    async def _tallied(self, call: Call, row: PassedObject, output: str, models: list[str]) -> int | None:
        pinned = at(self._services, "files", row, "chat")
        response = await self._services.ask(call, pinned, b"GET", below(pinned, output, "content"), [], [])
        used: dict[str, tuple[Usage, int]] = {}
        rest, size = b"", 0
        patience = self._services.state.settings.upstream.between_events_deadline_s
        try:
            while chunk := await response.chunk(patience):
                size += len(chunk)
                *lines, rest = (rest + chunk).split(b"\n")
                if size > _OUTPUT_BYTES or len(rest) > _JSON_LINE_BYTES:
                    return None
                _count(lines, models, used)
        except TransportFault:
            return None
        finally:
            response.close()
        _count([rest], models, used)
        return self._cost(pinned, used)

    def _cost(self, pinned: Pinned, used: dict[str, tuple[Usage, int]]) -> int | None:
        total = 0
        for model, (usage, lines) in used.items():
            price = self._services.price(f"{pinned.provider.id}/{model}")
            if isinstance(price, Unknown):
                return None
            total += _share(pinned, price.rates, usage, lines)
        return total


def _share(pinned: Pinned, rates: Rates, usage: Usage, lines: int) -> int:
    """Return the price of tokens in a batch, in nano-dollars, rounded up; the full price where no share is known."""
    batch = pinned.provider.batch
    over, under = (batch.multiplier if batch is not None and batch.multiplier is not None else None) or (1, 1)
    full = rates.cost(usage) + rates.per_request_nano * (lines - 1)
    return -(-full * over // under)


def _booked(price: Price) -> Price:
    """Return the price as the ledger shall see it: of its kind and version, with the sum given beside it."""
    if isinstance(price, Unknown):
        return price
    nothing = Rates(input=0, output=0, cache_read=0, cache_write=0, cache_write_1h=0, cache_write_12h=0)
    return replace(price, rates=nothing)


def _count(lines: list[bytes], models: list[str], used: dict[str, tuple[Usage, int]]) -> None:
    for line in lines:
        found = service_usage.of_line(line) if line.strip() else None
        if found is None:
            continue
        said, usage = found
        # Providers answer with the dated name; in a file for one model there is no doubt.
        model = models[0] if len(models) == 1 else next((m for m in models if said.startswith(m)), said)
        before, count = used.get(model, (Usage(), 0))
        used[model] = (before + usage, count + 1)


def _object(answer: bytes) -> dict[str, object]:
    try:
        row = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def _input(top: TopLevel) -> str:
    raw = top.value("input_file_id")
    try:
        found = msgspec.json.decode(raw or b"null", type=str)
    except (msgspec.MsgspecError, UnicodeError):
        raise RequestError("input_file_id must name a file", param="input_file_id") from None
    return found
