"""Gemini answers, read: a provider's stream (event stream or JSON array) or whole body into neutral events.

There is no terminator: an answer is complete when a finish reason came, the bytes ended cleanly and, for an array, its
bracket is closed. Finish reasons that mean a broken call are failures, although the status is 200. Only the first candidate
is read.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.wire import sse, usage
from suffice.wire.codec import Target
from suffice.wire.gemini_frames import Payloads
from suffice.wire.gemini_partial import PartialArguments
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningEnd,
    Start,
    Stop,
    StopReason,
    TextDelta,
    ToolDelta,
    ToolEnd,
    ToolStart,
    UsageReport,
)
from suffice.wire.payload_decoder import PayloadDecoder

DIALECT = "gemini"
STOPS: dict[str, StopReason] = {
    "STOP": "end",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
}
FAILED_STOPS = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"}
    | {"MALFORMED_RESPONSE"}
)
_DETAILS = ("safetyRatings", "citationMetadata", "groundingMetadata", "urlContextMetadata", "finishMessage")


class _Call(msgspec.Struct):
    name: Any = ""
    id: Any = ""
    args: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    partialArgs: Any = None
    willContinue: Any = None


class _Part(msgspec.Struct):
    text: str | None = None
    thought: bool | None = None
    thoughtSignature: str | None = None
    functionCall: _Call | None = None
    inlineData: Any = None
    fileData: Any = None
    executableCode: Any = None
    codeExecutionResult: Any = None
    toolCall: Any = None
    toolResponse: Any = None


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct):
    index: Any = 0
    content: _Content | None = None
    finishReason: Any = None
    finishMessage: Any = None
    safetyRatings: Any = None
    citationMetadata: Any = None
    groundingMetadata: Any = None
    urlContextMetadata: Any = None


class _Chunk(msgspec.Struct):
    candidates: list[_Candidate] | None = None
    usageMetadata: Any = None
    promptFeedback: Any = None
    modelVersion: Any = ""
    responseId: Any = ""
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode
_OPAQUE = ("inlineData", "fileData", "executableCode", "codeExecutionResult", "toolCall", "toolResponse")


class GeminiDecoder(PayloadDecoder):
    """`codec.StreamDecoder` of the Gemini dialect."""

    def __init__(self, target: Target) -> None:
        self._issuer = target.issuer
        self._pieces = Payloads()
        super().__init__(self._pieces)
        self._begun = False
        self._over = False
        self._thinking = False
        self._stop: Stop | None = None
        self._count = 0
        self._growing: PartialArguments | None = None

    def _at_end(self, out: list[Event]) -> None:
        if self._stop is not None and not self._over and not self._pieces.cut:
            self._finish(out)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole answer. Raises WireError when it is not complete."""
        out: list[Event] = []
        self._payload(sse.utf8(body), out)
        if not self._over:
            if self._stop is None:
                raise WireError("the provider's answer has no finish reason")
            self._finish(out)
        return out

    def _payload(self, payload: bytes, out: list[Event]) -> None:
        if self._over or not payload:
            return
        try:
            chunk = _decode(payload)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise WireError("the provider sent an event that is not JSON of the Gemini dialect") from None
        if chunk.error:
            self._fail(failure_of(chunk.error), out)
            return
        feedback = chunk.promptFeedback
        blocked = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if chunk.candidates is None and chunk.usageMetadata is None and not blocked:
            if self._begun:
                return  # A proxy's own event among the answers; passed through, it would be dropped too.
            raise WireError("the provider's answer has no candidates")
        if not self._begun:
            self._begun = True
            out.append(Start(id=str(chunk.responseId or ""), model=str(chunk.modelVersion or "")))
        for candidate in chunk.candidates or ():
            if not candidate.index:
                self._candidate(candidate, out)
        if blocked and not chunk.candidates:
            self._stop = Stop(reason="content_filter", native=str(blocked), details=feedback, dialect=DIALECT)
        if not self._over:
            found = usage.from_gemini(chunk.usageMetadata)
            if found is not None:
                out.append(UsageReport(usage=found))

    def _candidate(self, candidate: _Candidate, out: list[Event]) -> None:
        content = candidate.content
        for part in (content.parts if content is not None else None) or ():
            self._part(part, out)
        native = candidate.finishReason
        if not native or native == "FINISH_REASON_UNSPECIFIED":
            return
        native = str(native)
        if native in FAILED_STOPS:
            said = str(candidate.finishMessage or f"the provider stopped with {native}")
            value = {"code": 502, "message": said, "status": native}
            self._fail(Failure(message=said, type="server_error", code=native.lower(), value=value), out)
            return
        details = {name: value for name in _DETAILS if (value := getattr(candidate, name)) is not None}
        reason = STOPS.get(native, "other")
        self._stop = Stop(
            reason=reason,
            native=native,
            details=details or None,
            dialect=DIALECT if details or reason == "other" else "",
        )

    def _part(self, part: _Part, out: list[Event]) -> None:
        signature = part.thoughtSignature or ""
        if part.functionCall is not None:
            self._end_thinking(out)
            self._call(part.functionCall, signature, out)
        elif part.thought:
            if part.text:
                out.append(ReasoningDelta(text=part.text, issuer=self._issuer, summary=True))
            self._thinking = True
            if signature:
                self._end_thinking(out, signature)
        elif part.text is not None:
            if part.text:
                self._end_thinking(out)
                out.append(TextDelta(text=part.text))
            if signature:
                # State on text: a part of its own without text, as the API itself sends it at the end of a stream.
                self._end_thinking(out)
                out.append(ReasoningEnd(signature=signature, issuer=self._issuer))
        else:
            value = {name: found for name in _OPAQUE if (found := getattr(part, name)) is not None}
            if value:
                self._end_thinking(out)
                out.append(OpaqueBlock(dialect=DIALECT, value=value))

    def _end_thinking(self, out: list[Event], signature: str = "") -> None:
        if self._thinking:
            self._thinking = False
            out.append(ReasoningEnd(signature=signature, issuer=self._issuer))

    def _call(self, call: _Call, signature: str, out: list[Event]) -> None:
        if call.name:
            self._end_growing(out)
            start = ToolStart(
                index=self._count,
                id=str(call.id or ""),
                name=str(call.name),
                signature=signature,
                issuer=self._issuer if signature else "",
            )
            out.append(start)
            self._growing = PartialArguments()
        if self._growing is None:
            if call.partialArgs or call.args is not msgspec.UNSET:
                raise WireError("the provider sent arguments of a call that did not begin")
            return
        if call.args is not msgspec.UNSET:
            raw = bytes(call.args)
            text = (msgspec.json.format(raw, indent=-1) if b"\n" in raw else raw).decode()
            self._growing = None
            if text != "null":
                out.append(ToolDelta(index=self._count, text=text))
            out.append(ToolEnd(index=self._count))
            self._count += 1
            return
        self._growing.add(call.partialArgs)
        if not call.willContinue:
            self._end_growing(out)

    def _end_growing(self, out: list[Event]) -> None:
        growing, self._growing = self._growing, None
        if growing is not None:
            out += (ToolDelta(index=self._count, text=growing.text()), ToolEnd(index=self._count))
            self._count += 1

    def _fail(self, failure: Failure, out: list[Event]) -> None:
        self._over = True
        out.append(failure)

    def _finish(self, out: list[Event]) -> None:
        self._over = True
        stop = self._stop or Stop(reason="end")
        self._end_thinking(out)
        if stop.reason != "length":
            # Some streams leave out the empty part that ends the last call.
            self._end_growing(out)
        out += (stop, Done())


def failure_of(error: Any) -> Failure:
    """Return the failure that Google's error object tells; RetryInfo stays in `value`."""
    if not isinstance(error, dict):
        return Failure(message=str(error), value={"message": str(error)})
    code = error.get("code")
    status = error.get("status")
    return Failure(
        message=str(error.get("message") or "the provider reported an error"),
        type=str(status or ""),
        code=str(status or code or ""),
        status=code if isinstance(code, int) and 400 <= code < 600 else 0,
        value=error,
    )
