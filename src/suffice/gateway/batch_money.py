"""What batches cost: the most when they are begun, and once, when they have ended, what they really came to.

Both dialects' batches are paid for here. Invariant: no batch is begun without a reservation of the most that it can come to, and no
correction is booked twice.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from suffice.errors import SufficeError
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.files import described
from suffice.gateway.passed_objects import PassedObject, PassedObjects
from suffice.gateway.reply import Header
from suffice.gateway.routes import DENSE_BYTES_PER_TOKEN, OUTPUT_UPPER_TAIL
from suffice.gateway.services import Pinned, Services, told
from suffice.ledger.book import Ledger
from suffice.upstream.response import Response
from suffice.upstream.transport_fault import TransportFault
from suffice.values.money import Known, NanoUsd, Price, Rates, Unknown
from suffice.values.usage import Usage
from suffice.wire.batch_lines import Demand

log = logging.getLogger("suffice.gateway")

DESCRIPTION_BYTES = 1024 * 1024
_OUTPUT_BYTES = 1024 * 1024 * 1024
_JSON_LINE_BYTES = 16 * 1024 * 1024
Used = dict[str, tuple[Usage, int]]
OfLine = Callable[[bytes], tuple[str, Usage] | None]


class BatchMoney:
    """Reserves, books and corrects. Shared by all routes of batches; holds no state of a call."""

    def __init__(self, services: Services, objects: PassedObjects, ledger: Ledger) -> None:
        self._services = services
        self._objects = objects
        self._ledger = ledger

    async def begin(
        self,
        call: Call,
        principal: Principal,
        pinned: Pinned,
        demands: tuple[Demand, ...],
        *,
        kind: str,
        headers: list[Header],
        body: list[bytes],
    ) -> tuple[bytes, list[Header]]:
        """Begin a batch that may come to `demands`; returns the provider's answer and our headers. Raises SufficeError.

        Booked with what was reserved: corrected when it has ended.
        """
        services = self._services
        for demand in demands:
            services.permit(principal, f"{pinned.provider.id}/{demand.model}")
        price, bound, usage = self._demanded(pinned, demands)
        pinned = Pinned(
            endpoint=pinned.endpoint,
            provider=pinned.provider,
            speech=pinned.speech,
            model="" if len(demands) > 1 else demands[0].model,
        )
        reservation = await services.reserve(call, principal, pinned, price, bound, "batches")
        answer = await services.paid(call, pinned, reservation, headers, body, DESCRIPTION_BYTES)
        known = not isinstance(price, Unknown)
        cost = services.settle(
            reservation, _booked(price), usage, exact=False, extra_nano=reservation.amount if known else 0
        )
        row = described(kind, answer, pinned, call, principal, demands=demands, settled=not known)
        await self._objects.put(row)
        return answer, told(pinned, call, cost, exact=False)

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

    async def ended(self, row: PassedObject, really: Callable[[], Awaitable[int | None]]) -> None:
        """Correct the charge of a batch that has ended to what `really` says, once; None leaves it as it is.

        A failure leaves it as it was, too: the client's answer is not in question.
        """
        if row.settled:
            return
        try:
            cost = await really()
            if cost is None or not await self._objects.settle(row):
                return
            try:
                await self._ledger.adjust(row.request_id, 1, NanoUsd(cost), f"batch {row.id} has ended")
            except BaseException:
                await self._objects.unsettle(row)
                raise
        except SufficeError as error:
            log.warning("the charge of batch %s could not be corrected: %s", row.id, error)

    async def tallied(
        self, pinned: Pinned, response: Response, models: list[str], of_line: OfLine, *, answered: object = None
    ) -> int | None:
        """Return what the lines of an output come to, in nano-dollars; None when it is too long, breaks off or has no price.

        `answered` is how many answers the provider counts, if it does: None, too, when fewer tell their tokens.
        """
        used: Used = {}
        rest, size = b"", 0
        patience = self._services.state.settings.upstream.between_events_deadline_s
        try:
            while chunk := await response.chunk(patience):
                size += len(chunk)
                *lines, rest = (rest + chunk).split(b"\n")
                if size > _OUTPUT_BYTES or len(rest) > _JSON_LINE_BYTES:
                    return None
                _count(lines, models, used, of_line)
        except TransportFault:
            return None
        finally:
            response.close()
        _count([rest], models, used, of_line)
        if type(answered) is int and answered > sum(lines for _, lines in used.values()):
            return None
        return self.cost(pinned, used)

    def cost(self, pinned: Pinned, used: Used) -> int | None:
        """Return the price of what was used, in nano-dollars, at the share for batches; None where one is unknown."""
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


def _count(lines: list[bytes], models: list[str], used: Used, of_line: OfLine) -> None:
    for line in lines:
        found = of_line(line) if line.strip() else None
        if found is None:
            continue
        said, usage = found
        # Providers answer with the dated name; in a file for one model there is no doubt.
        model = models[0] if len(models) == 1 else next((m for m in models if said.startswith(m)), said)
        before, count = used.get(model, (Usage(), 0))
        used[model] = (before + usage, count + 1)
