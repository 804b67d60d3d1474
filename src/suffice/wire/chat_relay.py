"""Pass-through of OpenAI chat and completions answers: bytes go on as they came, and what matters is read beside them.

The reader forwards whole events only, so a client never holds half a frame of a stream that we have to end. It looks into
an event only where there is something to find: the first one (an error in disguise?), those that carry an error, and the
usage report at the end, which is swallowed when the client did not ask for it. It is pure: bytes in, bytes and facts out.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

import msgspec

from suffice.errors import SufficeError, WireError
from suffice.values.usage import Usage
from suffice.wire import errors, sse, usage
from suffice.wire.chat_repair import ChatRepair

_NO_CHOICES = re.compile(rb'"choices"\s*:\s*\[\s*\]')
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"([a-z_]+)"')
_ERROR = re.compile(rb'"error"\s*:\s*[{"]')
_TAIL = 4096
_DONE = b"data: [DONE]\n\n"
# Answers up to this size are kept for the verdicts; beyond it only the relay goes on.
_KEEP = 8 * 1024 * 1024


class ChatRelay:
    """Reader of one upstream event stream whose dialect is the client's own.

    `swallow_usage` drops the usage-only event that we asked for and the client did not. After each `feed`: `started` is true
    once a real event (no comment) was seen, `failure` holds the decoded error object of an error event, `done` is true once
    `[DONE]` came, `finish_reason` the last one seen.
    """

    # What passes through goes on at once: there is never anything held back.
    quiet = False

    def __init__(self, *, swallow_usage: bool = False) -> None:
        self._swallow = swallow_usage
        self._whole = sse.WholeEvents()
        self._kept: list[bytes] = []
        self._kept_size = 0
        # True while every event came in the one form in which they can be read together.
        self._plain = True
        # The last whole events: at least `_TAIL` bytes of them, since the one that tells the usage may be long itself.
        self._last: deque[bytes] = deque()
        self._last_size = 0
        self._repair = ChatRepair()
        self.started = False
        self.done = False
        self.failure: Any = None
        self.finish_reason = ""
        self.data_events = 0

    def feed(self, chunk: bytes) -> bytes:
        """Return the bytes to send on now: `chunk`'s complete events, minus those that are swallowed."""
        data = self._whole.feed(chunk)
        return self._events(data) if data else b""

    def close(self) -> bytes:
        """Return what a stream that ended without a blank line left behind, completed."""
        data = self._whole.close()
        return self._events(data) if data else b""

    def _events(self, data: bytes) -> bytes:
        count = data.count(b"data:")
        if not count:
            return data  # comments only: they keep the connection alive, and do not count as progress
        self.data_events += count
        self.started = True
        if not _plain(data):
            self._plain = False
            if not all(event.is_done or _is_json(event.data) for event in sse.Decoder().feed(data)):
                raise WireError("the provider sent an event that is not JSON")
        if b'"error"' in data and _ERROR.search(data) is not None:
            self._look_for_failure(data)
        told = data
        data = self._repair.events(data, count)
        if self._kept_size < _KEEP:
            self._kept.append(data)
            self._kept_size += len(data)
        # What is dropped may still tell the usage.
        self._last.append(told)
        self._last_size += len(told)
        while self._last_size - len(self._last[0]) >= _TAIL:
            self._last_size -= len(self._last.popleft())
        if b"[DONE]" in data:
            self.done = True
        if self._swallow and b"[]" in data and _NO_CHOICES.search(data) is not None:
            return self._without_usage(data)
        return data

    def _look_for_failure(self, data: bytes) -> None:
        for event in sse.Decoder().feed(data):
            decoded = _decode(event.data)
            if isinstance(decoded, dict) and decoded.get("error") and not decoded.get("choices"):
                self.failure = decoded["error"]

    def _without_usage(self, data: bytes) -> bytes:
        return b"".join(piece for piece in sse.pieces(data) if not _is_usage_only(piece))

    @property
    def finished(self) -> bool:
        """True when the stream said that it is complete: `[DONE]`, or a finish reason from providers that omit it."""
        found = _FINISH.findall(b"".join(self._last))
        if found:
            self.finish_reason = found[-1].decode()
        return self.done or bool(found)

    def keep_alive(self) -> bytes:
        """Return a comment, which every reader of the dialect passes over."""
        return sse.COMMENT

    def fail(self, error: SufficeError) -> bytes:
        """Return the frame that ends a broken stream; no `[DONE]` follows."""
        return errors.frame(errors.CHAT, error)

    def usage(self) -> Usage | None:
        """Return the provider's own usage report, the last one of the stream, or None when there was none."""
        last = b"".join(self._last)
        if b'"usage"' not in last:
            return None
        for event in reversed(sse.Decoder().feed(last)):
            decoded = _decode(event.data) if b'"usage"' in event.data else None
            if isinstance(decoded, dict):
                report = decoded.get("usage")
                if not report and isinstance(decoded.get("x_groq"), dict):
                    report = decoded["x_groq"].get("usage")
                found = usage.from_chat(report)
                if found is not None:
                    return found
        return None

    def answer(self) -> Answer:
        """Return the whole answer, put together from the events that were kept."""
        kept = b"".join(self._kept)
        if self._plain:
            # Each event is JSON by itself, so all together are an array.
            together = b"[" + kept.replace(_DONE, b"").removeprefix(b"data: ").replace(b"\n\ndata: ", b",") + b"]"
            try:
                return _joined(_chunks(together))
            except (msgspec.DecodeError, RecursionError):
                pass  # a field of an unusual type: read event by event
        events = sse.Decoder().feed(kept)
        return join_deltas([_decode(event.data) for event in events if not event.is_done])


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a model said: text, reasoning, tool calls as (id, name, arguments text), finish reason, the upstream's model."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[tuple[str, str, str], ...] = ()
    finish_reason: str = ""
    model: str = ""
    response_id: str = ""

    @property
    def empty(self) -> bool:
        """True when the model produced neither text nor a tool call."""
        return not self.text.strip() and not self.tool_calls


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: Any = None


