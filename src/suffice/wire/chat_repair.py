"""What a pass-through of OpenAI chat streams mends, because strict clients break on it and the dialect's own provider never sends it.

Four things, each seen to end a real client (docs/decisions/077-mended-streams.md): deltas of tool calls without `index`, finish reasons
that the dialect does not have, usage before the end, and events that are no chunk. Everything else goes on byte for byte. It is pure.

Invariant: an event of the dialect's own provider is never changed; an event that tells of an error is never dropped.
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
# Usage is told beside no choice, or with the finish reason; clients take the first report as the end.
_EARLY = re.compile(rb'"finish_reason"\s*:\s*null')
_WORDS = {"end": "stop", "length": "length", "context_length": "length", "tool_calls": "tool_calls"}
_WORDS |= {"content_filter": "content_filter", "refusal": "content_filter"}


def mended(body: bytes) -> bytes:
    """Return the body of an answer that does not stream, its foreign finish reasons replaced; the same object when there are none."""
    if _FOREIGN_FINISH.search(body) is None:
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
            word = _word(choice.get("finish_reason"), isinstance(message, dict) and bool(message.get("tool_calls")))
            if word:
                choice["finish_reason"], changed = word, True
    return msgspec.json.encode(decoded) if changed else body


def _word(native: Any, called: bool) -> str:
    """Return the dialect's word for a finish reason, "" for one that stays: the dialect's own, or one that tells of a failure."""
    if not isinstance(native, str) or not native or native in FAILED_STOPS:
        return ""
    word = _WORDS.get(STOPS.get(native, "other"), "tool_calls" if called else "stop")
    return "" if native in ("function_call", word) else word


class ChatRepair:
    """Mends the events of one stream. It keeps no more than the ids of the tool calls so far."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._called = False

    def events(self, data: bytes, count: int) -> bytes:
        """Return whole events, `count` of which have data: the same object when there is nothing to mend."""
        calls = b'"tool_calls"' in data
        self._called = self._called or calls
        finishes = b'"finish_reason":"' in data or b'"finish_reason": "' in data
        chunks = data.count(b'"choices"')
        strange = chunks < count and chunks + data.count(b"[DONE]") < count
        usage = (b'"usage":{' in data or b'"usage": {' in data) and _EARLY.search(data)
        if strange or usage or (calls and _UNNUMBERED.search(data)) or (finishes and _FOREIGN_FINISH.search(data)):
            return b"".join(self._event(piece) for piece in sse.pieces(data))
        return data

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
        calls = delta.get("tool_calls") if isinstance(delta, dict) else None
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict) and not isinstance(call.get("index"), int):
                call["index"] = self._number(call)
                changed = True
        word = _word(choice.get("finish_reason"), self._called)
        if word:
            choice["finish_reason"], changed = word, True
        return changed

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
