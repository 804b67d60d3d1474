"""The OpenAI chat dialect, both sides: see `chat_request`, `chat_upstream`, `chat_answer` and `chat_client`."""

from __future__ import annotations

from collections.abc import Iterable

from suffice.wire import chat_client, chat_request, chat_upstream
from suffice.wire.chat_answer import ChatDecoder
from suffice.wire.chat_client import ChatEncoder
from suffice.wire.codec import ClientContext, Encoded, StreamDecoder, StreamEncoder, Target
from suffice.wire.neutral import Event, Request


class OpenAIChat:
    """`codec.ClientCodec` and `codec.ProviderCodec` of chat completions. Has no state."""

    dialect = chat_request.DIALECT

    def decode_request(self, body: bytes) -> Request:
        """Return the neutral request of a chat body. Raises RequestError."""
        return chat_request.decode_request(body)

    def encode_request(self, request: Request, target: Target) -> Encoded:
        """Return the upstream body."""
        return chat_upstream.encode_request(request, target)

    def stream_decoder(self, target: Target) -> StreamDecoder:
        """Return a fresh reader of one stream."""
        return ChatDecoder(target)

    def decode_response(self, body: bytes, target: Target) -> list[Event]:
        """Return the events of a whole answer. Raises WireError."""
        return ChatDecoder(target).whole(body)

    def stream_encoder(self, context: ClientContext) -> StreamEncoder:
        """Return a fresh writer of one stream."""
        return ChatEncoder(context)

    def encode_response(self, events: Iterable[Event], context: ClientContext) -> bytes:
        """Return the body of a whole answer. Raises WireError."""
        return chat_client.encode_response(events, context)


CODEC = OpenAIChat()
