"""Bedrock Converse, the provider's side: see `bedrock_request` for requests; answers are read here.

A stream is an AWS event stream whose message headers name the event. `Done` comes once the stop and, behind it, the usage
were told (or the bytes ended cleanly); an exception message is a failure with the status that AWS gives it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.wire import bedrock_request, usage
from suffice.wire.codec import Encoded, StreamDecoder, Target
from suffice.wire.eventstream import Decoder, Frame
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningEnd,
    Request,
    Start,
    Stop,
    StopReason,
    TextDelta,
    ToolDelta,
    ToolEnd,
    ToolStart,
    UsageReport,
)

DIALECT = "converse"
STOPS: dict[str, StopReason] = {
    "end_turn": "end",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "model_context_window_exceeded": "context_length",
    "refusal": "refusal",
    "pause_turn": "pause",
}
_FAILED_STOPS = frozenset({"malformed_model_output", "malformed_tool_use"})
STATUS = {
    "throttlingException": 429,
    "validationException": 400,
    "accessDeniedException": 403,
    "resourceNotFoundException": 404,
    "modelNotReadyException": 429,
    "modelTimeoutException": 408,
    "serviceUnavailableException": 503,
    "internalServerException": 500,
    "modelStreamErrorException": 424,
    "modelErrorException": 424,
}


class _Block:
    """One open content block."""

    __slots__ = ("redacted", "signature", "thinking", "tool")

    def __init__(self) -> None:
        self.tool: int | None = None
        self.thinking = False
        self.signature = ""
        self.redacted = ""


class ConverseDecoder:
    """`codec.StreamDecoder` of Bedrock Converse."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._frames = Decoder()
        self._blocks: dict[int, _Block] = {}
        self._tools = 0
        self._begun = False
        self._stop: Stop | None = None
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes; what comes behind the end is not looked at. Raises WireError."""
        out: list[Event] = []
        for frame in () if self._over else self._frames.feed(chunk):
            self._frame(frame, out)
        return out

    def close(self) -> list[Event]:
        """Return `Done` when a stop came and no message is cut."""
        out: list[Event] = []
        if self._stop is not None and not self._over and not self._frames.cut:
            self._finish(out)
        return out

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole answer. Raises WireError."""
        decoded = _object(body)
        output = decoded.get("output")
        message = output.get("message") if isinstance(output, dict) else None
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, list) or not isinstance(decoded.get("stopReason"), str):
            raise WireError("the provider's answer has no message or no stop reason")
        out: list[Event] = []
        self._start(out)
        for index, block in enumerate(content):
            if isinstance(block, dict):
                self._whole_block(index, block, out)
        self._usage(decoded.get("usage"), out)
        self._stopped(decoded, out)
        if not self._over:
            self._finish(out)
        return out

    def _whole_block(self, index: int, block: dict[str, Any], out: list[Event]) -> None:
        call = block.get("toolUse")
        if isinstance(call, dict):
            self._open(index, {"toolUse": call}, out)
            given = call.get("input")
            text = msgspec.json.encode(given).decode() if given is not None else ""
            self._delta(index, {"toolUse": {"input": text}}, out)
        elif isinstance(block.get("reasoningContent"), dict):
            inner = block["reasoningContent"]
            text_block = inner.get("reasoningText")
            row = dict(text_block) if isinstance(text_block, dict) else {}
            for name in ("text", "signature"):
                if row.get(name):
                    self._delta(index, {"reasoningContent": {name: row[name]}}, out)
            if inner.get("redactedContent"):
                self._delta(index, {"reasoningContent": {"redactedContent": inner["redactedContent"]}}, out)
        elif isinstance(block.get("citationsContent"), dict):
            rows = block["citationsContent"].get("content")
            for row in rows if isinstance(rows, list) else ():
                self._delta(index, row if isinstance(row, dict) else {}, out)
        else:
            self._delta(index, block, out)
        self._close(index, out)

    def _frame(self, frame: Frame, out: list[Event]) -> None:
        if self._over:
            return
        kind = frame.headers.get(":message-type", "event")
        if kind != "event":
            self._over = True
            out.append(exception(frame))
            return
        body = _object(frame.payload)
        name = frame.headers.get(":event-type", "")
        index = body.get("contentBlockIndex")
        index = index if isinstance(index, int) else 0
        self._start(out)
        if name == "contentBlockDelta":
            self._delta(index, body.get("delta"), out)
        elif name == "contentBlockStart":
            self._open(index, body.get("start"), out)
        elif name == "contentBlockStop":
            self._close(index, out)
        elif name == "messageStop":
            self._stopped(body, out)
        elif name == "metadata":
            self._usage(body.get("usage"), out)
            if self._stop is not None and not self._over:
                self._finish(out)

    def _start(self, out: list[Event]) -> None:
        if not self._begun:
            self._begun = True
            # Converse does not say which model answered; the one asked for is the one that did.
            out.append(Start(model=self._target.model))

    def _open(self, index: int, start: Any, out: list[Event]) -> None:
        call = start.get("toolUse") if isinstance(start, dict) else None
        block = self._blocks[index] = _Block()
        if isinstance(call, dict):
            block.tool, self._tools = self._tools, self._tools + 1
            identity = str(call.get("toolUseId") or "")
            out.append(ToolStart(index=block.tool, id=identity, name=str(call.get("name") or "")))

    def _delta(self, index: int, delta: Any, out: list[Event]) -> None:
        if not isinstance(delta, dict):
            raise WireError("a delta of the provider's stream is not an object")
        block = self._blocks.setdefault(index, _Block())
        text, call, thought = delta.get("text"), delta.get("toolUse"), delta.get("reasoningContent")
        if isinstance(text, str):
            if text:
                out.append(TextDelta(text=text))
        elif isinstance(call, dict):
            if block.tool is None:
                raise WireError("the provider sent arguments of a call that did not begin")
            if isinstance(call.get("input"), str) and call["input"]:
                out.append(ToolDelta(index=block.tool, text=call["input"]))
        elif isinstance(thought, dict):
            block.thinking = True
            if isinstance(thought.get("text"), str) and thought["text"]:
                out.append(ReasoningDelta(text=thought["text"], issuer=self._target.issuer))
            block.signature += thought["signature"] if isinstance(thought.get("signature"), str) else ""
            block.redacted += thought["redactedContent"] if isinstance(thought.get("redactedContent"), str) else ""
        elif delta.keys() - {"citation"}:
            out.append(OpaqueBlock(dialect=DIALECT, value=delta))

    def _close(self, index: int, out: list[Event]) -> None:
        block = self._blocks.pop(index, None)
        if block is None:
            return
        if block.tool is not None:
            out.append(ToolEnd(index=block.tool))
        elif block.thinking:
            issuer = self._target.issuer
            out.append(ReasoningEnd(signature=block.signature, encrypted=block.redacted, issuer=issuer))

    def _usage(self, report: Any, out: list[Event]) -> None:
        found = usage.from_bedrock(report)
        if found is not None:
            out.append(UsageReport(usage=found))

    def _stopped(self, body: dict[str, Any], out: list[Event]) -> None:
        native = str(body.get("stopReason") or "")
        if native in _FAILED_STOPS or not native:
            self._over = True
            message = f"the provider stopped with {native or 'no reason'}"
            out.append(Failure(message=message, type="server_error", code=native or "no_stop_reason"))
            return
        more = body.get("additionalModelResponseFields")
        delta = more.get("delta") if isinstance(more, dict) else None
        sequence = delta.get("stop_sequence") if isinstance(delta, dict) else None
        self._stop = Stop(reason=STOPS.get(native, "other"), native=native, sequence=sequence or "")

    def _finish(self, out: list[Event]) -> None:
        self._over = True
        stop = self._stop or Stop(reason="end")
        if stop.reason not in ("length", "context_length"):
            for index in sorted(self._blocks):
                self._close(index, out)
        out += (stop, Done())


