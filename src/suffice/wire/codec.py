"""What a dialect's codec offers: the client's side, the provider's side, or both.

All state lives in the objects made for one request; a codec itself has none. Nothing here reads a clock or makes ids: the
caller gives them in `ClientContext`. Errors: `decode_request` raises RequestError (400, `param` set), `encode_request`
raises RequestError (code `untranslatable`) for what it must refuse, decoders raise WireError for bytes that break the
provider's format, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from suffice.errors import SufficeError
from suffice.wire.neutral import Event, Loss, Request


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The provider's side of one exchange: model name sent upstream, issuer (provider id), and its peculiarities.

    The fields from `max_tokens_field` to `unsupported` mean what `catalog.providers.Quirks` says. `max_output_tokens`: the
    limit to send when > 0 (the caller has clamped it); `default_output_tokens` is sent where a dialect demands a limit and
    nobody said one. `custom_tools`, `structured`, `images`: the target takes them. `reasoning`: the model can think;
    `adaptive_thinking`: it takes Anthropic's adaptive mode. `cache_breakpoints`: how many explicit marks it takes (0 none),
    `add_breakpoints`: put marks where the client set none. `unsupported` are names of top-level fields never to send.
    `cache_key` is sent as the affinity key in place of the client's own when the dialect has one.
    """

    model: str
    issuer: str = ""
    max_output_tokens: int = 0
    default_output_tokens: int = 8192
    max_tokens_field: str = "max_tokens"
    tool_id: str = "any"
    stream_options: bool = True
    developer_role: bool = False
    parallel_tool_calls: bool = True
    seed_field: str = "seed"
    reasoning_field: str = ""
    reasoning_echo: str = ""
    thinking_switch: str = ""
    max_stop: int | None = None
    unsupported: tuple[str, ...] = ()
    custom_tools: bool = False
    structured: bool = True
    images: bool = True
    reasoning: bool = True
    adaptive_thinking: bool = False
    cache_breakpoints: int = 0
    add_breakpoints: bool = False
    cache_key: str = ""

    @staticmethod
    def of(model: str, quirks: Mapping[str, Any], **more: Any) -> Target:
        """Return a target from a catalogue row's quirks; names that translation does not use are passed over."""
        known = {k: v for k, v in quirks.items() if k in Target.__struct_fields__ and v is not None}
        return Target(**(known | more | {"model": model}))


class Emulation(msgspec.Struct, frozen=True, kw_only=True):
    """What `encode_request` disguised, so that the pump can undo it in the answer.

    `custom`: upstream names of functions that stand for custom tools (their `input` field is the free text).
    `names`: upstream tool name -> (namespace, client's name) where they differ. `output_tool`: the function whose arguments
    are the structured answer, or "".
    """

    custom: frozenset[str] = frozenset()
    names: dict[str, tuple[str, str]] = {}
    output_tool: str = ""


class Encoded(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a provider: the JSON body, headers that belong to it (lower-case), and what was lost or disguised."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    losses: tuple[Loss, ...] = ()
    emulation: Emulation = Emulation()


class ClientContext(msgspec.Struct, frozen=True, kw_only=True):
    """What an encoder of answers must know: the client's request, an id and a time to use when the provider gave none.

    `request_id` goes into error frames. `created_s` is seconds since the epoch.
    """

    request: Request
    response_id: str = ""
    created_s: int = 0
    request_id: str = ""


class StreamDecoder(Protocol):
    """A provider's stream of bytes, split anywhere, into events."""

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes. Raises WireError."""
        ...

    def close(self) -> list[Event]:
        """Return what the clean end of the bytes completes: `Done` where the dialect has no terminator but a stop came."""
        ...


class StreamEncoder(Protocol):
    """Events into the client's stream. Writes a success terminator for `Done` only; after `fail` it writes nothing."""

    def feed(self, event: Event) -> bytes:
        """Return the bytes for `event`; b"" when the dialect has none. Tool events other than ToolReady do not come here."""
        ...

    def keep_alive(self) -> bytes:
        """Return bytes that keep the connection alive, or b"" where the dialect's clients take none."""
        ...

    def fail(self, error: SufficeError) -> bytes:
        """Return the bytes that end a broken stream honestly."""
        ...


class ClientCodec(Protocol):
    """The client's side of a dialect."""

    dialect: str

    def decode_request(self, body: bytes) -> Request:
        """Return the neutral request of an already scanned body (UTF-8, one JSON object). Raises RequestError."""
        ...

    def stream_encoder(self, context: ClientContext) -> StreamEncoder:
        """Return a fresh encoder for one stream."""
        ...

    def encode_response(self, events: Iterable[Event], context: ClientContext) -> bytes:
        """Return the body of a whole answer. Raises WireError when the events hold a Failure or lack Done."""
        ...


class ProviderCodec(Protocol):
    """The provider's side of a dialect."""

    dialect: str

    def encode_request(self, request: Request, target: Target) -> Encoded:
        """Return the upstream request. Raises RequestError (code `untranslatable`) for what must be refused."""
        ...

    def stream_decoder(self, target: Target) -> StreamDecoder:
        """Return a fresh decoder for one stream."""
        ...

    def decode_response(self, body: bytes, target: Target) -> list[Event]:
        """Return the events of a whole answer, `Done` at the end, or a single Failure. Raises WireError."""
        ...
