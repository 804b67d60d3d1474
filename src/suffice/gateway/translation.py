"""A conversation between two dialects: the request is decoded once for a turn and written for each provider that is tried.

The work is `wire`'s; this module knows which codec belongs to which dialect, what of the catalogue a codec needs, and keeps
thinking for clients that do not send it back. Invariant: state of thinking goes to its issuer only, and a memory belongs to
one session of one tenant.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import msgspec

from suffice.catalog.models import Model
from suffice.catalog.providers import Provider
from suffice.gateway.conversation import JSON_HEADERS, SSE_HEADERS, Header, Outbound, StreamReader, Target, Whole
from suffice.gateway.exchange import Exchange
from suffice.gateway.messages_conversation import VERSION
from suffice.wire import (
    anthropic_messages,
    bedrock_converse,
    cloud_messages,
    codec,
    cohere,
    gemini,
    openai_chat,
    translate,
)
from suffice.wire.codec import ProviderCodec
from suffice.wire.neutral import Message, Request, Text, loss_header
from suffice.wire.openai_responses import ResponsesProvider
from suffice.wire.prescan import TopLevel
from suffice.wire.reasoning import ReasoningMemory
from suffice.wire.request_view import RequestView

PROVIDERS: Mapping[str, ProviderCodec] = {
    "chat": openai_chat.CODEC,
    "messages": anthropic_messages.CODEC,
    "responses": ResponsesProvider(),
    "gemini": gemini.CODEC,
    "converse": bedrock_converse.CODEC,
    "bedrock-messages": cloud_messages.BEDROCK,
    "vertex-messages": cloud_messages.VERTEX,
    "cohere": cohere.CODEC,
}

# Bedrock's own dialects, whose streams are AWS event streams.
_BINARY = (bedrock_converse.CODEC, cloud_messages.BEDROCK)
_EXPLICIT = ("explicit", "both")
# Claude models that take adaptive thinking; older ones want a budget. `-4-6` and later, and every name from 5 on.
_ADAPTIVE_FROM = (4, 6)


class ReasoningShelf:
    """The reasoning memories of all sessions, the least recently used forgotten first; bounded in sessions and characters."""

    def __init__(self, max_sessions: int = 1024, max_size: int = 64 * 1024 * 1024) -> None:
        self._memories: OrderedDict[str, ReasoningMemory] = OrderedDict()
        self._max_sessions = max_sessions
        self._max_size = max_size

    def of(self, session_key: str) -> ReasoningMemory:
        """Return the memory of a session; the key is scoped by tenant already."""
        memory = self._memories.get(session_key)
        if memory is None:
            memory = self._memories[session_key] = ReasoningMemory(max_entries=512, max_size=2 * 1024 * 1024)
            self._trim()
        self._memories.move_to_end(session_key)
        return memory

    def _trim(self) -> None:
        size = sum(memory.size for memory in self._memories.values()) if len(self._memories) % 16 == 0 else 0
        while len(self._memories) > self._max_sessions or size > self._max_size:
            size -= self._memories.popitem(last=False)[1].size


class Translation:
    """One attempt's conversation: `exchange`'s client with a provider of another dialect. Raises RequestError when built
    for what the provider must not be told."""

    translated = True

    def __init__(
        self,
        exchange: Exchange,
        request: Request,
        provider: ProviderCodec,
        target: codec.Target,
        memory: ReasoningMemory,
    ) -> None:
        self._exchange = exchange
        self._provider = provider
        self._target = target
        self._memory = memory
        self._context = exchange.context()
        self._encoded = provider.encode_request(memory.restore(request), target)
        self.losses = loss_header(self._encoded.losses)

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        """Return the written request."""
        headers: list[Header] = [*(SSE_HEADERS if view.stream else JSON_HEADERS), *self._encoded.headers]
        if self._provider in _BINARY:
            headers = [JSON_HEADERS[0], *self._encoded.headers]  # the form of the answer is said by the path alone
        if self._provider is anthropic_messages.CODEC:
            headers.append((b"anthropic-version", VERSION.encode()))
        return Outbound(path=target.path, headers=tuple(headers), body=[self._encoded.body])

    def reader(self, top: TopLevel, view: RequestView, target: Target) -> StreamReader:
        """Return a reader that writes the client's dialect and learns the answer's thinking at its end."""
        pump = translate.Pump(self._encoded.emulation, self._context.response_id)
        decoder = self._provider.stream_decoder(self._target)
        encoder = self._exchange.client.stream_encoder(self._context)
        return _Learning(decoder, encoder, pump, self._memory, self._exchange)

    def whole(self, body: bytes) -> Whole:
        """Return the answer written for the client. Raises WireError."""
        written, failure, pump = translate.whole(
            self._provider, self._exchange.client, body, self._target, self._context, self._encoded.emulation
        )
        self._memory.learn(pump.reasoning_events())
        return Whole(body=written, failure=failure, answer=pump.answer(), usage=pump.usage())


class _Learning(translate.StreamTranslator):
    def __init__(
        self,
        decoder: codec.StreamDecoder,
        encoder: codec.StreamEncoder,
        pump: translate.Pump,
        memory: ReasoningMemory,
        exchange: Exchange,
    ) -> None:
        super().__init__(decoder, encoder, pump)
        self._memory: ReasoningMemory | None = memory
        self._exchange = exchange

    def feed(self, chunk: bytes) -> bytes:
        out = super().feed(chunk)
        self._learn()
        return out

    def close(self) -> bytes:
        out = super().close()
        self._learn()
        return out

    def _learn(self) -> None:
        if self.pump.done and self._memory is not None:
            self._memory.learn(self.pump.reasoning_events())
            self._memory = None
            self._exchange.answered(self._encoder)


def with_word(request: Request, evidence: str, draft: str = "") -> Request:
    """Return `request` with a last message of the user that tells `evidence`; as it is when there is none.

    A `draft` goes before it as the assistant's message.
    """
    if not evidence:
        return request
    drafted = (Message(role="assistant", parts=(Text(text=draft),)),) if draft else ()
    message = Message(role="user", parts=(Text(text=evidence),))
    return msgspec.structs.replace(request, messages=(*request.messages, *drafted, message))


def target_of(provider: Provider, model: Model, dialect: str, *, limit: int, session_key: str) -> codec.Target:
    """Return what the codec of `dialect` must know of the provider's side; `limit` clamps the output when > 0."""
    cache, hints = provider.cache, provider.cache.hint_fields
    marks = dialect not in ("chat", "responses", "gemini") or "cache_control" in hints
    explicit = cache.mode in _EXPLICIT and marks
    quirks = msgspec.structs.asdict(provider.quirks)
    return codec.Target.of(
        model.name,
        quirks,
        issuer=provider.id,
        max_output_tokens=limit,
        default_output_tokens=min(model.max_output or 8192, 8192),
        images=model.has("vision") is not False,
        structured=model.has("structured") is not False,
        reasoning=model.has("reasoning") is not False,
        # OpenAI's own two dialects have freeform tools; who takes them in one takes them in the other.
        custom_tools=provider.quirks.chat_custom_tools and dialect in ("chat", "responses"),
        adaptive_thinking=dialect.endswith("messages") and adaptive(model.name),
        cache_breakpoints=(cache.max_breakpoints or 4) if explicit else 0,
        add_breakpoints=explicit,
        cache_key=session_key if "prompt_cache_key" in hints and dialect in ("chat", "responses") else "",
    )


def adaptive(name: str) -> bool:
    """Tell from the name of a Claude model whether it takes adaptive thinking."""
    if "claude" not in name:
        return False
    numbers = [int(piece) for piece in name.replace(".", "-").split("-") if piece.isdigit() and len(piece) < 3]
    return tuple([*numbers, 0, 0][:2]) >= _ADAPTIVE_FROM
