"""What a pass-through of OpenAI chat streams mends, because strict clients break on it and the dialect's own provider does not send it.

Six things (docs/decisions/077-mended-streams.md): deltas of tool calls without `index`, finish reasons that the dialect does not have,
a finish that says `stop` behind calls, calls without arguments, usage before the end, and events that are no chunk. Everything else
goes on byte for byte. It is pure.

Invariant: what OpenAI sends to a request that lets the model choose its tools is never changed; an event that tells of an error is never
dropped.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suffice.wire import sse
from suffice.wire.chat_answer import FAILED_STOPS, STOPS

_FOREIGN_FINISH = re.compile(rb'"finish_reason"\s*:\s*"(?!(?:stop|length|tool_calls|content_filter|function_call)")')
# OpenAI writes the index first; where it stands elsewhere the event is decoded and found whole.
_UNNUMBERED = re.compile(rb'"tool_calls"\s*:\s*\[\s*\{(?!\s*"index"\s*:\s*[0-9])')
_CALLS = re.compile(rb'"tool_calls"\s*:\s*\[\s*\{')
_STOPPED = re.compile(rb'"finish_reason"\s*:\s*"stop"')
# A function whose call begins, and one of which arguments came, by the index of the call.
_BEGUN = re.compile(rb'"index"\s*:\s*([0-9]{1,6})\b[^{}]{0,400}"function"\s*:\s*\{[^{}]{0,400}?"name"\s*:\s*"(?!")')
_FILLED = re.compile(rb'"index"\s*:\s*([0-9]{1,6})\b[^{}]{0,400}\{[^{}]{0,400}?"arguments"\s*:\s*"(?!")')
_ARGUMENTS = re.compile(rb'"arguments"\s*:\s*"(?!")')
_EMPTY = re.compile(rb'"arguments"\s*:\s*""')
# Usage is told beside no choice, or with the finish reason; clients take the first report as the end.
_EARLY = re.compile(rb'"finish_reason"\s*:\s*null')
_WORDS = {"end": "stop", "length": "length", "context_length": "length", "tool_calls": "tool_calls"}
_WORDS |= {"content_filter": "content_filter", "refusal": "content_filter"}


def mended(body: bytes) -> bytes:
    """Return the body of an answer that does not stream, finish reasons and empty arguments mended; the same object when all is well."""
    called = _CALLS.search(body) is not None
    if _FOREIGN_FINISH.search(body) is None and not (called and (_STOPPED.search(body) or _EMPTY.search(body))):
        return body
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    choices = decoded.get("choices") if isinstance(decoded, dict) else None
    changed = False
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            message = choice.get("message")
            calls = _objects(message.get("tool_calls")) if isinstance(message, dict) else []
            word = _word(choice.get("finish_reason"), bool(calls))
            if word:
                choice["finish_reason"], changed = word, True
            for call in calls if choice.get("finish_reason") != "length" else ():
                function = call.get("function")
                if isinstance(function, dict) and function.get("arguments") == "":
                    function["arguments"], changed = "{}", True
    return msgspec.json.encode(decoded) if changed else body


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _word(native: Any, called: bool) -> str:
    """Return the dialect's word for a finish reason, "" for one that stays: the dialect's own, or one that tells of a failure."""
    if not isinstance(native, str) or not native or native in FAILED_STOPS:
        return ""
    if native == "stop" and called:
        return "tool_calls"  # agents end their loop at `stop`, and the calls are lost
    word = _WORDS.get(STOPS.get(native, "other"), "tool_calls" if called else "stop")
    return "" if native in ("function_call", word) else word


class ChatRepair:
    """Mends the events of one stream. It keeps no more than the ids and the numbers of the tool calls so far."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._begun: set[int] = set()
        self._filled: set[int] = set()
        # Arguments came of which it was not read whose they are: then nothing is added to any.
        self._unsure = False

    def events(self, data: bytes, count: int) -> bytes:
        """Return whole events, `count` of which have data: the same object when there is nothing to mend."""
        calls = b'"tool_calls"' in data and _CALLS.search(data) is not None
        unread = False
        if calls:
            self._begun.update(map(int, _BEGUN.findall(data)))
            filled = _FILLED.findall(data)
            self._filled.update(map(int, filled))
            unread = len(filled) != len(_ARGUMENTS.findall(data))
        chunks = data.count(b'"choices"')
        strange = chunks < count and chunks + data.count(b"[DONE]") < count
        usage = b'"usage"' in data and (b'"usage":{' in data or b'"usage": {' in data) and _EARLY.search(data)
        ends = b'"finish_reason":"' in data or b'"finish_reason": "' in data
        if strange or usage or (calls and _UNNUMBERED.search(data)) or (ends and self._ends_oddly(data)):
            return b"".join(self._event(piece) for piece in sse.pieces(data))
        self._unsure = self._unsure or unread
        return data

    def _ends_oddly(self, data: bytes) -> bool:
        called = bool(self._begun) and (not self._begun <= self._filled or _STOPPED.search(data) is not None)
        return called or _FOREIGN_FINISH.search(data) is not None

    def _event(self, piece: bytes) -> bytes:
        found = sse.Decoder().feed(piece)
        if len(found) != 1 or found[0].is_done:
            return piece
        try:
            chunk = msgspec.json.decode(found[0].data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return piece
        if not isinstance(chunk, dict) or chunk.get("error"):
            return piece
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            return b""
        changed = [self._choice(choice) for choice in choices if isinstance(choice, dict)]
        if choices and chunk.get("usage") and not any(isinstance(c, dict) and c.get("finish_reason") for c in choices):
            chunk["usage"] = None
            changed.append(True)
        return sse.encode(msgspec.json.encode(chunk)) if any(changed) else piece

    def _choice(self, choice: dict[str, Any]) -> bool:
        """Mend a choice in place; return whether it needed it."""
        delta, changed = choice.get("delta"), False
        calls = _objects(delta.get("tool_calls")) if isinstance(delta, dict) else []
        for call in calls:
            if not isinstance(call.get("index"), int):
                call["index"] = self._number(call)
                changed = True
            self._note(call)
        word = _word(choice.get("finish_reason"), bool(self._begun))
        if word:
            choice["finish_reason"], changed = word, True
        empty = set() if self._unsure else self._begun - self._filled
        if (
            empty
            and isinstance(delta, dict)
            and choice.get("finish_reason") == "tool_calls"
            and not choice.get("index")
        ):
            delta["tool_calls"] = _given_arguments(calls, empty)
            self._filled |= empty
            changed = True
        return changed

    def _note(self, call: dict[str, Any]) -> None:
        function = call.get("function")
        if isinstance(function, dict):
            if function.get("name"):
                self._begun.add(call["index"])
            if function.get("arguments"):
                self._filled.add(call["index"])

    def _number(self, call: dict[str, Any]) -> int:
        """Return the index of a call: that of its id, a new one where a call begins, else that of the call before."""
        function = call.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        call_id = call.get("id")
        if isinstance(call_id, str) and call_id:
            if call_id not in self._ids:
                self._ids.append(call_id)
            return self._ids.index(call_id)
        if name or not self._ids:
            self._ids.append("")
        return len(self._ids) - 1


def _given_arguments(calls: list[dict[str, Any]], empty: set[int]) -> list[dict[str, Any]]:
    """Return the deltas of calls with an empty object for those that are complete and have no arguments."""
    here = {call["index"] for call in calls} & empty
    for call in calls:
        if call["index"] in here and isinstance(call.get("function"), dict):
            call["function"]["arguments"] = "{}"
    return calls + [{"index": number, "function": {"arguments": "{}"}} for number in sorted(empty - here)]