def exception(frame: Frame) -> Failure:
    """Return the failure that an exception or error message of an event stream tells."""
    name = frame.headers.get(":exception-type") or frame.headers.get(":error-code") or "unknown"
    message = frame.headers.get(":error-message", "")
    try:
        body = msgspec.json.decode(frame.payload) if frame.payload else {}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        body = {}
    said = (body.get("message") or body.get("Message")) if isinstance(body, dict) else ""
    text = str(said or message or "the provider ended the stream with an exception")
    status = STATUS.get(name[:1].lower() + name[1:], 0)
    return Failure(
        message=text, type=name, code=name, status=status, value={"message": text, "type": name, "code": name}
    )


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise WireError("the provider sent a message that is not a JSON object")
    return value


class BedrockConverse:
    """`codec.ProviderCodec` of Bedrock Converse. Has no state."""

    dialect = DIALECT

    def encode_request(self, request: Request, target: Target) -> Encoded:
        """Return the upstream body."""
        return bedrock_request.encode_request(request, target)

    def stream_decoder(self, target: Target) -> StreamDecoder:
        """Return a fresh reader of one stream."""
        return ConverseDecoder(target)

    def decode_response(self, body: bytes, target: Target) -> list[Event]:
        """Return the events of a whole answer. Raises WireError."""
        return ConverseDecoder(target).whole(body)


CODEC = BedrockConverse()
