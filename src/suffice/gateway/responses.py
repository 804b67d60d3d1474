"""OpenAI Responses in the gateway: what is stored for each tenant, whose sealed state is whose, and the conversations.

The gateway keeps the state for every provider (docs/responses.md): upstream `store` is false and no `previous_response_id` is
sent. Invariant: a tenant sees and continues its own responses only, and opaque state goes back to its issuer only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from suffice.errors import RequestError, SufficeError
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.conversation import (
    JSON_HEADERS,
    SSE_HEADERS,
    Outbound,
    StreamReader,
    Target,
    Whole,
    namespaced,
    quoted,
)
from suffice.gateway.evidence import with_evidence
from suffice.gateway.exchange import Exchange
from suffice.gateway.issuers import Issuers
from suffice.gateway.responses_state import ResponseStore
from suffice.values.env import Env
from suffice.wire import codec, errors, responses_items, responses_relay, sealed, sse
from suffice.wire.codec import ClientContext
from suffice.wire.neutral import Event, Request
from suffice.wire.openai_responses import ResponsesClient
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import RequestView
from suffice.wire.responses_request import ENCRYPTED
from suffice.wire.responses_stream import StreamEncoder

# The maker's SDK for Node ends on an event that it does not know (docs/decisions/104-strict-clients.md).
_STRICT = "OpenAI/JS"


class Responses:
    """What all requests of the dialect share. `secret` keys the seals; at least 16 bytes."""

    def __init__(self, env: Env, secret: bytes) -> None:
        self.env = env
        self.store = ResponseStore(env)
        self.issuers = Issuers()
        self._secret = secret

    def sealer(self, tenant: str) -> sealed.HmacSealer:
        """Return the sealer of a tenant."""
        return sealed.HmacSealer(self._secret, tenant, self.issuers)

    def open(self, call: Call, principal: Principal) -> ResponsesExchange:
        """Return the exchange of one request, its references resolved. Raises RequestError."""
        return ResponsesExchange(call, self, principal.tenant)


class ResponsesExchange(Exchange):
    """A turn whose conversation may begin in responses that are stored here."""

    def __init__(self, call: Call, shared: Responses, tenant: str) -> None:
        self.shared = shared
        self.tenant = tenant
        self.sealer = shared.sealer(tenant)
        try:
            self.body: dict[str, Any] = msgspec.json.decode(call.body)
        except (msgspec.MsgspecError, RecursionError) as error:
            # Well-formed all the same (the scan has seen to it): a number or an escape that stands for nothing.
            raise RequestError(f"the request body cannot be read: {error}") from None
        # Items of every answer to this turn that was complete, with all state, by their ids.
        self._carried: list[dict[str, dict[str, Any]]] = []
        self.expanded = shared.store.expand(tenant, self.body)
        super().__init__(call, _Keeping(self))

    @property
    def stores(self) -> bool:
        """True unless the client asked for its response not to be kept."""
        return self.body.get("store") is not False

    @property
    def size_bytes(self) -> int:
        """The length of the body and of the stored conversation before it."""
        changed = self.expanded.changes.get("input")
        return len(self.call.body) + (len(changed) if changed else 0)

    def decode(self) -> Request:
        """Return the neutral request of the whole conversation. Raises RequestError."""
        changes = self.expanded.changes
        if not changes:
            return super().decode()
        body = {key: value for key, value in self.body.items() if key != "previous_response_id"}
        return self.client.decode_request(msgspec.json.encode(body | {"input": self.expanded.items}))

    def keep(self, response: dict[str, Any], output: list[dict[str, Any]] | None = None) -> None:
        """Store a response that is complete, `output` with all state, when the client wants it stored."""
        items = responses_items.items_of(response) if output is None else output
        self._carried.append({str(item.get("id")): item for item in items})
        if self.stores:
            previous = self.expanded.previous_id
            self.shared.store.put(self.tenant, response, self.expanded.added, items, previous_id=previous)

    def joined(self, response: dict[str, Any], own: int) -> None:
        """Store what the client saw of several answers as one: the first `own` items are the first one's, the rest the last's."""
        carried = [*self._carried, {}]
        sources = [carried[0] if at < own else carried[-2] for at in range(len(response["output"]))]
        items = [
            # Messages carry no state, and one may end in the edits of the other answer.
            item if item.get("type") == "message" else known.get(str(item.get("id")), item)
            for known, item in zip(sources, response["output"], strict=True)
        ]
        self.keep(response, items)

    def answered(self, encoder: codec.StreamEncoder) -> None:
        """Store what a stream told."""
        if isinstance(encoder, StreamEncoder):
            self.keep(encoder.response, encoder.carried)


class _Keeping(ResponsesClient):
    def __init__(self, exchange: ResponsesExchange) -> None:
        super().__init__(exchange.sealer, exchange.shared.env.now)
        self._exchange = exchange

    def encode_response(self, events: Iterable[Event], context: ClientContext) -> bytes:
        response, carried = self.whole(events, context)
        self._exchange.keep(response, carried)
        return msgspec.json.encode(response)


class PassThroughResponses:
    """One turn's pass-through to a provider of the dialect: our state resolved, foreign state taken out, the rest as it came."""

    translated = False

    def __init__(self, exchange: ResponsesExchange, issuer: str, *, reasons: bool) -> None:
        self._exchange = exchange
        self._issuer = issuer
        self._reasons = reasons
        self.losses = ""

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        """Splice model, storage, resolved input and the clamped limit."""
        exchange = self._exchange
        changes: dict[str, bytes | None] = {"model": quoted(target.model_name), **exchange.expanded.changes}
        if exchange.stores:
            changes["store"] = b"false"
            include = exchange.body.get("include") or []
            if self._reasons and ENCRYPTED not in include:
                # The chain must carry the reasoning, since the provider keeps none.
                changes["include"] = msgspec.json.encode([*include, ENCRYPTED])
        items = exchange.expanded.items
        if responses_items.holds_state(exchange.call.body) or exchange.expanded.previous_id:
            seen, lost = responses_items.for_provider(items, exchange.sealer, self._issuer)
            if lost:
                self.losses = "dropped=reasoning"
            if any(a is not b for a, b in zip(seen, items, strict=False)) or lost:
                changes["input"] = msgspec.json.encode(seen)
        if target.evidence:
            changes.update(with_evidence(top, target.evidence, "responses", changes.get("input")))
        if target.max_output_tokens:
            changes["max_output_tokens"] = str(target.max_output_tokens).encode()
        changes.update(namespaced(top, target.namespace))
        headers = SSE_HEADERS if view.stream else JSON_HEADERS
        return Outbound(path=target.path, headers=headers, body=top.splice(changes))

    def reader(self, top: TopLevel, view: RequestView, target: Target) -> StreamReader:
        """Return a reader of one stream, which stores the response at its end."""
        return _Relay(self._exchange, self._issuer)

    def whole(self, body: bytes) -> Whole:
        """Read the body beside forwarding it, and store the response."""
        failure, answer, usage = responses_relay.whole(body)
        if failure is None:
            response = msgspec.json.decode(body)
            states = (item.get("encrypted_content") for item in responses_items.items_of(response))
            self._exchange.shared.issuers.note([s for s in states if isinstance(s, str)], self._issuer)
            self._exchange.keep(response)
        return Whole(body=body, failure=failure, answer=answer, usage=usage)