class _Choice(msgspec.Struct, gc=False):
    text: str | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    choices: list[_Choice] | None = None


_chunks = msgspec.json.Decoder(list[_Chunk]).decode


def _joined(chunks: list[_Chunk]) -> Answer:
    """Return what `join_deltas` does, of chunks whose fields have the types that they should have."""
    text: list[str] = []
    reasoning: list[str] = []
    calls: dict[int, list[str]] = {}
    finish = model = response_id = ""
    for chunk in chunks:
        model = chunk.model or model
        response_id = chunk.id or response_id
        if not chunk.choices:
            continue
        choice = chunk.choices[0]
        finish = choice.finish_reason or finish
        if choice.text is not None:
            text.append(choice.text)
        delta = choice.delta
        if delta is not None:
            if delta.content is not None:
                text.append(delta.content)
            thought = delta.reasoning_content or delta.reasoning
            if thought:
                reasoning.append(thought)
            if delta.tool_calls:
                _add_calls(delta.tool_calls, calls)
    return _answer(text, reasoning, calls, finish, model, response_id)


def _answer(
    text: list[str], reasoning: list[str], calls: dict[int, list[str]], finish: str, model: str, response_id: str
) -> Answer:
    return Answer(
        text="".join(text),
        reasoning="".join(reasoning),
        tool_calls=tuple((c[0], c[1], c[2]) for _, c in sorted(calls.items())),
        finish_reason=finish,
        model=model,
        response_id=response_id,
    )


def join_deltas(chunks: list[Any]) -> Answer:
    """Return the answer of a list of decoded stream chunks (first choice only); malformed ones are passed over."""
    text: list[str] = []
    reasoning: list[str] = []
    calls: dict[int, list[str]] = {}
    finish = model = response_id = ""
    for chunk in chunks:
        if not isinstance(chunk, dict):
            continue
        model = chunk.get("model") or model
        response_id = chunk.get("id") or response_id
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            continue
        choice = choices[0]
        finish = choice.get("finish_reason") or finish
        if isinstance(choice.get("text"), str):
            text.append(choice["text"])
        delta = choice.get("delta")
        if isinstance(delta, dict):
            _add_delta(delta, text, reasoning, calls)
    return _answer(text, reasoning, calls, str(finish), str(model), str(response_id))


