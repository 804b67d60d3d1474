"""Pass-through of Gemini answers: bytes go on as they came, and what matters is read beside them.

The interface is that of `wire.chat_relay.ChatRelay`. Whole events (or whole elements of an array) are forwarded, so that a
stream which we must end is never cut inside one. Comments, which no provider of the dialect sends but a proxy may, are taken
out: clients break on them.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.values.usage import Usage
from suffice.wire import sse, usage
from suffice.wire.chat_relay import Answer
from suffice.wire.codec import Emulation, Target
from suffice.wire.gemini_answer import STOPS, GeminiDecoder
from suffice.wire.gemini_frames import ArraySplitter
from suffice.wire.translate import Pump

_FINISH = re.compile(rb'"(?:finishReason|blockReason)"\s*:\s*"([A-Z_]+)"')
_ERROR = re.compile(rb'"error"\s*:\s*\{')
_COMMENT = re.compile(rb"(?:\A|[\r\n]):")
# What an answer of the dialect may begin with or consist of.
_OURS = re.compile(rb'"(?:candidates|usageMetadata|promptFeedback|modelVersion|responseId|error)"')
_KEEP = 8 * 1024 * 1024
_WORDS = {"end": "stop", "length": "length", "content_filter": "content_filter"}


class GeminiRelay:
    """Reader of one upstream stream whose dialect is the client's own. `array`: the client asked for the JSON array.

    After each `feed`: `started` is true once an event came, `failure` holds the error object of an error event,
    `finish_reason` the last reason in OpenAI's word (`tool_calls` when the answer has calls), `done` is true once it came.
    """

    def __init__(self, *, array: bool = False) -> None:
        self._splitter = ArraySplitter() if array else None
        self._ended = False
        self._whole = sse.WholeEvents()
        self._kept: list[bytes] = []
        self._kept_size = 0
        self._last_usage = b""
        self._native = ""
        self._calls = False
        self.started = False
        self.failure: Any = None
        self.data_events = 0

    def feed(self, chunk: bytes) -> bytes:
        """Return the bytes to send on now. Raises WireError."""
        if self._splitter is not None:
            return self._elements(self._splitter, chunk)
        data = self._whole.feed(chunk)
        return self._events(data) if data else b""

    def close(self) -> bytes:
        """Return what a stream that ended without a blank line left behind, completed."""
        data = self._whole.close()
        return self._events(data) if data else b""

    def _elements(self, splitter: ArraySplitter, chunk: bytes) -> bytes:
        out: list[bytes] = []
        for element in splitter.feed(chunk):
            out.append((b",\r\n" if self.started else b"[") + element)
            self._look(element, [element])
        if splitter.closed and not self._ended:
            self._ended = True
            out.append(b"]" if self.started else b"[]")
        return b"".join(out)

    def _events(self, data: bytes) -> bytes:
        if b"data" not in data:
            return b""
        if _COMMENT.search(data) is not None:
            data = b"".join(sse.encode(event.data, event.name) for event in sse.Decoder().feed(data))
            if not data:
                return b""
        if data.count(b"\n") == 2 and data.startswith(b"data: ") and b"\r" not in data:
            payloads = [data[6:-2]]
        else:
            payloads = [event.data for event in sse.Decoder().feed(data)]
        if not all(_OURS.search(payload) for payload in payloads):
            # gemini-cli ends at an event that is no answer; one that is no JSON is left for the complaint about it.
            payloads = [payload for payload in payloads if _OURS.search(payload) or not _is_json(payload)]
            data = b"".join(sse.encode(payload) for payload in payloads)
            if not payloads:
                return b""
        self._look(data, payloads)
        return data

    def _look(self, data: bytes, payloads: list[bytes]) -> None:
        for payload in payloads:
            if not _is_json(payload):
                raise WireError("the provider sent an event that is not JSON")
            if b'"usageMetadata"' in payload:
                self._last_usage = payload
            if self._kept_size < _KEEP:
                self._kept.append(payload)
                self._kept_size += len(payload)
        self.started = True
        self.data_events += len(payloads)
        self._calls = self._calls or b'"functionCall"' in data
        for found in _FINISH.findall(data):
            self._native = found.decode()
        if _ERROR.search(data) is not None:
            for payload in payloads:
                decoded = _decode(payload)
                if isinstance(decoded, dict) and decoded.get("error") and not decoded.get("candidates"):
                    self.failure = decoded["error"]

    @property
    def done(self) -> bool:
        """True once a finish reason came, or the reason why the prompt was blocked; for an array, once it is closed too."""
        return bool(self._native) and (self._splitter is None or self._splitter.closed)

    @property
    def finished(self) -> bool:
        """The same: the dialect has no terminator of its own."""
        return self.done

    @property
    def finish_reason(self) -> str:
        """The last finish reason in OpenAI's word, "" before it came."""
        if not self._native:
            return ""
        word = _WORDS.get(STOPS.get(self._native, "other"), "content_filter")
        return "tool_calls" if self._calls and word == "stop" else word

    def usage(self) -> Usage | None:
        """Return the provider's last usage report, or None."""
        decoded = _decode(self._last_usage)
        return usage.from_gemini(decoded.get("usageMetadata")) if isinstance(decoded, dict) else None

    def answer(self) -> Answer:
        """Return the whole answer, put together from the events that were kept."""
        return _answer(self._kept)

    def keep_alive(self) -> bytes:
        """Return nothing: clients of this dialect take no filler."""
        return b""


def whole(body: bytes) -> tuple[Any, Answer, Usage | None]:
    """Return (error object or None, the answer, the usage or None) of a non-streaming body. Raises WireError."""
    decoded = _decode(body)
    if not isinstance(decoded, dict):
        raise WireError("the provider's answer is not a JSON object")
    if decoded.get("error") and not decoded.get("candidates"):
        return decoded["error"], Answer(), None
    if not isinstance(decoded.get("candidates"), list) and not isinstance(decoded.get("promptFeedback"), dict):
        raise WireError("the provider's answer has no candidates")
    return None, _answer([body]), usage.from_gemini(decoded.get("usageMetadata"))


def _answer(payloads: list[bytes]) -> Answer:
    decoder, pump = GeminiDecoder(Target(model="")), Pump(Emulation())
    try:
        for payload in payloads:
            pump.push(decoder.feed(b"data: " + payload.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"))
        pump.push(decoder.close())
    except WireError:
        pass  # what could be read is the answer; the bytes themselves went on untouched
    return pump.answer()


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
