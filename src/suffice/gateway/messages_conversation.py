"""Anthropic Messages in, the same out: bytes as they came, with the headers that belong to the body.

`anthropic-beta` and unknown body fields are open lists and go on verbatim; a header without its field, or the reverse, is
refused upstream.
"""

from __future__ import annotations

from collections.abc import Iterable

from suffice.gateway.call import Call
from suffice.gateway.conversation import (
    JSON_HEADERS,
    SSE_HEADERS,
    Header,
    Outbound,
    StreamReader,
    Target,
    Whole,
    quoted,
)
from suffice.gateway.evidence import with_evidence
from suffice.gateway.issuers import Note, states
from suffice.wire.messages_relay import MessagesRelay, whole
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import RequestView

VERSION = "2023-06-01"
# The Vercel AI SDK (opencode, kilo) ends on an event of a type that it does not know (docs/decisions/104-strict-clients.md).
_STRICT = "ai-sdk"


def _nothing(found: Iterable[str]) -> None:
    """Note nothing: of a caller that remembers no issuers."""


class Noting(MessagesRelay):
    """A relay that tells `note` the states of thinking that pass: clients send them back without a name."""

    def __init__(self, call: Call, note: Note = _nothing) -> None:
        super().__init__(call.request_id, strict=_STRICT in call.header("user-agent"))
        self._tell = note

    def feed(self, chunk: bytes) -> bytes:
        """Return the bytes to send on now. Raises WireError."""
        data = super().feed(chunk)
        if b'"signature_delta"' in data or b'"redacted_thinking"' in data:
            self._tell(states("messages", data))
        return data


class PassThroughMessages:
    """One turn's pass-through. Nothing is lost, so `losses` is empty."""

    losses = ""
    translated = False

    def __init__(self, call: Call, note: Note = _nothing) -> None:
        self._call = call
        self._note = note

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        """Splice the model and a clamped output limit; forward version and beta headers and `?beta=true`."""
        changes: dict[str, bytes | None] = {"model": quoted(target.model_name)}
        if target.max_output_tokens:
            changes["max_tokens"] = str(target.max_output_tokens).encode()
        if target.evidence:
            changes.update(with_evidence(top, target.evidence, "messages", draft=target.draft))
        path = target.path + b"?beta=true" if b"beta=true" in self._call.query.split(b"&") else target.path
        headers = [*(SSE_HEADERS if view.stream else JSON_HEADERS), *version_headers(self._call)]
        return Outbound(path=path, headers=tuple(headers), body=top.splice(changes))

    def reader(self, top: TopLevel, view: RequestView, target: Target) -> StreamReader:
        """Return a reader of one stream."""
        return Noting(self._call, self._note)

    def whole(self, body: bytes) -> Whole:
        """Read the body beside forwarding it."""
        failure, answer, usage = whole(body)
        self._note(states("messages", body))
        return Whole(body=body, failure=failure, answer=answer, usage=usage)


def version_headers(call: Call) -> list[Header]:
    """Return the version and the beta flags of a Messages request: the client's own, else the version that this speaks."""
    headers = [(b"anthropic-version", call.header("anthropic-version", VERSION).encode("latin-1"))]
    beta = call.header("anthropic-beta")
    if beta:
        headers.append((b"anthropic-beta", beta.encode("latin-1")))
    return headers