def _add_delta(delta: dict[str, Any], text: list[str], reasoning: list[str], calls: dict[int, list[str]]) -> None:
    if isinstance(delta.get("content"), str):
        text.append(delta["content"])
    thought = delta.get("reasoning_content") or delta.get("reasoning")
    if isinstance(thought, str):
        reasoning.append(thought)
    _add_calls(delta.get("tool_calls"), calls)


def _add_calls(parts: Any, calls: dict[int, list[str]]) -> None:
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, dict):
            continue
        index = part.get("index") if isinstance(part.get("index"), int) else max(len(calls) - 1, 0)
        call = calls.setdefault(int(index or 0), ["", "", ""])
        function = part.get("function")
        call[0] = call[0] or str(part.get("id") or "")
        if isinstance(function, dict):
            call[1] = call[1] or str(function.get("name") or "")
            call[2] += str(function.get("arguments") or "")
        free = part.get("custom")
        if isinstance(free, dict):
            call[1] = call[1] or str(free.get("name") or "")
            call[2] += str(free.get("input") or "")


def whole(body: bytes) -> tuple[Any, Answer, Usage | None]:
    """Return (error object or None, the answer, the usage or None) of a non-streaming body.

    Raises WireError when the body is not a JSON object of the dialect.
    """
    decoded = _decode(body)
    if not isinstance(decoded, dict):
        raise WireError("the provider's answer is not a JSON object")
    if decoded.get("error") and not decoded.get("choices"):
        return decoded["error"], Answer(), None
    choices = decoded.get("choices")
    if not isinstance(choices, list):
        raise WireError("the provider's answer has no choices")
    answer = Answer(model=str(decoded.get("model") or ""), response_id=str(decoded.get("id") or ""))
    if choices and isinstance(choices[0], dict):
        message = choices[0].get("message")
        chunk = {**decoded, "choices": [{**choices[0], "delta": message}]}
        answer = join_deltas([_indexed(chunk)])
    return None, answer, usage.from_chat(decoded.get("usage"))


def _indexed(chunk: dict[str, Any]) -> dict[str, Any]:
    message = chunk["choices"][0].get("delta")
    if isinstance(message, dict) and isinstance(message.get("tool_calls"), list):
        calls = [{**c, "index": i} for i, c in enumerate(message["tool_calls"]) if isinstance(c, dict)]
        chunk["choices"][0]["delta"] = {**message, "tool_calls": calls}
    return chunk


def _is_usage_only(piece: bytes) -> bool:
    if _NO_CHOICES.search(piece) is None:
        return False
    events = sse.Decoder().feed(piece)
    decoded = _decode(events[0].data) if len(events) == 1 else None
    return isinstance(decoded, dict) and decoded.get("choices") == [] and bool(decoded.get("usage"))


def _plain(data: bytes) -> bool:
    """True when `data` is nothing but events of one line of JSON (or `[DONE]` at the end), as nearly everybody writes them."""
    if not data.endswith(b"\n\n"):
        return False
    try:
        if data.count(b"\n") == 2 and data.startswith(b"data: {") and b"\r" not in data:
            _raw(data[6:-2])  # one event, as most writes bring it
            return True
        frames = data[:-2].split(b"\n\n")
        if frames[-1] == b"data: [DONE]":
            frames.pop()
        for frame in frames:
            if not frame.startswith(b"data: {"):
                return False
            # A line end inside a frame that is legal in JSON would begin another field of the event.
            if b"\n" in frame or b"\r" in frame:
                return False
            _raw(frame[6:])
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


_raw = msgspec.json.Decoder(msgspec.Raw).decode


def _is_json(data: bytes) -> bool:
    try:
        _raw(data)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
