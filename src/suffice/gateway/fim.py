"""Fill in the middle in the gateway: the client's request once, and how it is put to each provider that is tried.

One neutral request (`wire.fim`) goes to a provider in its own style, or as a question to a chat model where nobody fills in
(`speech.py` says which). The client's own shape, when the provider has the same, is passed through byte for byte. Nothing here
decides where a request goes.
"""

from __future__ import annotations

import msgspec

from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.conversation import (
    JSON_HEADERS,
    SSE_HEADERS,
    Conversation,
    Header,
    Outbound,
    PassThroughChat,
    StreamReader,
    Target,
    Whole,
    namespaced,
    quoted,
)
from suffice.gateway.exchange import Exchange
from suffice.gateway.fleet import Served
from suffice.gateway.messages_conversation import VERSION
from suffice.gateway.translation import PROVIDERS, target_of
from suffice.wire import codec, fim, fim_client, fim_templates, fim_upstream, openai_chat, translate
from suffice.wire.codec import Emulation, Encoded
from suffice.wire.fim import FimRequest, Shape
from suffice.wire.fim_answer import ChatMiddle, FimDecoder
from suffice.wire.fim_client import FimContext, FimEncoder
from suffice.wire.fim_relay import FimRelay
from suffice.wire.neutral import Event, Loss, ReasoningRequest, Request, loss_header
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import RequestView, window

SHAPES: dict[str, Shape] = {
    "/v1/completions": "completions",
    "/beta/completions": "completions",
    "/v1/fim/completions": "fim",
    "/infill": "infill",
}
_ID = {"completions": "cmpl-", "fim": "", "infill": ""}
# What an answer written anew cannot hold.
_UNANSWERED = ("logprobs", "echo", "best_of")
_DEEPSEEK_MOST = 4096


class FimExchange(Exchange):
    """A client's turn at a cursor. `fim` is the neutral request. Raises RequestError for what is none."""

    def __init__(self, call: Call) -> None:
        super().__init__(call, openai_chat.CODEC)
        self.fim: FimRequest = fim.decode(SHAPES[call.path], call.body)

    def decode(self) -> Request:
        """Return the question that a chat model is asked. Raises RequestError for a prompt that only its template can read."""
        return fim_upstream.as_chat(self.fim)

    def view(self) -> RequestView:
        """Return what routing reads of the request."""
        asked = self.fim
        return RequestView(
            model=asked.model,
            prompt=window(asked.raw or asked.prefix),
            suffix=window(asked.suffix),
            max_output_tokens=asked.max_tokens or 0,
            stream=asked.stream,
            total_bytes=self.size_bytes,
        )

    @property
    def written(self) -> FimContext:
        """What a writer of answers must know."""
        call = self.call
        return FimContext(
            request=self.fim,
            response_id=_ID[self.fim.shape] + call.request_id.replace("-", ""),
            created_s=int(call.received_s),
            request_id=call.request_id,
        )


def open_fim(call: Call, principal: Principal) -> FimExchange:
    """Return the exchange of a request to fill in. Raises RequestError."""
    return FimExchange(call)


def conversation(exchange: FimExchange, served: Served, target: Target, top: TopLevel) -> Conversation:
    """Return how the request is put to `served`. Raises RequestError for what it must not be told."""
    speech = served.speech["fim"]
    dialect = "completions" if speech.dialect == "fim" else speech.dialect
    known = target_of(served.provider, served.model, dialect, limit=target.max_output_tokens, session_key="")
    if speech.dialect != "fim":
        return _Asked(exchange, served, known)
    asked = exchange.fim
    if not _faithful(asked, speech.style, known):
        return _Written(exchange, speech.style, known, namespaced(top, target.namespace))
    return PassThroughChat() if asked.shape == "completions" else _PassThrough(exchange, known)


def _faithful(asked: FimRequest, style: str, known: codec.Target) -> bool:
    """Tell whether the provider reads the client's own bytes, and answers in its shape."""
    if asked.shape != "completions":
        return style == ("mistral" if asked.shape == "fim" else "infill")
    if asked.family:
        # The client has applied a template itself: right for a model of that family, as it stands.
        return style == "template" and asked.family == fim_templates.family_of(known.model)
    return style == "completions" or (style == "deepseek" and (asked.max_tokens or 0) <= _DEEPSEEK_MOST)


