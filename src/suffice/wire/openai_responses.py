"""The OpenAI Responses dialect: both sides of the codec, put together.

What it needs from outside comes in by the constructor: a `Sealer` for reasoning that the client carries, and a clock for
`completed_at`. No state of a request is held here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.wire import responses_request, responses_upstream, responses_upstream_stream
from suffice.wire.codec import ClientContext, Encoded, Target
from suffice.wire.neutral import Done, Event, Failure, Request
from suffice.wire.responses_stream import StreamEncoder
from suffice.wire.responses_tools import DIALECT
from suffice.wire.sealed import Sealer


class ResponsesClient:
    """The client's side (`codec.ClientCodec`). Make one for each tenant's sealer; it is cheap."""

    dialect = DIALECT

    def __init__(self, sealer: Sealer, now_s: Callable[[], float] | None = None) -> None:
        self._sealer = sealer
        self._now_s = now_s

    def decode_request(self, body: bytes) -> Request:
        """Return the neutral request. Raises RequestError."""
        return responses_request.decode_request(body, self._sealer)

    def stream_encoder(self, context: ClientContext) -> StreamEncoder:
        """Return a fresh encoder for one stream."""
        return StreamEncoder(context, self._sealer, self._now_s)

    def encode_response(self, events: Iterable[Event], context: ClientContext) -> bytes:
        """Return the response object as JSON. Raises WireError when the events hold a Failure or lack Done."""
        return msgspec.json.encode(self.whole(events, context)[0])

    def whole(self, events: Iterable[Event], context: ClientContext) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the response object, and its output items with all sealed state, to be stored. Raises WireError."""
        encoder = self.stream_encoder(context)
        done = False
        for event in events:
            if isinstance(event, Failure):
                raise WireError(event.message or "the provider reported an error")
            encoder.feed(event)
            done = done or isinstance(event, Done)
        if not done:
            raise WireError("the provider's answer is not complete")
        return encoder.response, encoder.carried


class ResponsesProvider:
    """The provider's side (`codec.ProviderCodec`)."""

    dialect = DIALECT

    def encode_request(self, request: Request, target: Target) -> Encoded:
        """Return the upstream request. Raises RequestError (code `untranslatable`)."""
        return responses_upstream.encode_request(request, target)

    def stream_decoder(self, target: Target) -> responses_upstream_stream.StreamDecoder:
        """Return a fresh decoder for one stream."""
        return responses_upstream_stream.StreamDecoder(target)

    def decode_response(self, body: bytes, target: Target) -> list[Event]:
        """Return the events of a whole answer, or a single Failure. Raises WireError."""
        return responses_upstream_stream.decode_response(body, target)


class OpenAIResponses(ResponsesClient, ResponsesProvider):
    """Both sides in one object, for tables of codecs."""
