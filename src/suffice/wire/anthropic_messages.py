"""The Anthropic Messages dialect, both sides: see the `messages_*` modules beside it."""

from __future__ import annotations

from collections.abc import Iterable

from suffice.wire import messages_client, messages_request, messages_upstream
from suffice.wire.codec import ClientContext, Encoded, StreamDecoder, StreamEncoder, Target
from suffice.wire.messages_answer import MessagesDecoder
from suffice.wire.messages_client import MessagesEncoder
from suffice.wire.neutral import Event, Request


class AnthropicMessages:
    """`codec.ClientCodec` and `codec.ProviderCodec` of Messages. Has no state."""

    dialect = messages_request.DIALECT

    def decode_request(self, body: bytes) -> Request:
        """Return the neutral request of a Messages body. Raises RequestError."""
        return messages_request.decode_request(body)

    def encode_request(self, request: Request, target: Target) -> Encoded:
        """Return the upstream body."""
        return messages_upstream.encode_request(request, target)

    def stream_decoder(self, target: Target) -> StreamDecoder:
        """Return a fresh reader of one stream."""
        return MessagesDecoder(target)

    def decode_response(self, body: bytes, target: Target) -> list[Event]:
        """Return the events of a whole answer. Raises WireError."""
        return MessagesDecoder(target).whole(body)

    def stream_encoder(self, context: ClientContext) -> StreamEncoder:
        """Return a fresh writer of one stream."""
        return MessagesEncoder(context)

    def encode_response(self, events: Iterable[Event], context: ClientContext) -> bytes:
        """Return the body of a whole answer. Raises WireError."""
        return messages_client.encode_response(events, context)


CODEC = AnthropicMessages()
