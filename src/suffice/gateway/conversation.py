"""One client dialect speaking with one provider dialect.

The pipeline knows this interface only. When both dialects are the same, `PassThrough` keeps every byte but the closed list of
fields (docs/architecture.md, step 8); a translating conversation lives beside it and is chosen by `ConversationTable`.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Protocol

import msgspec

from suffice.catalog.providers import Quirks
from suffice.errors import RequestError, SufficeError
from suffice.gateway.evidence import with_evidence
from suffice.values.usage import Usage
from suffice.wire.chat_fit import AS_IT_IS, Fitted
from suffice.wire.chat_relay import Answer, ChatRelay, whole
from suffice.wire.chat_repair import mended
from suffice.wire.embeddings import embeddings
from suffice.wire.neutral import loss_header
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import RequestView

Header = tuple[bytes, bytes]


class Outbound(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it goes to the provider."""

    path: bytes
    headers: tuple[Header, ...]
    body: list[bytes]


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer: the bytes for the client, and what was read in them. `failure` is an upstream error object or None."""

    body: bytes
    failure: Any
    answer: Answer
    usage: Usage | None


class Target(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What of the chosen arm the conversation needs: the provider's name of the model and the provider's peculiarities."""

    model_name: str
    path: bytes
    quirks: Quirks
    max_output_tokens: int = 0
    namespace: bytes = b""
    # What a check found wrong with the attempt before; goes out as a last user message.
    evidence: str = ""
    # An answer of another model that is to be reviewed; goes out before it as the assistant's message.
    draft: str = ""


class StreamReader(Protocol):
    """Reads an upstream event stream and yields the bytes for the client; see `wire.chat_relay.ChatRelay`."""

    started: bool
    # Events with data so far; comments do not count.
    data_events: int

    @property
    def done(self) -> bool:
        """True once nothing more is to come."""
        ...

    @property
    def failure(self) -> Any:
        """The provider's error object, or None."""
        ...

    @property
    def quiet(self) -> bool:
        """True while nothing that a user can see has come, so that another provider could still take over."""
        ...

    @property
    def finished(self) -> bool:
        """True when the stream said that it is complete."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """Return the bytes to send on now."""
        ...

    def close(self) -> bytes:
        """Return what is left at the end of the upstream's bytes."""
        ...

    def keep_alive(self) -> bytes:
        """Return bytes that keep the client waiting, b"" where its dialect has none."""
        ...

    def fail(self, error: SufficeError) -> bytes:
        """Return the bytes that end a broken stream honestly."""
        ...

    def usage(self) -> Usage | None:
        """Return the provider's usage report, if it came."""
        ...

    def answer(self) -> Answer:
        """Return the whole answer as far as it was kept."""
        ...


class Conversation(Protocol):
    """Everything that differs between pairs of dialects.

    `losses` is the value of the header that names what the provider could not be told, "" for nothing.
    """

    @property
    def losses(self) -> str:
        """What is lost on the way, for the client to see."""
        ...

    @property
    def translated(self) -> bool:
        """True when the answer is written anew rather than passed on."""
        ...

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        """Return the upstream request for `target`."""
        ...

    def reader(self, top: TopLevel, view: RequestView, target: Target) -> StreamReader:
        """Return a fresh reader for one upstream stream."""
        ...

    def whole(self, body: bytes) -> Whole:
        """Read a complete upstream answer. Raises WireError when it does not follow the dialect."""
        ...


JSON_HEADERS: tuple[Header, ...] = ((b"content-type", b"application/json"), (b"accept", b"application/json"))
SSE_HEADERS: tuple[Header, ...] = ((b"content-type", b"application/json"), (b"accept", b"text/event-stream"))


class PassThroughChat:
    """OpenAI chat, completions and embeddings in, the same out: bytes as they came, but for what `fitted` to the provider."""

    translated = False

    def __init__(self, fitted: Fitted = AS_IT_IS) -> None:
        self._fitted = fitted
        self.losses = loss_header(fitted.losses)

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        """Splice the model, the usage option of a stream, a clamped output limit and namespaced cache keys."""
        changes: dict[str, bytes | None] = {"model": quoted(target.model_name)}
        if view.stream and not _asks_usage(top) and target.quirks.stream_options is not False:
            changes["stream_options"] = _with_usage(top)
        changes.update(namespaced(top, target.namespace))
        if target.evidence:
            changes.update(with_evidence(top, target.evidence, draft=target.draft))
        changes.update(self._fitted.changes)
        if target.max_output_tokens:
            # `either` is the quirk of providers that take both.
            field = target.quirks.max_tokens_field
            name = "max_tokens" if field == "either" else field
            sent = (k for k in ("max_completion_tokens", "max_tokens") if changes.get(k, top.value(k)) is not None)
            changes[next(sent, name)] = str(target.max_output_tokens).encode()
        headers = SSE_HEADERS if view.stream else JSON_HEADERS
        return Outbound(path=target.path, headers=headers, body=top.splice(changes))

    def reader(self, top: TopLevel, view: RequestView, target: Target) -> StreamReader:
        """Return a reader that hides the usage event from a client that did not ask for it."""
        return ChatRelay(swallow_usage=not _asks_usage(top))

    def whole(self, body: bytes) -> Whole:
        """Read the body beside forwarding it."""
        body = mended(body)
        failure, answer, usage = whole(body)
        return Whole(body=body, failure=failure, answer=answer, usage=usage)


class PassThroughEmbeddings(PassThroughChat):
    """Embeddings: only the model is spliced, and nothing but the usage is read of what comes back."""

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        """Splice the model and the namespaced user."""
        changes: dict[str, bytes | None] = {"model": quoted(target.model_name)}
        changes.update(namespaced(top, target.namespace))
        return Outbound(path=target.path, headers=JSON_HEADERS, body=top.splice(changes))

    def whole(self, body: bytes) -> Whole:
        """Read the usage; vectors are not decoded."""
        failure, usage, model = embeddings(body)
        return Whole(body=body, failure=failure, answer=Answer(model=model), usage=usage)


# Fields by which a provider tells callers apart; without a namespace one tenant could name another's.
_CALLER_FIELDS = ("prompt_cache_key", "user", "safety_identifier")


def namespaced(top: TopLevel, namespace: bytes) -> dict[str, bytes]:
    """Return the caller's own names of callers and caches as HMAC-SHA-256 under the tenant's namespace, in hex."""
    if not namespace:
        return {}
    changes = {}
    for key in _CALLER_FIELDS:
        raw = top.value(key)
        if raw is None or not raw.startswith(b'"'):
            continue
        try:
            value: str = msgspec.json.decode(raw, type=str)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise RequestError(f"{key} must be a string", param=key) from None
        digest = hmac.new(namespace, value.encode(), hashlib.sha256).hexdigest()
        changes[key] = b'"' + digest.encode() + b'"'
    return changes


def quoted(name: str) -> bytes:
    """Return `name` as a JSON string."""
    return b'"' + name.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _asks_usage(top: TopLevel) -> bool:
    options = top.value("stream_options")
    return options is not None and b'"include_usage"' in options and b"true" in options


def _with_usage(top: TopLevel) -> bytes:
    options = (top.value("stream_options") or b"null").strip()
    if not options.startswith(b"{") or b'"include_usage"' in options:
        return b'{"include_usage":true}'
    inner = options[1:-1].strip()
    return b'{"include_usage":true' + (b"," + inner if inner else b"") + b"}"
