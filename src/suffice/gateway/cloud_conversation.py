"""Anthropic Messages in, Claude on a cloud behind it: the same dialect in other wrapping, so the body goes on as it came.

Model and stream flag move into the path, the version into the body; on Bedrock the beta flags move into the body too and the
stream is taken out of its AWS event stream. Everything else is the client's, byte for byte.
"""

from __future__ import annotations

from typing import Final

import msgspec

from suffice.gateway.call import Call
from suffice.gateway.conversation import JSON_HEADERS, SSE_HEADERS, Header, Outbound, StreamReader, Target, Whole
from suffice.gateway.evidence import with_evidence
from suffice.gateway.issuers import Note, states
from suffice.gateway.messages_conversation import Noting
from suffice.wire.cloud_messages import VERSIONS, Cloud, Unwrap
from suffice.wire.messages_relay import whole
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import RequestView

CLOUDS: Final[dict[str, Cloud]] = {"bedrock-messages": "bedrock", "vertex-messages": "vertex"}


class PassThroughCloud:
    """One turn's pass-through to Claude on `cloud`. Nothing is lost, so `losses` is empty."""

    losses = ""
    translated = False

    def __init__(self, call: Call, cloud: Cloud, note: Note) -> None:
        self._call = call
        self._note = note
        self._cloud: Cloud = cloud

    def outbound(self, top: TopLevel, view: RequestView, target: Target) -> Outbound:
        """Splice model, stream flag, version, betas and a clamped output limit."""
        changes: dict[str, bytes | None] = {
            "model": None,
            "anthropic_version": msgspec.json.encode(VERSIONS[self._cloud]),
        }
        if target.max_output_tokens:
            changes["max_tokens"] = str(target.max_output_tokens).encode()
        if target.evidence:
            changes.update(with_evidence(top, target.evidence, "messages", draft=target.draft))
        betas = self._call.header("anthropic-beta")
        headers: list[Header] = [*(SSE_HEADERS if view.stream else JSON_HEADERS)]
        if self._cloud == "bedrock":
            # The answer's form is said by the path alone.
            headers = [JSON_HEADERS[0]]
            changes["stream"] = None
            if betas and "anthropic_beta" not in top.spans:
                changes["anthropic_beta"] = msgspec.json.encode([b.strip() for b in betas.split(",") if b.strip()])
        elif betas:
            headers.append((b"anthropic-beta", betas.encode("latin-1")))
        return Outbound(path=target.path, headers=tuple(headers), body=top.splice(changes))

    def reader(self, top: TopLevel, view: RequestView, target: Target) -> StreamReader:
        """Return a reader of one stream."""
        relay = _Unwrapping if self._cloud == "bedrock" else Noting
        return relay(self._call, self._note)

    def whole(self, body: bytes) -> Whole:
        """Read the body beside forwarding it."""
        failure, answer, usage = whole(body)
        self._note(states("messages", body))
        return Whole(body=body, failure=failure, answer=answer, usage=usage)


class _Unwrapping(Noting):
    """A relay whose bytes come in an AWS event stream."""

    def __init__(self, call: Call, note: Note) -> None:
        super().__init__(call, note)
        self._unwrap = Unwrap()

    def feed(self, chunk: bytes) -> bytes:
        """Return the dialect's own events that `chunk` completes. Raises WireError."""
        # What comes behind the end is not looked at: the answer is complete.
        data = b"" if self.done else self._unwrap.feed(chunk)
        return super().feed(data) if data else b""
