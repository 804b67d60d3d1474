"""Moderation and rerank: passed through to one provider with the model's name spliced, and paid for.

Bodies and answers are the provider's own; only what is billed is read in them.
"""

from __future__ import annotations

from functools import partial

import msgspec

from suffice.errors import RequestError
from suffice.gateway.app import Route
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.conversation import JSON_HEADERS, quoted
from suffice.gateway.counting import Counting
from suffice.gateway.reading import Reading, model_name
from suffice.gateway.reply import JSON, Reply
from suffice.gateway.services import Pinned, Services, told
from suffice.values.money import Price, Unknown
from suffice.values.usage import Usage
from suffice.wire import service_usage
from suffice.wire.prescan import TopLevel

PATHS = (("/v1/moderations", "moderations"), ("/v1/rerank", "rerank"), ("/v2/rerank", "rerank"))
_ANSWER_BYTES = 64 * 1024 * 1024
# What Cohere bills as one search: a query with up to so many documents.
_DOCUMENTS_PER_SEARCH = 100
_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode


class ServiceRoutes:
    """Handlers of the routes."""

    def __init__(self, services: Services, reading: Reading, counting: Counting) -> None:
        self._services = services
        self._reading = reading
        self._counting = counting

    def table(self) -> list[Route]:
        """Return the rows of the route table."""
        return [
            Route(method="POST", path=path, dialect="chat", handler=partial(self._serve, service))
            for path, service in PATHS
        ]

    async def _serve(self, service: str, call: Call, principal: Principal, reply: Reply) -> None:
        services = self._services
        top = self._reading.scanned(call)
        if service == "rerank" and top.value("model") is None:
            raise RequestError("model is missing", param="model")
        # Moderation has a default model at the provider.
        pinned = services.pick(call, service, model_name(top) if top.value("model") is not None else "")
        services.permit(principal, pinned.model_id)
        tokens = self._counting.estimate(call.body, pinned.model)
        price = services.price(pinned.model_id, tokens)
        searches = _searches(top) if service == "rerank" else 1
        bound = _bound(price, len(call.body), searches)
        reservation = await services.reserve(call, principal, pinned, price, bound, service)
        body = await services.paid(call, pinned, reservation, [*JSON_HEADERS], _body(top, call, pinned), _ANSWER_BYTES)
        usage, units = service_usage.of_service(body)
        per_request = 0 if isinstance(price, Unknown) else price.rates.per_request_nano
        by_tokens = not isinstance(price, Unknown) and price.rates.input > 0
        exact = usage is not None or not by_tokens
        cost = services.settle(
            reservation,
            price,
            usage or Usage(input_tokens=tokens, estimated=True),
            exact=exact,
            extra_nano=per_request * (max(units or searches, 1) - 1),
        )
        await reply.whole(200, body, [JSON, *told(pinned, call, cost, exact=exact)])


def _body(top: TopLevel, call: Call, pinned: Pinned) -> list[bytes]:
    changes: dict[str, bytes | None] = {"model": quoted(pinned.model)} if pinned.model else {}
    return top.splice(changes) if changes else [call.body]


def _searches(top: TopLevel) -> int:
    """Return how many searches a rerank is billed as. Raises RequestError when there is nothing to rank."""
    raw = top.value("documents") or top.value("texts")
    if raw is None:
        raise RequestError("documents is missing", param="documents")
    try:
        count = len(_rows(raw))
    except (msgspec.MsgspecError, UnicodeError):
        raise RequestError("documents must be an array", param="documents") from None
    return max(1, -(-count // _DOCUMENTS_PER_SEARCH))


def _bound(price: Price, size: int, searches: int) -> int:
    """Return the most that one call can cost: a token for each byte."""
    if isinstance(price, Unknown):
        return 0
    return -(-price.rates.input * size // 1000) + price.rates.per_request_nano * searches
