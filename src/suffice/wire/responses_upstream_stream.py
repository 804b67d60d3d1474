"""Answers of a Responses provider, read: its event stream or its whole body into neutral events.

Items are told apart by `output_index`, because some servers change an item's id on the way. What a server leaves out of the
stream (deltas, whole items) is taken from the item's end or from the terminal event, and what came once is never given twice.
Invariant: `Done` only after `response.completed` or `response.incomplete`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.wire import responses_tools, usage
from suffice.wire.codec import Target
from suffice.wire.frames import Frames
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningEnd,
    RefusalDelta,
    Start,
    Stop,
    StopReason,
    TextDelta,
    ToolDelta,
    ToolEnd,
    ToolStart,
    UsageReport,
)
from suffice.wire.responses_tools import DIALECT

_decode = msgspec.json.Decoder().decode
_CALLS = ("function_call", "custom_tool_call")


class _Item:
    """One output item: what of it has been told. `index` counts the calls; `said` holds a call's arguments so far."""

    __slots__ = ("done", "index", "parts", "said", "size")

    def __init__(self) -> None:
        self.index = -1
        self.size = 0
        self.parts = 0
        self.done = False
        self.said: list[str] = []


class StreamDecoder:
    """`codec.StreamDecoder` of this dialect."""

    def __init__(self, target: Target) -> None:
        self._issuer = target.issuer
        self._frames = Frames()
        self._items: dict[Any, _Item] = {}
        self._calls = 0
        self._started = False
        self._refused = False
        self._ended = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes. Raises WireError."""
        return self._read(self._frames.feed(chunk))

    def close(self) -> list[Event]:
        """Return the events of a last frame without its blank line. There is no `Done` without a terminal event."""
        return self._read(self._frames.close())

    def _read(self, payloads: list[bytes]) -> list[Event]:
        out: list[Event] = []
        for payload in payloads:
            if payload == b"[DONE]" or self._ended:
                continue
            try:
                event = _decode(payload)
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                raise WireError("the provider sent an event that is not JSON") from error
            if not isinstance(event, dict):
                raise WireError("the provider sent an event that is not a JSON object")
            self._event(event, out)
        return out

    def _event(self, event: dict[str, Any], out: list[Event]) -> None:
        kind = event.get("type")
        if kind == "response.output_text.delta":
            self._text(event, out)
        elif kind == "response.refusal.delta":
            self._slot(event).size += 1
            self._refused = True
            out.append(RefusalDelta(text=_text(event.get("delta"))))
        elif kind in ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"):
            self._arguments(self._slot(event), _text(event.get("delta")), out)
        elif kind == "response.reasoning_summary_text.delta":
            self._thought(event, out, summary=True)
        elif kind in ("response.reasoning_text.delta", "response.reasoning.delta"):
            self._thought(event, out, summary=False)
        elif kind == "response.reasoning_summary_part.added":
            slot = self._slot(event)
            slot.parts += 1
            if slot.parts > 1 and slot.size:
                out.append(ReasoningDelta(text="\n\n", issuer=self._issuer, summary=True))
        elif kind == "response.output_item.added":
            self._added(self._slot(event), event.get("item"), out)
        elif kind == "response.output_item.done":
            self._done(self._slot(event), event.get("item"), out)
        elif kind in ("response.created", "response.in_progress", "response.queued"):
            self._start(event.get("response"), out)
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            self._terminal(event.get("response"), str(kind), out)
        elif kind == "error" or (kind is None and event.get("error")):
            self._ended = True
            out.append(failure(event))

    def _slot(self, event: dict[str, Any]) -> _Item:
        key = event.get("output_index")
        if not isinstance(key, int):
            item = event.get("item")
            key = event.get("item_id") or (item.get("id") if isinstance(item, dict) else None)
        return self._items.setdefault(key if isinstance(key, int | str) else None, _Item())

    def _start(self, response: Any, out: list[Event]) -> None:
        if self._started or not isinstance(response, dict):
            return
        self._started = True
        made = response.get("created_at")
        out.append(
            Start(
                id=_text(response.get("id")),
                model=_text(response.get("model")),
                created_s=int(made) if isinstance(made, int | float) and 0 <= made < 2**53 else 0,
            )
        )

    def _text(self, event: dict[str, Any], out: list[Event]) -> None:
        text = _text(event.get("delta"))
        if text:
            self._slot(event).size += len(text)
            out.append(TextDelta(text=text, logprobs=_logprobs(event)))

    def _thought(self, event: dict[str, Any], out: list[Event], *, summary: bool) -> None:
        text = _text(event.get("delta"))
        if text:
            self._slot(event).size += len(text)
            out.append(ReasoningDelta(text=text, issuer=self._issuer, summary=summary))

    def _arguments(self, slot: _Item, text: str, out: list[Event]) -> None:
        # Deltas of a call that was never announced are not lost: the end of the item holds all of it.
        if text and slot.index >= 0:
            slot.said.append(text)
            out.append(ToolDelta(index=slot.index, text=text))

    def _added(self, slot: _Item, item: Any, out: list[Event]) -> None:
        if isinstance(item, dict) and item.get("type") in _CALLS and slot.index < 0 and _call_id(item):
            self._open_call(slot, item, out)

    def _open_call(self, slot: _Item, item: dict[str, Any], out: list[Event]) -> None:
        slot.index = self._calls
        self._calls += 1
        custom = item.get("type") == "custom_tool_call"
        name = responses_tools.SEARCH if item.get("type") == "tool_search_call" else _text(item.get("name"))
        out.append(
            ToolStart(
                index=slot.index,
                id=_call_id(item),
                name=name,
                kind="custom" if custom else "function",
                namespace=_text(item.get("namespace")),
            )
        )

    def _done(self, slot: _Item, item: Any, out: list[Event]) -> None:
        if slot.done or not isinstance(item, dict):
            return
        slot.done = True
        kind = item.get("type")
        if kind in _CALLS:
            self._end_call(slot, item, _text(item.get("arguments" if kind == "function_call" else "input")), out)
        elif kind == "tool_search_call" and item.get("execution") == "client" and _call_id(item):
            self._end_call(slot, item, msgspec.json.encode(item.get("arguments") or {}).decode(), out)
        elif kind == "reasoning":
            self._end_thought(slot, item, out)
        elif kind == "message":
            if not slot.size:
                self._whole_message(item, out)
        elif isinstance(kind, str):
            out.append(OpaqueBlock(dialect=DIALECT, value=item))
        else:
            raise WireError("an output item has no type")

    def _end_call(self, slot: _Item, item: dict[str, Any], whole: str, out: list[Event]) -> None:
        if slot.index < 0:
            if not _call_id(item):
                raise WireError("the provider sent a tool call without a call_id")
            self._open_call(slot, item, out)
        said = "".join(slot.said)
        if len(whole) > len(said) and whole.startswith(said):
            out.append(ToolDelta(index=slot.index, text=whole[len(said) :]))
        elif whole and whole != said and item.get("type") == "custom_tool_call":
            # Arguments of functions may differ in their spacing and are checked as JSON later; free text may not differ.
            raise WireError("the provider's tool call and its deltas differ")
        slot.said = []
        out.append(ToolEnd(index=slot.index))

    def _end_thought(self, slot: _Item, item: dict[str, Any], out: list[Event]) -> None:
        if not slot.size:
            for key, summary in (("summary", True), ("content", False)):
                text = "\n\n".join(_text(row.get("text")) for row in _rows(item.get(key)))
                if text:
                    out.append(ReasoningDelta(text=text, issuer=self._issuer, summary=summary))
                    break
        out.append(
            ReasoningEnd(
                encrypted=_text(item.get("encrypted_content")), issuer=self._issuer, item_id=_text(item.get("id"))
            )
        )

    def _whole_message(self, item: dict[str, Any], out: list[Event]) -> None:
        for row in _rows(item.get("content")):
            if row.get("type") == "refusal":
                self._refused = True
                out.append(RefusalDelta(text=_text(row.get("refusal"))))
            elif _text(row.get("text")):
                out.append(TextDelta(text=_text(row.get("text")), logprobs=_logprobs(row)))

    def _terminal(self, response: Any, kind: str, out: list[Event]) -> None:
        self._ended = True
        if not isinstance(response, dict):
            raise WireError("the provider's terminal event holds no response")
        self._start(response, out)
        report = usage.from_responses(response.get("usage"))
        if report is not None:
            out.append(UsageReport(usage=report))
        if kind == "response.failed" or response.get("status") == "failed":
            out.append(failure(response))
            return
        if not self._items:  # a server that streams nothing but its end
            for item in _rows(response.get("output")):
                self._done(_Item(), item, out)
        elif kind == "response.completed":
            self._close_calls(_rows(response.get("output")), out)
        out.append(self._stop(response, kind))
        out.append(Done())

    def _close_calls(self, output: list[dict[str, Any]], out: list[Event]) -> None:
        """End the calls whose `output_item.done` never came, from the terminal event."""
        for at, slot in self._items.items():
            if slot.index >= 0 and not slot.done:
                item = output[at] if isinstance(at, int) and at < len(output) else {}
                if item.get("type") not in _CALLS:
                    raise WireError("the provider left a tool call open")
                self._done(slot, item, out)

    def _stop(self, response: dict[str, Any], kind: str) -> Stop:
        details = response.get("incomplete_details")
        why = _text(details.get("reason")) if isinstance(details, dict) else ""
        if kind == "response.incomplete" or why:
            reason: StopReason = "content_filter" if why == "content_filter" else "length"
            return Stop(reason=reason, native=why or "incomplete")
        if self._calls:
            return Stop(reason="tool_calls", native="completed")
        return Stop(reason="refusal" if self._refused else "end", native="completed")


def decode_response(body: bytes, target: Target) -> list[Event]:
    """Return the events of a whole answer, or a single Failure. Raises WireError."""
    try:
        response = _decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise WireError("the provider's answer is not JSON") from error
    if not isinstance(response, dict):
        raise WireError("the provider's answer is not a JSON object")
    status = response.get("status")
    if response.get("error") or status in ("failed", "cancelled"):
        return [failure(response)]
    if not isinstance(response.get("output"), list):
        raise WireError("the provider's answer has no output")
    if status in ("queued", "in_progress"):
        raise WireError("the provider's answer is not finished")
    decoder = StreamDecoder(target)
    out: list[Event] = []
    decoder._terminal(response, "response.incomplete" if status == "incomplete" else "response.completed", out)
    return out


def failure(event: dict[str, Any]) -> Failure:
    """Return the error of an `error` event (flat or nested), of a failed response, or of an error body."""
    inner = event.get("error")
    found: dict[str, Any] = inner if isinstance(inner, dict) else event
    status = found.get("status", event.get("status"))
    kind = _text(found.get("type"))
    return Failure(
        message=_text(found.get("message")) or (inner if isinstance(inner, str) else "the provider reported an error"),
        type="" if kind == "error" else kind,
        code=str(found.get("code") or ""),
        status=status if isinstance(status, int) and not isinstance(status, bool) and 100 <= status < 600 else 0,
        value=found,
    )


def _logprobs(row: dict[str, Any]) -> list[Any] | None:
    found = row.get("logprobs")
    return found if isinstance(found, list) and found else None


def _call_id(item: dict[str, Any]) -> str:
    return _text(item.get("call_id")) or _text(item.get("id"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
