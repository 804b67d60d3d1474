"""OpenAI chat answers, read: a provider's stream or whole body into neutral events.

Takes the dialect as providers really speak it: calls without index or id, ids in every delta, whole calls in one delta,
thinking in four places, usage in any chunk or in several, errors inside a success, no `[DONE]`. Invariant: `Done` comes once,
last, and only after the provider said that it stopped.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.wire import usage
from suffice.wire.chat_request import DETAILS_ID
from suffice.wire.codec import Target
from suffice.wire.frames import Frames
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
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
from suffice.wire.payload_decoder import PayloadDecoder
from suffice.wire.think_tags import ThinkSplitter

STOPS: dict[str, StopReason] = {
    "stop": "end",
    "end_turn": "end",
    "eos": "end",
    "length": "length",
    "max_tokens": "length",
    "model_length": "context_length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
    "refusal": "refusal",
}
FAILED_STOPS = frozenset({"error", "network_error", "abort"})


class _Delta(msgspec.Struct):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    tool_calls: Any = None
    function_call: Any = None
    refusal: Any = None


class _Choice(msgspec.Struct):
    index: Any = 0
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: Any = None
    logprobs: Any = None


class _Chunk(msgspec.Struct):
    id: Any = ""
    model: Any = ""
    created: Any = 0
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    x_groq: Any = None
    base_resp: Any = None
    message: Any = None


class _Slot:
    """One call being put together."""

    __slots__ = ("ended", "id", "index", "name")

    def __init__(self, index: int, call_id: str, name: str) -> None:
        self.index, self.id, self.name, self.ended = index, call_id, name, False


_decode = msgspec.json.Decoder(_Chunk).decode


class ChatDecoder(PayloadDecoder):
    """`codec.StreamDecoder` of the chat dialect."""

    def __init__(self, target: Target) -> None:
        super().__init__(Frames())
        self._issuer = target.issuer
        self._begun = False
        self._stop: Stop | None = None
        self._over = False
        self._slots: list[_Slot] = []
        self._by_index: dict[int, _Slot] = {}
        self._thinking = False
        self._details: list[Any] = []
        self._tags: ThinkSplitter | None = ThinkSplitter()

    def _at_end(self, out: list[Event]) -> None:
        if self._stop is not None:
            self._finish(out)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole answer."""
        out: list[Event] = []
        chunk = _read(body)
        self.chunk(chunk, out, whole=True)
        if not self._over:
            if chunk.choices is None:
                raise WireError("the provider's answer has no choices")
            self._finish(out)
        return out

    def _payload(self, payload: bytes, out: list[Event]) -> None:
        if self._over or not payload:
            return
        if payload == b"[DONE]":
            if self._begun:
                self._finish(out)
            return
        self.chunk(_read(payload), out)

    def chunk(self, chunk: _Chunk, out: list[Event], *, whole: bool = False) -> None:
        """Append the events of one decoded chunk to `out`."""
        choices = chunk.choices
        if (chunk.error or chunk.base_resp) and _failed(chunk, out):
            self._over = True
            return
        if choices is None:
            if chunk.usage is None:
                if self._begun and not whole:
                    return  # A proxy's own event among the chunks; passed through, it would be dropped too.
                raise WireError("the provider's answer has no choices")
            choices = []
        if not self._begun and (choices or whole):
            self._begun = True
            created = chunk.created if isinstance(chunk.created, int | float) else 0
            out.append(Start(id=str(chunk.id or ""), model=str(chunk.model or ""), created_s=int(created)))
        for choice in choices:
            if choice.index == 0 or choice.index is None:
                self._choice(choice, out)
        report = chunk.usage or (chunk.x_groq.get("usage") if isinstance(chunk.x_groq, dict) else None)
        if report:
            found = usage.from_chat(report)
            if found is not None:
                out.append(UsageReport(usage=found))

    def _choice(self, choice: _Choice, out: list[Event]) -> None:
        delta = choice.delta or choice.message
        if delta is not None:
            content = delta.content
            thought = delta.reasoning_content or delta.reasoning
            if thought or delta.reasoning_details:
                self._thought(thought, delta.reasoning_details, out)
            if content:
                logprobs = choice.logprobs.get("content") if isinstance(choice.logprobs, dict) else None
                self._content(content, logprobs if isinstance(logprobs, list) else None, out)
            if isinstance(delta.refusal, str) and delta.refusal:
                out.append(RefusalDelta(text=delta.refusal))
            if delta.tool_calls:
                self._calls(delta.tool_calls, out)
            if delta.function_call and isinstance(delta.function_call, dict):
                self._calls([{"index": 0, "function": delta.function_call}], out)
        if choice.finish_reason:
            native = str(choice.finish_reason)
            if native in FAILED_STOPS:
                self._over = True
                out.append(Failure(message=f"the provider stopped with {native}", type="server_error", code=native))
                return
            self._stop = Stop(reason=STOPS.get(native, "other"), native=native)

    def _content(self, content: Any, logprobs: Any, out: list[Event]) -> None:
        if isinstance(content, list):
            for part in content:
                if isinstance(part, dict):
                    self._typed(part, out)
            return
        if not isinstance(content, str):
            raise WireError("the provider's text is not a string")
        if self._tags is not None:
            pieces = self._tags.feed(content)
            if self._tags.settled:
                self._tags = None
            for text, thinking in pieces:
                self._say(text, thinking, logprobs, out)
            return
        if self._thinking:
            self._end_thinking(out)
        out.append(TextDelta(text=content, logprobs=logprobs))

    def _say(self, text: str, thinking: bool, logprobs: Any, out: list[Event]) -> None:
        if thinking:
            self._thinking = True
            out.append(ReasoningDelta(text=text, issuer=self._issuer))
        else:
            self._end_thinking(out)
            out.append(TextDelta(text=text, logprobs=logprobs))

    def _typed(self, part: dict[str, Any], out: list[Event]) -> None:
        """Mistral's typed chunks: text, or thinking with texts inside."""
        if part.get("type") == "thinking":
            inner = part.get("thinking")
            rows = inner if isinstance(inner, list) else [{"text": inner}]
            text = "".join(str(row.get("text") or "") for row in rows if isinstance(row, dict))
            if text:
                self._say(text, True, None, out)
        elif isinstance(part.get("text"), str) and part["text"]:
            self._say(part["text"], False, None, out)

    def _thought(self, thought: Any, details: Any, out: list[Event]) -> None:
        if isinstance(details, list):
            self._details += details
            if not isinstance(thought, str):
                texts = (d.get("text") or d.get("summary") for d in details if isinstance(d, dict))
                thought = "".join(t for t in texts if isinstance(t, str))
        if isinstance(thought, str) and thought:
            out.append(ReasoningDelta(text=thought, issuer=self._issuer))
        self._thinking = True

    def _end_thinking(self, out: list[Event]) -> None:
        if not self._thinking:
            return
        self._thinking = False
        details, self._details = self._details, []
        state = msgspec.json.encode(details).decode() if details else ""
        out.append(ReasoningEnd(encrypted=state, item_id=DETAILS_ID if state else "", issuer=self._issuer))

    def _calls(self, rows: Any, out: list[Event]) -> None:
        if not isinstance(rows, list):
            raise WireError("the provider's tool calls are not an array")
        self._end_thinking(out)
        for row in rows:
            if isinstance(row, dict):
                self._call(row, out)

    def _call(self, row: dict[str, Any], out: list[Event]) -> None:
        custom = isinstance(row.get("custom"), dict)
        found = row.get("custom") if custom else row.get("function")
        inner: dict[str, Any] = found if isinstance(found, dict) else {}
        call_id, name = str(row.get("id") or ""), str(inner.get("name") or "")
        slot = self._slot(row.get("index"), call_id, name)
        if slot is None:
            slot = _Slot(len(self._slots), call_id, name)
            self._slots.append(slot)
            if isinstance(row.get("index"), int):
                self._by_index[row["index"]] = slot
            state = row.get("extra_content")
            google = state.get("google") if isinstance(state, dict) else None
            signature = google.get("thought_signature") if isinstance(google, dict) else None
            signed = signature if isinstance(signature, str) else ""
            out.append(
                ToolStart(
                    index=slot.index,
                    id=call_id,
                    name=name,
                    kind="custom" if custom else "function",
                    signature=signed,
                    issuer=self._issuer if signed else "",
                )
            )
        arguments = inner.get("input" if custom else "arguments")
        if isinstance(arguments, dict):
            arguments = msgspec.json.encode(arguments).decode()
        if isinstance(arguments, str) and arguments:
            out.append(ToolDelta(index=slot.index, text=arguments))

    def _slot(self, index: Any, call_id: str, name: str) -> _Slot | None:
        """Return the call that a delta continues, or None when it begins one. Some providers number all calls 0."""
        if not self._slots:
            return None
        slot = self._by_index.get(index) if isinstance(index, int) else self._slots[-1]
        if slot is None:
            return None
        if call_id and slot.id and call_id != slot.id and name:
            return None
        if not isinstance(index, int) and not call_id and name:
            return None
        return slot

    def _finish(self, out: list[Event]) -> None:
        if self._over:
            return
        self._over = True
        if self._tags is not None:
            for text, thinking in self._tags.close():
                self._say(text, thinking, None, out)
        self._end_thinking(out)
        out += [ToolEnd(index=slot.index) for slot in self._slots]
        # The stop of a stream with calls that says only `stop` is mended by the pump.
        out.append(self._stop or Stop(reason="end", native=""))
        out.append(Done())


def _read(payload: bytes) -> _Chunk:
    try:
        return _decode(payload)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise WireError("the provider sent an event that is not JSON of the chat dialect") from None


def _failed(chunk: _Chunk, out: list[Event]) -> bool:
    error = chunk.error
    if isinstance(error, dict):
        status = error.get("status_code", error.get("code"))
        out.append(
            Failure(
                message=str(error.get("message") or "the provider reported an error"),
                type=str(error.get("type") or ""),
                code=str(error.get("code") or ""),
                status=status if isinstance(status, int) and 400 <= status < 600 else 0,
                value=error,
            )
        )
        return True
    if error:
        out.append(Failure(message=str(error), value={"message": str(error)}))
        return True
    resp = chunk.base_resp
    code = resp.get("status_code") if isinstance(resp, dict) else 0
    if code:
        message = str(resp.get("status_msg") or "the provider reported an error")
        out.append(Failure(message=message, code=str(code), value={"message": message, "code": code}))
        return True
    return False
