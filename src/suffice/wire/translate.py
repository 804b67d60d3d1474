"""The pump between a provider's answer and the client: decoder -> rules that hold for every pair of dialects -> encoder.

What it guarantees: no part of a tool call leaves before the provider finished the whole answer well; arguments are valid
JSON ({} when empty); calls have ids; disguised tools get their client's names back; the stop is `tool_calls` exactly when
there are calls; `Done` reaches the encoder only when the provider said it. From the first tool event on everything is held,
so a stream that dies inside or between calls can still fail over when nothing was visible, or end as an honest error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from suffice.errors import SufficeError, WireError
from suffice.values.usage import Usage
from suffice.wire.chat_client import FINISH
from suffice.wire.chat_relay import Answer
from suffice.wire.codec import (
    ClientCodec,
    ClientContext,
    Emulation,
    ProviderCodec,
    StreamDecoder,
    StreamEncoder,
    Target,
)
from suffice.wire.disguise import unwrap_input
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    ReasoningDelta,
    ReasoningEnd,
    Start,
    Stop,
    TextDelta,
    ToolCall,
    ToolDelta,
    ToolEnd,
    ToolReady,
    ToolStart,
    UsageReport,
)

_KEEP = 8 * 1024 * 1024
_MAX_HELD = 64 * 1024 * 1024
INVALID_TOOL_CALL = "invalid_tool_call"


class Pump:
    """Events of a provider in, events for the client's encoder out; remembers what verdicts and the ledger need.

    `invalid` are whole calls whose arguments are not JSON: with any of them a finished answer becomes a Failure with code
    `invalid_tool_call`; when the output limit cut the answer they are left out, as the client sees `length`.
    """

    def __init__(self, emulation: Emulation, response_id: str = "") -> None:
        self._emulation = emulation
        self._response_id = response_id
        self._open: dict[int, tuple[ToolStart, list[str]]] = {}
        self._held: list[Event] = []
        self._holding = False
        self._shown = False
        self._held_size = 0
        self._count = 0
        self._text: list[str] = []
        self._thought: list[str] = []
        self._size = 0
        self._start = Start()
        self._stop: Stop | None = None
        self._usage: Usage | None = None
        self._thinking: list[Event] = []
        self.calls: list[ToolCall] = []
        self.invalid: list[ToolCall] = []
        self.failure: Failure | None = None
        self.done = False

    @property
    def visible(self) -> bool:
        """True once text or thinking has been let through."""
        return bool(self._text or self._thought) if not self._holding else self._shown

    def push(self, events: Iterable[Event]) -> list[Event]:
        """Return the events that may go to the client now."""
        out: list[Event] = []
        for event in events:
            if self.done or self.failure is not None:
                break
            if type(event) is TextDelta and not self._holding:
                if self._size < _KEEP:
                    self._size += len(event.text)
                    self._text.append(event.text)
                out.append(event)
            else:
                self._other(event, out)
        return out

    def _other(self, event: Event, out: list[Event]) -> None:
        if isinstance(event, ToolStart):
            if not self._holding:
                self._shown = bool(self._text or self._thought)
            self._holding = True
            self._open[event.index] = (event, [])
        elif isinstance(event, ToolDelta):
            self._grow(len(event.text))
            if event.index in self._open:
                self._open[event.index][1].append(event.text)
        elif isinstance(event, ToolEnd):
            self._end(event)
        elif isinstance(event, Failure):
            self.failure = event
        elif isinstance(event, UsageReport):
            self._usage = None if event.partial else event.usage
            self._pass(event, out)
        elif isinstance(event, Stop):
            self._stop = event
        elif isinstance(event, Done):
            self._finish(out)
        else:
            self._note(event)
            self._pass(event, out)

    def _pass(self, event: Event, out: list[Event]) -> None:
        if self._holding:
            self._held.append(event)
        else:
            out.append(event)

    def _grow(self, size: int) -> None:
        self._held_size += size
        if self._held_size > _MAX_HELD:
            raise WireError("the provider's tool calls are too long", code="upstream_too_large", retryable=False)

    def _note(self, event: Event) -> None:
        if isinstance(event, Start):
            self._start = event
        elif isinstance(event, TextDelta):
            self._grow(len(event.text))
            self._text.append(event.text)
        elif isinstance(event, ReasoningDelta):
            self._thinking.append(event)
            self._thought.append(event.text)
            self._size += len(event.text)
        elif isinstance(event, ReasoningEnd):
            self._thinking.append(event)

    def _end(self, event: ToolEnd) -> None:
        found = self._open.pop(event.index, None)
        if found is None:
            return
        start, pieces = found
        arguments = "".join(pieces)
        if start.name == self._emulation.output_tool and start.name:
            text = TextDelta(text=arguments or "{}")
            self._note(text)
            self._held.append(text)
            return
        namespace, name = self._emulation.names.get(start.name, (start.namespace, start.name))
        kind = start.kind
        valid = True
        if start.name in self._emulation.custom and kind == "function":
            kind, arguments = "custom", unwrap_input(arguments)
        elif kind == "function":
            arguments = arguments if arguments.strip() else "{}"
            valid = _is_object(arguments)
        call = ToolCall(
            id=start.id or self._new_id(start.index),
            name=name,
            arguments=arguments,
            kind=kind,
            namespace=namespace,
            signature=start.signature,
            issuer=start.issuer,
        )
        if not valid or not name:
            self.invalid.append(call)
            return
        own = self._apart(call)
        if own is None:
            return
        self.calls.append(own)
        self._held.append(ToolReady(index=self._count, call=own))
        self._count += 1

    def _apart(self, call: ToolCall) -> ToolCall | None:
        """Return the call under an id of its own; None for one that the provider said twice, which must not be done twice."""
        same = [known for known in self.calls if known.id == call.id]
        if not same:
            return call
        if any((k.name, k.kind, k.arguments) == (call.name, call.kind, call.arguments) for k in same):
            return None
        taken = {known.id for known in self.calls}
        number = next(n for n in range(1, len(taken) + 2) if f"{call.id}_{n}" not in taken)
        return msgspec.structs.replace(call, id=f"{call.id}_{number}")

    def _new_id(self, index: int) -> str:
        base = "".join(c for c in self._start.id or self._response_id if c.isalnum())[-24:]
        return f"call_{base}_{index}"

    def _finish(self, out: list[Event]) -> None:
        stop = self._stop or Stop(reason="end")
        cut = stop.reason in ("length", "context_length")
        if (self.invalid or self._open) and not cut:
            name = self.invalid[0].name if self.invalid else next(iter(self._open.values()))[0].name
            self.failure = Failure(
                message=f"the model called the tool {name!r} with arguments that are not a JSON object",
                type="server_error",
                code=INVALID_TOOL_CALL,
                value={"message": f"invalid arguments for tool {name!r}", "code": INVALID_TOOL_CALL},
            )
            return
        if self.calls and stop.reason in ("end", "other", "stop_sequence"):
            stop = msgspec.structs.replace(stop, reason="tool_calls")
        elif not self.calls and stop.reason == "tool_calls":
            stop = msgspec.structs.replace(stop, reason="length" if cut else "end")
        self._stop = stop
        self.done = True
        out += self._held
        self._held = []
        out += (stop, Done())

    # --- what the gateway asks afterwards ---

    @property
    def finish_reason(self) -> str:
        """The stop in OpenAI's word, "" before it came."""
        return FINISH[self._stop.reason] if self._stop else ""

    def usage(self) -> Usage | None:
        """Return the last usage report, None while the output has not been counted."""
        return self._usage

    def reasoning_events(self) -> list[Event]:
        """Return what `reasoning.ReasoningMemory.learn` wants: the thinking, then the calls."""
        return [*self._thinking, *(ToolReady(index=i, call=call) for i, call in enumerate(self.calls))]

    def answer(self) -> Answer:
        """Return the whole answer for the verdicts, as far as it was kept."""
        return Answer(
            text="".join(self._text),
            reasoning="".join(self._thought),
            tool_calls=tuple((c.id, c.name, c.arguments) for c in (*self.calls, *self.invalid)),
            finish_reason=self.finish_reason,
            model=self._start.model,
            response_id=self._start.id,
        )