class _Relay(responses_relay.ResponsesRelay):
    quiet = False

    def __init__(self, exchange: ResponsesExchange, issuer: str) -> None:
        super().__init__(strict=exchange.call.header("user-agent").startswith(_STRICT))
        self._exchange = exchange
        self._issuer = issuer
        self._kept = False
        # The number of the next event behind those that were sent on: what comes with an error is not.
        self._number = 0

    def feed(self, chunk: bytes) -> bytes:
        out = super().feed(chunk)
        self._keep()
        return out

    def close(self) -> bytes:
        out = super().close()
        self._keep()
        return out

    def _keep(self) -> None:
        if self.failure is None:
            self._number = self.next_sequence
        if self.done and not self._kept and self.response is not None:
            self._kept = True
            self._exchange.shared.issuers.note(self.encrypted, self._issuer)
            self._exchange.keep(self.response)

    def keep_alive(self) -> bytes:
        return sse.COMMENT

    def fail(self, error: SufficeError) -> bytes:
        told = msgspec.json.decode(errors.body(errors.RESPONSES, error))["error"]
        number = self._number
        first = {**told, "type": "error", "error": told, "sequence_number": number}
        response = {"object": "response", "status": "failed", "error": {"code": error.code, "message": str(error)}}
        last = {"type": "response.failed", "sequence_number": number + 1, "response": response}
        pieces = [sse.encode(msgspec.json.encode(event), str(event["type"])) for event in (first, last)]
        return b"".join(pieces)
