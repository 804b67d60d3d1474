"""Gemini in, the same out: bytes as they came; the model stands in the path."""

from __future__ import annotations

import msgspec

from suffice.errors import SufficeError
from suffice.gateway.call import Call
from suffice.gateway.conversation import JSON_HEADERS, SSE_HEADERS, Outbound, StreamReader, Target, Whole
from suffice.gateway.evidence import with_evidence
from suffice.gateway.issuers import Note, states
from suffice.wire import errors
from suffice.wire.gemini_relay import GeminiRelay, whole
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import RequestView


class PassThroughGemini:
    """One turn's pass-through of a request for a whole answer or an event stream."""

    losses = ""
    translated = False

    def __init__(self, call: Call, note: Note) -> None:
        self._call = call
        self._note = note

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        """Splice a clamped output limit and what a check found; everything else stays."""
        changes: dict[str, bytes | None] = {}
        if target.max_output_tokens:
            name = "generation_config" if top.value("generation_config") is not None else "generationConfig"
            config = msgspec.json.decode(top.value(name) or b"{}")
            kept = {k: v for k, v in config.items() if k not in ("maxOutputTokens", "max_output_tokens")}
            changes[name] = msgspec.json.encode(kept | {"maxOutputTokens": target.max_output_tokens})
        if target.evidence:
            changes.update(with_evidence(top, target.evidence, "gemini", draft=target.draft))
        headers = SSE_HEADERS if view.stream else JSON_HEADERS
        return Outbound(path=target.path, headers=headers, body=top.splice(changes))

    def reader(self, top: TopLevel, view: RequestView, target: Target) -> StreamReader:
        """Return a reader of one stream."""
        return _Relay(self._note)

    def whole(self, body: bytes) -> Whole:
        """Read the body beside forwarding it."""
        failure, answer, usage = whole(body)
        self._note(states("gemini", body))
        return Whole(body=body, failure=failure, answer=answer, usage=usage)


class _Relay(GeminiRelay):
    quiet = False

    def __init__(self, note: Note) -> None:
        super().__init__()
        self._tell = note

    def feed(self, chunk: bytes) -> bytes:
        data = super().feed(chunk)
        if b'Signature"' in data:
            self._tell(states("gemini", data))
        return data

    def fail(self, error: SufficeError) -> bytes:
        return errors.frame(errors.GEMINI, error)