class StreamTranslator:
    """Upstream bytes in, client bytes out, with the facts that `wire.chat_relay.ChatRelay` gives (`StreamReader`).

    `started`: a content event was seen. `failure`: the provider's error object, or one of ours for an invalid call. The bytes
    of an error are not written here: the caller fails over, or ends the client's stream with `fail`.
    """

    def __init__(self, decoder: StreamDecoder, encoder: StreamEncoder, pump: Pump) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self.pump = pump
        self.started = False
        self.data_events = 0

    def feed(self, chunk: bytes) -> bytes:
        """Return the bytes for the client. Raises WireError."""
        return self._through(self._decoder.feed(chunk))

    def close(self) -> bytes:
        """Return what the clean end of the upstream's bytes completes; never a success that the provider did not say."""
        return self._through(self._decoder.close())

    def _through(self, events: list[Event]) -> bytes:
        if not events:
            return b""
        self.started = True
        self.data_events += len(events)
        encode = self._encoder.feed
        passed = self.pump.push(events)
        if len(passed) == 1:
            return encode(passed[0])
        return b"".join([encode(event) for event in passed])

    def keep_alive(self) -> bytes:
        """Return bytes that keep the client's connection alive, b"" where its dialect takes none."""
        return self._encoder.keep_alive()

    def fail(self, error: SufficeError) -> bytes:
        """Return the bytes that end the client's stream honestly."""
        return self._encoder.fail(error)

    @property
    def quiet(self) -> bool:
        """True while the client has seen no text and no thinking: all there is are held tool calls, or the begin."""
        pump = self.pump
        return not (pump.visible or pump.done or pump.failure is not None)

    @property
    def done(self) -> bool:
        """True once the provider said that the answer is complete."""
        return self.pump.done

    @property
    def finished(self) -> bool:
        """The same: a translated stream has no other way to be finished."""
        return self.pump.done

    @property
    def failure(self) -> Any:
        """The provider's error object, or None."""
        failed = self.pump.failure
        return None if failed is None else (failed.value or {"message": failed.message, "code": failed.code})

    @property
    def finish_reason(self) -> str:
        """The stop in OpenAI's word, "" before it came."""
        return self.pump.finish_reason

    def usage(self) -> Usage | None:
        """Return the provider's last usage report."""
        return self.pump.usage()

    def answer(self) -> Answer:
        """Return the whole answer as far as it was kept."""
        return self.pump.answer()


def stream(
    provider: ProviderCodec, client: ClientCodec, target: Target, context: ClientContext, emulation: Emulation
) -> StreamTranslator:
    """Return the translator of one stream."""
    pump = Pump(emulation, context.response_id)
    return StreamTranslator(provider.stream_decoder(target), client.stream_encoder(context), pump)


def whole(
    provider: ProviderCodec,
    client: ClientCodec,
    body: bytes,
    target: Target,
    context: ClientContext,
    emulation: Emulation,
) -> tuple[bytes, Any, Pump]:
    """Return (client's body or b"" on failure, the provider's error object or None, the pump with answer and usage).

    Raises WireError when `body` breaks the provider's format or is not complete.
    """
    pump = Pump(emulation, context.response_id)
    events = pump.push(provider.decode_response(body, target))
    if pump.failure is not None:
        failed = pump.failure
        return b"", failed.value or {"message": failed.message, "code": failed.code}, pump
    return client.encode_response(events, context), None, pump


def _is_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
