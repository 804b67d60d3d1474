"""Anthropic Messages in, the same out: bytes as they came, with the headers that belong to the body.

`anthropic-beta` and unknown body fields are open lists and go on verbatim; a header without its field, or the reverse, is
refused upstream.
"""

from __future__ import annotations

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
from suffice.wire.messages_relay import MessagesRelay, whole
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import RequestView

VERSION = "2023-06-01"
# The Vercel AI SDK (opencode, kilo) ends on an event of a type that it does not know (docs/decisions/104-strict-clients.md).
_STRICT = "ai-sdk"


class PassThroughMessages:
    """One turn's pass-through. Nothing is lost, so `losses` is empty."""

    losses = ""
    translated = False

    def __init__(self, call: Call) -> None:
        self._call = call

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        """Splice the model and a clamped output limit; forward version and beta headers and `?beta=true`."""
        changes: dict[str, bytes | None] = {"model": quoted(target.model_name)}
        if target.max_output_tokens:
            changes["max_tokens"] = str(target.max_output_tokens).encode()
        if target.evidence:
            changes.update(with_evidence(top, target.evidence, "messages"))
        path = target.path + b"?beta=true" if b"beta=true" in self._call.query.split(b"&") else target.path
        headers = [*(SSE_HEADERS if view.stream else JSON_HEADERS), *version_headers(self._call)]
        return Outbound(path=path, headers=tuple(headers), body=top.splice(changes))

    def reader(self, top: TopLevel, view: RequestView, target: Target) -> StreamReader:
        """Return a reader of one stream."""
        return MessagesRelay(self._call.request_id, strict=_STRICT in self._call.header("user-agent"))

    def whole(self, body: bytes) -> Whole:
        """Read the body beside forwarding it."""
        failure, answer, usage = whole(body)
        return Whole(body=body, failure=failure, answer=answer, usage=usage)


def version_headers(call: Call) -> list[Header]:
    """Return the version and the beta flags of a Messages request: the client's own, else the version that this speaks."""
    headers = [(b"anthropic-version", call.header("anthropic-version", VERSION).encode("latin-1"))]
    beta = call.header("anthropic-beta")
    if beta:
        headers.append((b"anthropic-beta", beta.encode("latin-1")))
    return headers
