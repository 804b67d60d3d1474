"""The client's side of one turn that needs more than its bytes: the neutral request, made when it is first needed, and once.

Dialects whose requests cannot be read without state of ours (Responses) or without their path (Gemini) open their own kind of
exchange while the request is read; for the others one is made when a translation needs it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import msgspec

from suffice.errors import RequestError
from suffice.gateway.call import Call
from suffice.wire import anthropic_messages, codec, gemini, openai_chat
from suffice.wire.codec import ClientCodec, ClientContext
from suffice.wire.gemini_seal import MARK
from suffice.wire.neutral import Request
from suffice.wire.neutral_view import neutral_view
from suffice.wire.reasoning import SEAL, owned
from suffice.wire.request_view import RequestView

_CLIENTS: dict[str, ClientCodec] = {"chat": openai_chat.CODEC, "messages": anthropic_messages.CODEC}
_ID_PREFIX = {"chat": "chatcmpl-", "messages": "msg_", "responses": "resp_", "gemini": ""}
_MARKS = {"gemini": MARK}
_SEAL = SEAL.encode()


class Exchange:
    """One turn of a client of `client`'s dialect."""

    def __init__(self, call: Call, client: ClientCodec) -> None:
        self.call = call
        self.client = client
        self._request: Request | None = None
        self._told: Request | None = None

    @property
    def request(self) -> Request:
        """The neutral request as the client sent it. Raises RequestError."""
        if self._request is None:
            self._request = self.decode()
        return self._request

    @property
    def size_bytes(self) -> int:
        """How long the whole request is, also the part of it that is stored here."""
        return len(self.call.body)

    def decode(self) -> Request:
        """Return the neutral request of the body. Raises RequestError."""
        return self.client.decode_request(self.call.body)

    def view(self) -> RequestView:
        """Return what routing reads of the request. Raises RequestError."""
        return neutral_view(self.request, self.size_bytes)

    def told(self, namespace: bytes, owner: str, issuer_of: Callable[[str], str]) -> Request:
        """Return the request as providers may see it.

        The caller's user leaves under the tenant's `namespace`; state of thinking that carries no name is of the provider that
        `issuer_of` remembers, else of `owner`, the one that answered the session last.
        """
        if self._told is None:
            request = self.request
            if namespace and request.user:
                digest = hmac.new(namespace, request.user.encode(), hashlib.sha256).hexdigest()
                request = msgspec.structs.replace(request, user=digest)
            self._told = owned(request, self.client.dialect, owner, issuer_of)
        return self._told

    def context(self) -> ClientContext:
        """Return what the encoder of an answer must know."""
        call = self.call
        return ClientContext(
            request=self.request,
            response_id=_ID_PREFIX[self.client.dialect] + call.request_id.replace("-", ""),
            created_s=int(call.received_s),
            request_id=call.request_id,
        )

    def answered(self, encoder: codec.StreamEncoder) -> None:
        """Take note of a stream that was written to its end."""

    @property
    def media_type(self) -> bytes:
        """The content type of a stream to this client."""
        return b"text/event-stream"


class GeminiExchange(Exchange):
    """A Gemini client's turn: model and kind of call stand in the path. `array`: the stream is a JSON array."""

    def __init__(self, call: Call, *, array: bool) -> None:
        super().__init__(call, gemini.ARRAY_CODEC if array else gemini.CODEC)
        self.array = array

    def decode(self) -> Request:
        """Return the neutral request with the model and the stream flag of the path. Raises RequestError."""
        request = super().decode()
        if not request.messages:
            raise RequestError("contents is not specified", param="contents")
        return msgspec.structs.replace(request, model=self.call.model, stream=self.call.stream)

    @property
    def media_type(self) -> bytes:
        """The content type of a stream: events, or the array."""
        return b"application/json" if self.array else super().media_type


def exchange_of(operation: str, call: Call) -> Exchange:
    """Return the exchange of a dialect whose requests need nothing but their body."""
    return Exchange(call, _CLIENTS[operation])


def sealed(operation: str, body: bytes) -> bool:
    """True when a body carries state under our seal, which nobody else can read: it is never passed on as it is."""
    return _MARKS.get(operation, _SEAL) in body
