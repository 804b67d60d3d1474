"""Fill in the middle, answers written in the client's own shape, streaming and not.

`completions`: text_completion chunks and `[DONE]`; `fim`: chat.completion chunks and `[DONE]` (Mistral); `infill`: llama.cpp's
pieces, the last with `stop: true` and without terminator. As everywhere, the finish is written for `Done` alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from suffice.errors import SufficeError, WireError
from suffice.values.usage import Usage
from suffice.wire import errors, sse
from suffice.wire.chat_client import FINISH, usage_row
from suffice.wire.fim import FimRequest
from suffice.wire.neutral import Done, Event, Failure, Start, Stop, TextDelta, UsageReport

_json = msgspec.json.Encoder().encode
_STOP_TYPES = {"length": "limit", "context_length": "limit", "stop_sequence": "word"}


class FimContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer must know: the client's request, an id and a time (seconds since the epoch) for when none came."""

    request: FimRequest
    response_id: str = ""
    created_s: int = 0
    request_id: str = ""


class FimEncoder:
    """`codec.StreamEncoder` of the three shapes."""

    def __init__(self, context: FimContext) -> None:
        self._context = context
        self._shape = context.request.shape
        self._start = Start()
        self._stop = Stop(reason="end")
        self._usage: Usage | None = None
        self._over = False
        self._first = True

    def feed(self, event: Event) -> bytes:
        """Return the bytes for `event`."""
        if self._over:
            return b""
        if isinstance(event, Start):
            self._start = event
        elif isinstance(event, UsageReport):
            self._usage = event.usage
        elif isinstance(event, Stop):
            self._stop = event
        elif isinstance(event, TextDelta):
            return sse.encode(self._piece(event.text))
        elif isinstance(event, Done):
            return self._finish()
        return b""

    def _piece(self, text: str, finish: str | None = None) -> bytes:
        if self._shape == "infill":
            return _json({"index": 0, "content": text, "tokens": [], "stop": False, "id_slot": 0})
        row = _head(self._context, self._start, chunk=True)
        if self._shape == "completions":
            choice: dict[str, Any] = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
        else:
            role = {"role": "assistant"} if self._first else {}
            choice = {"index": 0, "delta": {**role, "content": text}, "finish_reason": finish}
            self._first = False
        row["choices"] = [choice]
        return _json(row)

    def _finish(self) -> bytes:
        self._over = True
        if self._shape == "infill":
            last = _llama("", self._context, self._start, self._stop, self._usage)
            return sse.encode(_json(_chosen(last, self._context.request.fields)))
        finish = self._piece("", FINISH[self._stop.reason])
        usage = self._usage if self._context.request.include_usage else None
        if usage is not None and self._shape == "fim":
            # Mistral puts the count into the last piece, OpenAI into one of its own.
            finish = finish[:-1] + b',"usage":' + _json(usage_row(usage)) + b"}"
        out = sse.encode(finish)
        if usage is not None and self._shape == "completions":
            row = _head(self._context, self._start, chunk=True)
            out += sse.encode(_json(row | {"choices": [], "usage": usage_row(usage)}))
        return out + sse.encode(sse.DONE)

    def keep_alive(self) -> bytes:
        """Return a comment, nothing for llama.cpp's clients, which read line by line."""
        return b"" if self._over or self._shape == "infill" else sse.COMMENT

    def fail(self, error: SufficeError) -> bytes:
        """Return the error event that ends the stream; no terminator follows it."""
        if self._over:
            return b""
        self._over = True
        return errors.frame(errors.COMPLETIONS, error, self._context.request_id)


def encode_response(events: Iterable[Event], context: FimContext) -> bytes:
    """Return the body of a whole answer. Raises WireError for a Failure or when Done is missing."""
    text: list[str] = []
    start, stop, usage, done = Start(), Stop(reason="end"), None, False
    for event in events:
        if isinstance(event, Failure):
            raise WireError(event.message)
        if isinstance(event, TextDelta):
            text.append(event.text)
        elif isinstance(event, Start):
            start = event
        elif isinstance(event, Stop):
            stop = event
        elif isinstance(event, UsageReport):
            usage = event.usage
        done = done or isinstance(event, Done)
    if not done:
        raise WireError("the provider's answer is not complete")
    said, shape = "".join(text), context.request.shape
    if shape == "infill":
        return _json(_chosen(_llama(said, context, start, stop, usage), context.request.fields))
    choice: dict[str, Any] = {"index": 0, "finish_reason": FINISH[stop.reason]}
    if shape == "completions":
        choice |= {"text": said, "logprobs": None}
    else:
        choice["message"] = {"role": "assistant", "content": said}
    body = _head(context, start, chunk=False) | {"choices": [choice]}
    if usage is not None:
        body["usage"] = usage_row(usage)
    return _json(body)


def warm_answer(context: FimContext) -> list[Event]:
    """Return the events that answer a request to write nothing (`FimRequest.warm_up`), for `FimEncoder` or `encode_response`."""
    return [Start(id=context.response_id, model=context.request.model), Stop(reason="length"), Done()]


def _head(context: FimContext, start: Start, *, chunk: bool) -> dict[str, Any]:
    kind = (
        "text_completion" if context.request.shape == "completions" else "chat.completion" + (".chunk" if chunk else "")
    )
    return {
        "id": start.id or context.response_id,
        "object": kind,
        "created": start.created_s or context.created_s,
        "model": start.model or context.request.model,
    }


def _llama(text: str, context: FimContext, start: Start, stop: Stop, usage: Usage | None) -> dict[str, Any]:
    counted = usage or Usage()
    return {
        "index": 0,
        "content": text,
        "id_slot": 0,
        "stop": True,
        "model": start.model or context.request.model,
        "tokens_predicted": counted.completion_tokens,
        "tokens_evaluated": counted.prompt_tokens,
        "tokens_cached": counted.cache_read_tokens,
        "truncated": False,
        "stop_type": _STOP_TYPES.get(stop.reason, "eos"),
        "stopping_word": stop.sequence,
        "timings": {
            "prompt_n": counted.prompt_tokens - counted.cache_read_tokens,
            "predicted_n": counted.completion_tokens,
        },
    }


def _chosen(row: dict[str, Any], wanted: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields that a client asked for; `a/b` names a field inside one and stands flat in the answer."""
    if not wanted:
        return row
    out: dict[str, Any] = {}
    for name in wanted:
        value: Any = row
        for step in name.split("/"):
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            out[name] = value
    return out
