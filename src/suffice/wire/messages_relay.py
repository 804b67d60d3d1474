"""Pass-through of Anthropic Messages answers: bytes go on as they came, and what matters is read beside them.

The same interface as `wire.chat_relay.ChatRelay`. Whole events are forwarded; those that tell something (begin, usage, end,
errors) are decoded, deltas are only checked to be JSON. A provider that leaves out the `event:` lines gets them added, because
the dialect's own SDK reads nothing else. It is pure.

Invariant: `done` is true only once `message_stop` came; a stream without it is not finished.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suffice.errors import SufficeError, WireError
from suffice.values.usage import Usage
from suffice.wire import errors, sse, usage
from suffice.wire.chat_relay import Answer
from suffice.wire.codec import Emulation, Target
from suffice.wire.frames import Frames
from suffice.wire.messages_answer import MessagesDecoder
from suffice.wire.messages_client import PING
from suffice.wire.translate import Pump

_TELLING = re.compile(rb'"type"\s*:\s*"(?:message_start|message_delta|message_stop|error)"')
_TYPE = re.compile(rb'\A\s*\{\s*"type"\s*:\s*"([a-z_]{1,64})"')
# Every type of event that the dialect's documentation has.
_KNOWN = frozenset(
    b"message_start content_block_start content_block_delta content_block_stop message_delta message_stop ping error".split()
)
_WORD = re.compile(rb"[a-z_]{1,64}")
_NAMED = re.compile(rb"(?:^|[\r\n])event:")
_KEEP = 8 * 1024 * 1024
_raw = msgspec.json.Decoder(msgspec.Raw).decode
_any = msgspec.json.Decoder().decode


class MessagesRelay:
    """Reader of one upstream event stream whose client speaks the same dialect.

    After each `feed`: `started` once a real event was seen, `failure` the error object of an `error` event, `done` once
    `message_stop` came. A `strict` client ends on an event of a type that it does not know: it is not shown any. Nobody is shown one
    that is no object.
    """

    quiet = False

    def __init__(self, request_id: str = "", *, strict: bool = False) -> None:
        self._request_id = request_id
        self._strict = strict
        self._whole = sse.WholeEvents()
        self._kept: list[bytes] = []
        self._kept_size = 0
        self._report: dict[str, Any] = {}
        self._counted = False
        self.started = False
        self.done = False
        self.failure: Any = None
        self.finish_reason = ""
        self.data_events = 0

    def feed(self, chunk: bytes) -> bytes:
        """Return the bytes to send on now: `chunk`'s complete events. Raises WireError."""
        data = self._whole.feed(chunk)
        return self._events(data) if data else b""

    def close(self) -> bytes:
        """Return what a stream that ended without a blank line left behind, completed."""
        data = self._whole.close()
        return self._events(data) if data else b""

    def _events(self, data: bytes) -> bytes:
        if b"data:" not in data:
            return data  # comments only: they keep the connection alive, and do not count as progress
        payloads = Frames().feed(data)
        for payload in payloads:
            try:
                if _TELLING.search(payload) is not None or (b'"error"' in payload and _TYPE.match(payload) is None):
                    self._note(_any(payload))
                elif payload != sse.DONE:
                    _raw(payload)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                raise WireError("the provider sent an event that is not JSON") from None
        self.started = self.started or bool(payloads)
        self.data_events += len(payloads)
        if self._kept_size < _KEEP:
            self._kept.append(data)
            self._kept_size += len(data)
        if (shown := [p for p in payloads if self._shows(p)]) != payloads:
            return _named(shown)
        return data if len(_NAMED.findall(data)) >= len(payloads) else _named(payloads)

    def _shows(self, payload: bytes) -> bool:
        if self._strict:
            return _type_of(payload) in _KNOWN
        return payload.lstrip().startswith(b"{") or payload == sse.DONE

    def _note(self, event: Any) -> None:
        if not isinstance(event, dict):
            raise WireError("the provider sent an event that is no object")
        kind = event.get("type")
        if kind == "message_start":
            message = event.get("message")
            self._count(message.get("usage") if isinstance(message, dict) else None)
        elif kind == "message_delta":
            self._count(event.get("usage"))
            self._counted = self._counted or isinstance(event.get("usage"), dict)
            delta = event.get("delta")
            if isinstance(delta, dict) and delta.get("stop_reason"):
                self.finish_reason = str(delta["stop_reason"])
        elif kind == "message_stop":
            self.done = True
        elif kind == "error" or (kind is None and event.get("error")):
            # A proxy's error in another dialect's form is no less the end.
            self.failure = event.get("error") or {"message": "the provider reported an error"}

    def _count(self, report: Any) -> None:
        if isinstance(report, dict):
            self._report |= {k: v for k, v in report.items() if v is not None}

    @property
    def finished(self) -> bool:
        """True when the stream said that it is complete."""
        return self.done

    def usage(self) -> Usage | None:
        """Return the provider's usage report, or None while the output has not been counted."""
        return usage.from_anthropic(self._report) if self._counted else None

    def answer(self) -> Answer:
        """Return the whole answer, put together from the events that were kept."""
        decoder, pump = MessagesDecoder(Target(model="")), Pump(Emulation())
        try:
            for data in self._kept:
                pump.push(decoder.feed(data))
        except WireError:
            pass  # what was read before the fault is what is known
        return pump.answer()

    def keep_alive(self) -> bytes:
        """Return the dialect's own sign of life."""
        return PING

    def fail(self, error: SufficeError) -> bytes:
        """Return the bytes that end the client's stream honestly."""
        return errors.frame(errors.MESSAGES, error, self._request_id)


def whole(body: bytes) -> tuple[Any, Answer, Usage | None]:
    """Return (error object or None, the answer, the usage or None) of a complete message. Raises WireError."""
    pump = Pump(Emulation())
    pump.push(MessagesDecoder(Target(model="")).whole(body))
    if pump.failure is not None and pump.failure.value is not None and not pump.invalid:
        return pump.failure.value, pump.answer(), pump.usage()
    return None, pump.answer(), pump.usage()


def _named(payloads: list[bytes]) -> bytes:
    return b"".join(b"event: " + _type_of(payload) + b"\ndata: " + payload + b"\n\n" for payload in payloads)


def _type_of(payload: bytes) -> bytes:
    """Return the type of an event that was read already: as a rule it stands first, and nothing need be decoded."""
    found = _TYPE.match(payload)
    if found is not None:
        return found.group(1)
    event = None if payload == sse.DONE else _any(payload)
    kind = str(event.get("type") if isinstance(event, dict) else "").encode()
    return kind if _WORD.fullmatch(kind) else b"message"
