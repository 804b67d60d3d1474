"""Pass-through of OpenAI Responses answers: bytes go on as they came, and what matters is read beside them.

The same interface as `wire.chat_relay.ChatRelay`. Whole events are forwarded; only the few that tell something (items that
ended, the terminal event, errors) are decoded, deltas are only checked to be JSON. It is pure.

Invariant: `done` is true only once the provider's own terminal event came; a stream without one is not finished.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.values.usage import Usage
from suffice.wire import sse, usage
from suffice.wire.chat_relay import Answer
from suffice.wire.responses_items import items_of
from suffice.wire.responses_upstream_stream import failure

_TELLING = re.compile(
    rb'"type"\s*:\s*"(?:response\.(?:created|completed|incomplete|failed|output_item\.done)|error)"|"error"\s*:\s*[{"]'
)
_DELTA = re.compile(rb'"type"\s*:\s*"response\.output_text\.delta"')
_OWN = re.compile(rb'\A\s*\{\s*"type"\s*:\s*"(?:response\.|error")')
_SEQUENCE = re.compile(rb'"sequence_number"\s*:\s*([0-9]{1,15})')
_KEEP = 8 * 1024 * 1024
_TERMINAL = ("response.completed", "response.incomplete", "response.failed")


class ResponsesRelay:
    """Reader of one upstream event stream whose client speaks the same dialect.

    After each `feed`: `started` once a real event was seen, `failure` the error object of an `error` or `response.failed` event,
    `done` once a good terminal event came. `encrypted`: opaque reasoning states seen, to remember whose they are.
    `response` is the terminal event's response object, for the store. `next_sequence` is the number that an event of ours
    would carry. A `strict` client ends on an event that is none of the dialect's: it is not shown any. Nobody is shown one that is no
    object.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._whole = sse.WholeEvents()
        self._text: list[str] = []
        self._items: list[dict[str, Any]] = []
        self._size = 0
        self._usage: Usage | None = None
        self._model = self._id = ""
        self.started = False
        self.done = False
        self.failure: Any = None
        self.finish_reason = ""
        self.data_events = 0
        self.encrypted: list[str] = []
        self.response: dict[str, Any] | None = None
        self.next_sequence = 0

    def feed(self, chunk: bytes) -> bytes:
        """Return the bytes to send on now: `chunk`'s complete events. Raises WireError."""
        data = self._whole.feed(chunk)
        return self._events(data) if data else b""

    def close(self) -> bytes:
        """Return what a stream that ended without a blank line left behind, completed."""
        data = self._whole.close()
        return self._events(data) if data else b""

    def _events(self, data: bytes) -> bytes:
        if b"data" not in data:
            return data  # comments only
        foreign = False
        events = sse.Decoder().feed(data)
        for event in events:
            if event.is_done:
                continue
            self.data_events += 1
            self.started = True
            self._event(event.data)
            foreign = foreign or not self._shows(event.data)
        if not foreign:
            return data
        return b"".join(sse.encode(e.data, e.name) for e in events if e.is_done or self._shows(e.data))

    def _shows(self, data: bytes) -> bool:
        return _is_own(data) if self._strict else data.lstrip().startswith(b"{")

    def _event(self, data: bytes) -> None:
        # The keys stand at the beginning or the end of an event; a text that quotes them only costs a decoding.
        telling = _TELLING.search(data) is not None
        try:
            found = msgspec.json.decode(data) if telling or _DELTA.search(data) else _check(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise WireError("the provider sent an event that is not JSON") from error
        if not isinstance(found, dict):
            return
        number = found.get("sequence_number")
        if isinstance(number, int):
            self.next_sequence = number + 1
        self._note(found)

    def _note(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind == "response.output_text.delta":
            text = event.get("delta")
            if isinstance(text, str) and self._size < _KEEP:
                self._size += len(text)
                self._text.append(text)
        elif kind == "response.output_item.done":
            item = event.get("item")
            if isinstance(item, dict):
                self._item(item)
        elif kind == "error" or (kind is None and event.get("error")):
            self.failure = self.failure or failure(event).value
        elif isinstance(event.get("response"), dict):
            response = event["response"]
            self._model = str(response.get("model") or self._model)
            self._id = str(response.get("id") or self._id)
            if kind in _TERMINAL:
                self._end(str(kind), response)

    def _item(self, item: dict[str, Any]) -> None:
        state = item.get("encrypted_content")
        if isinstance(state, str) and state and item.get("type") == "reasoning":
            self.encrypted.append(state)
        if self._size < _KEEP:
            self._size += len(str(item.get("arguments") or item.get("input") or ""))
            self._items.append(item)

    def _end(self, kind: str, response: dict[str, Any]) -> None:
        self.response = response
        self._usage = usage.from_responses(response.get("usage")) or self._usage
        if kind == "response.failed":
            self.failure = self.failure or failure(response).value
            return
        self.done = True
        if not self._items and not self._text:
            for item in items_of(response):
                self._item(item)
        self.finish_reason = finish_reason(response, self._items)

    @property
    def finished(self) -> bool:
        """True when the stream said that it is complete."""
        return self.done

    def usage(self) -> Usage | None:
        """Return the usage of the terminal event, or None when there was none."""
        return self._usage

    def answer(self) -> Answer:
        """Return the whole answer as far as it was kept."""
        return join_items(
            self._items,
            text="".join(self._text),
            finish_reason=self.finish_reason,
            model=self._model,
            response_id=self._id,
        )


def _check(data: bytes) -> dict[str, Any] | None:
    msgspec.json.decode(data, type=msgspec.Raw)
    number = _SEQUENCE.search(data)
    return {"sequence_number": int(number[1])} if number else None


def _is_own(data: bytes) -> bool:
    """Tell whether an event that was read already is one of the dialect's: every type begins with `response.`, or is `error`."""
    if _OWN.match(data) is not None:
        return True
    event = msgspec.json.decode(data)
    kind = str(event.get("type") or "") if isinstance(event, dict) else ""
    return kind.startswith("response.") or kind == "error"


def finish_reason(response: dict[str, Any], items: list[dict[str, Any]]) -> str:
    """Return why the answer ended, in the words of chat: stop, length, content_filter, tool_calls."""
    details = response.get("incomplete_details")
    why = details.get("reason") if isinstance(details, dict) else None
    if why or response.get("status") == "incomplete":
        return "content_filter" if why == "content_filter" else "length"
    called = any(item.get("type") in ("function_call", "custom_tool_call") for item in items)
    return "tool_calls" if called else "stop"


def join_items(items: list[dict[str, Any]], *, text: str, finish_reason: str, model: str, response_id: str) -> Answer:
    """Return the answer of output items; `text` counts when it is not empty, else the messages' own."""
    said: list[str] = []
    thought: list[str] = []
    calls: list[tuple[str, str, str]] = []
    for item in items:
        kind = item.get("type")
        if kind == "message":
            said += _texts(item.get("content"))
        elif kind == "reasoning":
            thought += _texts(item.get("summary")) or _texts(item.get("content"))
        elif kind in ("function_call", "custom_tool_call"):
            arguments = item.get("arguments") if kind == "function_call" else item.get("input")
            calls.append((str(item.get("call_id") or ""), str(item.get("name") or ""), str(arguments or "")))
    return Answer(
        text=text or "".join(said),
        reasoning="\n\n".join(thought),
        tool_calls=tuple(calls),
        finish_reason=finish_reason,
        model=model,
        response_id=response_id,
    )


def _texts(rows: Any) -> list[str]:
    found = [row.get("text") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [text for text in found if isinstance(text, str) and text]


def whole(body: bytes) -> tuple[Any, Answer, Usage | None]:
    """Return (error object or None, the answer, the usage or None) of a body that is not streamed.

    Raises WireError when the body is not a JSON object of the dialect.
    """
    try:
        response = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise WireError("the provider's answer is not JSON") from error
    if not isinstance(response, dict):
        raise WireError("the provider's answer is not a JSON object")
    found = usage.from_responses(response.get("usage"))
    if response.get("error") or response.get("status") == "failed":
        return failure(response).value, Answer(), found
    output = response.get("output")
    if not isinstance(output, list):
        raise WireError("the provider's answer has no output")
    items = [item for item in output if isinstance(item, dict)]
    answer = join_items(
        items,
        text="",
        finish_reason=finish_reason(response, items),
        model=str(response.get("model") or ""),
        response_id=str(response.get("id") or ""),
    )
    return None, answer, found
