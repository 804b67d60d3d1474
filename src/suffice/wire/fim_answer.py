"""Fill in the middle, answers read: any of the three forms in which providers give them, into neutral events.

A provider may answer as a text completion, as a chat completion (Codestral) or in llama.cpp's own form; each payload shows
which. `FenceFilter` takes off what chat models wrap around code although they were asked not to.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.values.usage import Usage
from suffice.wire import usage
from suffice.wire.chat_answer import STOPS
from suffice.wire.codec import StreamDecoder, Target
from suffice.wire.frames import Frames
from suffice.wire.neutral import Done, Event, Failure, Start, Stop, StopReason, TextDelta, UsageReport
from suffice.wire.payload_decoder import PayloadDecoder

_LLAMA_STOPS: dict[str, StopReason] = {"eos": "end", "limit": "length", "word": "stop_sequence", "none": "end"}


class FimDecoder(PayloadDecoder):
    """`codec.StreamDecoder` of fill-in-the-middle answers."""

    def __init__(self, target: Target) -> None:
        super().__init__(Frames())
        self._target = target
        self._begun = False
        self._stop: Stop | None = None
        self._over = False

    def _at_end(self, out: list[Event]) -> None:
        if self._stop is not None:
            self._finish(out)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole answer. Raises WireError."""
        out: list[Event] = []
        self._object(_read(body), out, whole=True)
        if not self._over:
            if self._stop is None:
                raise WireError("the provider's answer has no finish reason")
            self._finish(out)
        return out

    @property
    def stopped(self) -> bool:
        """True once the provider has given a reason to stop."""
        return self._stop is not None

    def _payload(self, payload: bytes, out: list[Event]) -> None:
        if self._over or not payload:
            return
        if payload == b"[DONE]":
            if self._stop is not None:
                self._finish(out)
            return
        self._object(_read(payload), out)

    def _object(self, row: dict[str, Any], out: list[Event], *, whole: bool = False) -> None:
        if row.get("error"):
            error = row["error"]
            value = error if isinstance(error, dict) else {"message": str(error)}
            self._over = True
            message = str(value.get("message") or "the provider reported an error")
            out.append(Failure(message=message, code=str(value.get("code") or ""), value=value))
            return
        if not self._begun:
            self._begun = True
            created = row.get("created")
            start = Start(
                id=str(row.get("id") or ""),
                model=str(row.get("model") or self._target.model),
                created_s=int(created) if isinstance(created, int | float) else 0,
            )
            out.append(start)
        if isinstance(row.get("choices"), list):
            self._choice(row["choices"], out)
        elif isinstance(row.get("content"), str):
            self._llama(row, out, whole)
        elif not row.get("usage"):
            raise WireError("the provider's answer has neither choices nor content")
        found = usage.from_chat(row.get("usage"))
        if found is not None:
            out.append(UsageReport(usage=found))

    def _choice(self, choices: list[Any], out: list[Event]) -> None:
        choice = choices[0] if choices else {}
        if not isinstance(choice, dict):
            raise WireError("the provider's choice is not an object")
        inner = choice.get("delta") or choice.get("message")
        text = inner.get("content") if isinstance(inner, dict) else choice.get("text")
        if isinstance(text, list):
            text = "".join(str(part.get("text") or "") for part in text if isinstance(part, dict))
        if isinstance(text, str) and text:
            out.append(TextDelta(text=text))
        elif text is not None and not isinstance(text, str):
            raise WireError("the provider's text is not a string")
        if choice.get("finish_reason"):
            native = str(choice["finish_reason"])
            self._stop = Stop(reason=STOPS.get(native, "other"), native=native)

    def _llama(self, row: dict[str, Any], out: list[Event], whole: bool) -> None:
        if row["content"]:
            out.append(TextDelta(text=row["content"]))
        if row.get("stop") is True or whole:
            native = str(row.get("stop_type") or ("limit" if row.get("stopped_limit") else "eos"))
            sequence = row.get("stopping_word")
            self._stop = Stop(
                reason=_LLAMA_STOPS.get(native, "other"),
                native=native,
                sequence=sequence if isinstance(sequence, str) else "",
            )
            found = _llama_usage(row)
            if found is not None:
                out.append(UsageReport(usage=found))

    def _finish(self, out: list[Event]) -> None:
        if not self._over:
            self._over = True
            out += (self._stop or Stop(reason="end"), Done())


def _llama_usage(row: dict[str, Any]) -> Usage | None:
    timings = row.get("timings")
    timings = timings if isinstance(timings, dict) else {}
    prompt = row.get("tokens_evaluated")
    fresh = timings.get("prompt_n", prompt)
    written = row.get("tokens_predicted", timings.get("predicted_n"))
    counts = {"prompt_tokens": prompt if prompt is not None else fresh, "completion_tokens": written}
    if isinstance(prompt, int) and isinstance(fresh, int) and 0 <= fresh <= prompt:
        counts["prompt_tokens_details"] = {"cached_tokens": prompt - fresh}
    return usage.from_chat(counts)


def _read(payload: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise WireError("the provider sent an event that is not a JSON object")
    return value


class FenceFilter:
    """Takes a code fence off the text of a chat answer, as it streams: the opening line, and the closing one at the end."""

    def __init__(self) -> None:
        self._held = ""
        self._open = False
        self._settled = False

    def feed(self, event: Event) -> list[Event]:
        """Return the events that may go on now."""
        if isinstance(event, TextDelta):
            text = self._text(event.text)
            return [TextDelta(text=text)] if text else []
        if isinstance(event, Stop):
            rest = self._rest()
            return [TextDelta(text=rest), event] if rest else [event]
        return [event]

    def _text(self, text: str) -> str:
        self._held += text
        if not self._settled:
            start = self._held.lstrip("\n")
            if len(start) < 3 and "```".startswith(start):
                return ""
            self._open = start.startswith("```")
            if self._open:
                _, newline, rest = start.partition("\n")
                if not newline:
                    return ""
                self._held = rest
            self._settled = True
        if not self._open:
            out, self._held = self._held, ""
            return out
        # Hold back what may be the closing line.
        keep = self._held.rfind("\n```")
        if keep < 0:
            tail = next((n for n in (3, 2, 1) if self._held.endswith("\n```"[:n])), 0)
            keep = len(self._held) - tail
        out, self._held = self._held[:keep], self._held[keep:]
        return out

    def _rest(self) -> str:
        held, self._held = self._held, ""
        if self._open and self._settled and held.strip() == "```":
            return ""
        if self._open and not self._settled:
            return ""
        return held


class ChatMiddle:
    """`codec.StreamDecoder` for a chat model that fills in: its own decoder, thinking left out, the fence taken off."""

    def __init__(self, decoder: StreamDecoder) -> None:
        self._decoder = decoder
        self._fence = FenceFilter()

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes. Raises WireError."""
        return self.through(self._decoder.feed(chunk))

    def close(self) -> list[Event]:
        """Return the rest."""
        return self.through(self._decoder.close())

    def through(self, events: list[Event]) -> list[Event]:
        """Return the events of a filled-in text among those of a chat answer."""
        wanted = (Start, TextDelta, UsageReport, Stop, Done, Failure)
        return [out for event in events if isinstance(event, wanted) for out in self._fence.feed(event)]