class _PassThrough:
    """Mistral's and llama.cpp's shape to a provider of the same: only the model and a clamped limit are spliced."""

    translated = False
    losses = ""

    def __init__(self, exchange: FimExchange, known: codec.Target) -> None:
        self._exchange = exchange
        self._known = known

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        changes: dict[str, bytes | None] = {"model": quoted(target.model_name)}
        if target.max_output_tokens:
            name = "n_predict" if self._exchange.fim.shape == "infill" else "max_tokens"
            changes[name] = str(target.max_output_tokens).encode()
        changes.update(namespaced(top, target.namespace))
        headers = SSE_HEADERS if view.stream else JSON_HEADERS
        return Outbound(path=target.path, headers=headers, body=top.splice(changes))

    def reader(self, top: TopLevel, view: RequestView, target: Target) -> StreamReader:
        return FimRelay(self._exchange.written, self._known)

    def whole(self, body: bytes) -> Whole:
        pump = translate.Pump(Emulation())
        pump.push(FimDecoder(self._known).whole(body))
        return _whole(body, pump)


class _Anew:
    """What is written in the provider's form, and its answer in the client's."""

    translated = True

    def __init__(self, exchange: FimExchange, known: codec.Target, encoded: Encoded) -> None:
        self._exchange = exchange
        self._known = known
        self._encoded = encoded
        self.losses = loss_header(encoded.losses)

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        headers: list[Header] = [*(SSE_HEADERS if view.stream else JSON_HEADERS), *self._encoded.headers]
        return Outbound(path=target.path, headers=tuple(headers), body=[self._encoded.body])

    def _decoder(self) -> codec.StreamDecoder:
        return FimDecoder(self._known)

    def _events(self, body: bytes) -> list[Event]:
        return FimDecoder(self._known).whole(body)

    def reader(self, top: TopLevel, view: RequestView, target: Target) -> StreamReader:
        pump = translate.Pump(Emulation(), self._exchange.written.response_id)
        return translate.StreamTranslator(self._decoder(), FimEncoder(self._exchange.written), pump)

    def whole(self, body: bytes) -> Whole:
        pump = translate.Pump(Emulation())
        events = pump.push(self._events(body))
        if pump.failure is not None:
            return _whole(b"", pump)
        return _whole(fim_client.encode_response(events, self._exchange.written), pump)


class _Written(_Anew):
    """Another shape, or a template of ours."""

    def __init__(self, exchange: FimExchange, style: str, known: codec.Target, callers: dict[str, bytes]) -> None:
        asked = exchange.fim
        unanswered = [name for name in _UNANSWERED if asked.extra.get(name)]
        extra = {k: v for k, v in asked.extra.items() if k not in _UNANSWERED}
        extra |= {name: msgspec.json.decode(value) for name, value in callers.items()}
        asked = msgspec.structs.replace(asked, extra=extra)
        encoded = fim_upstream.encode(asked, style, known)  # type: ignore[arg-type]
        lost = tuple(Loss(kind="dropped", field=name, why="the answer is written anew") for name in unanswered)
        super().__init__(exchange, known, msgspec.structs.replace(encoded, losses=(*encoded.losses, *lost)))


class _Asked(_Anew):
    """The last resort: a chat model is asked for the middle."""

    def __init__(self, exchange: FimExchange, served: Served, known: codec.Target) -> None:
        request = exchange.request
        if served.model.has("reasoning"):
            # What is asked for is one line; thinking would take its whole limit.
            request = msgspec.structs.replace(request, reasoning=ReasoningRequest(mode="off"))
        self._provider = PROVIDERS[served.speech["fim"].dialect]
        encoded = self._provider.encode_request(request, known)
        emulated = Loss(kind="emulated", field="suffix", why="the model is asked in words")
        headers = encoded.headers
        if self._provider is PROVIDERS["messages"]:
            headers = (*headers, (b"anthropic-version", VERSION.encode()))
        told = msgspec.structs.replace(encoded, losses=(*encoded.losses, emulated), headers=headers)
        super().__init__(exchange, known, told)

    def _decoder(self) -> codec.StreamDecoder:
        return ChatMiddle(self._provider.stream_decoder(self._known))

    def _events(self, body: bytes) -> list[Event]:
        return ChatMiddle(self._provider.stream_decoder(self._known)).through(
            self._provider.decode_response(body, self._known)
        )


def _whole(body: bytes, pump: translate.Pump) -> Whole:
    failed = pump.failure
    failure = None if failed is None else failed.value or {"message": failed.message, "code": failed.code}
    return Whole(body=body, failure=failure, answer=pump.answer(), usage=pump.usage())
