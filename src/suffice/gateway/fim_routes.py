"""The routes on which editors ask for what stands at the cursor.

They tell a request to fill in from a plain completion, which has a route of its own, and answer here what asks for no text: a
request that only warms a cache costs nothing where there is none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from suffice.decision.virtual import resolve
from suffice.gateway.app import Route
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.fim import SHAPES, FimExchange
from suffice.gateway.reading import Reading
from suffice.gateway.reply import JSON, Reply
from suffice.wire import fim, fim_client

Serve = Callable[[Call, Principal, Reply, str], Awaitable[None]]
_EVENTS = (b"content-type", b"text/event-stream")


class _Probe(msgspec.Struct):
    model: Any = None
    prompt: Any = None
    suffix: Any = None
    n: Any = None
    best_of: Any = None
    max_tokens: Any = None
    n_predict: Any = None


_probe = msgspec.json.Decoder(_Probe).decode


def _probed(body: bytes) -> _Probe:
    """Return the fields that tell what kind of request it is; what cannot be read is told where it is read whole."""
    try:
        return _probe(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _Probe()


class FimRoutes:
    """Handlers of the routes."""

    def __init__(self, serve: Serve, reading: Reading) -> None:
        self._serve = serve
        self._reading = reading

    def table(self) -> list[Route]:
        """Return the rows of the route table."""
        return [
            Route(method="POST", path=path, dialect="completions", handler=partial(self._filled, path))
            for path in SHAPES
        ]

    async def _filled(self, path: str, call: Call, principal: Principal, reply: Reply) -> None:
        asked = _probed(call.body)
        if path == "/v1/completions" and not _fills(asked):
            return await self._serve(call, principal, reply, "completions")
        if not asked.model:
            # Clients of llama.cpp need not name what their server holds.
            call = msgspec.structs.replace(call, model="auto")
        if asked.n_predict == 0 or asked.max_tokens == 0:
            self._reading.scanned(call)
            exchange = FimExchange(call)
            if exchange.fim.warm_up and not self._warms(call, exchange):
                return await _nothing(exchange, reply)
        return await self._serve(call, principal, reply, "fim")

    def _warms(self, call: Call, exchange: FimExchange) -> bool:
        """Tell whether all that could answer are llama.cpp's servers, which fill their cache."""
        state = self._reading.state
        target = resolve(call.model or exchange.fim.model, state.settings.aliases, state.models)
        models = state.filling if target.models is None else target.models
        rows = [row for model in models for row in state.fleet.by_model.get(model, ())]
        return bool(rows) and all("fim" in row.speech and row.speech["fim"].style == "infill" for row in rows)


def _fills(asked: _Probe) -> bool:
    """Tell a request to fill in; several answers, or several prompts, are a plain completion's."""
    if asked.n not in (None, 1) or asked.best_of not in (None, 1):
        return False
    return fim.is_fim({"suffix": asked.suffix, "prompt": asked.prompt})


async def _nothing(exchange: FimExchange, reply: Reply) -> None:
    context = exchange.written
    events = fim_client.warm_answer(context)
    if not exchange.fim.stream:
        return await reply.whole(200, fim_client.encode_response(events, context), [JSON])
    encoder = fim_client.FimEncoder(context)
    return await reply.whole(200, b"".join(encoder.feed(event) for event in events), [_EVENTS])
