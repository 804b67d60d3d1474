"""Streams of providers, made by the scripted provider (not by the codecs), and every way of damaging them that was seen or feared."""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from suffice.errors import WireError
from suffice.testing import dialects
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, Frames, ToolCall, Usage
from suffice.wire import eventstream

PATHS = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "gemini": "/v1beta/models/m:streamGenerateContent",
    "converse": "/model/m/converse-stream",
    "bedrock-messages": "/model/m/invoke-with-response-stream",
    "cohere": "/v2/chat",
}
# What comes as an AWS event stream, whose messages carry checksums.
BINARY = ("converse", "bedrock-messages")
WHO = Identity("fake-7", 5, "up")
TEXT = "Grüße aus 東京 💡"
CALLS = (ToolCall(name="weather", arguments='{"city":"Oslo é💡"}'), ToolCall(name="now", arguments="{}"))


class Stream(NamedTuple):
    """A stream that was damaged, or was not: its bytes, and whether its end was cut off."""

    data: bytes
    cut: bool


behaviours = st.builds(
    Behaviour,
    text=st.sampled_from(["", TEXT]),
    reasoning=st.sampled_from(["", "Hm. 東"]),
    tool_calls=st.sampled_from([(), CALLS[:1], CALLS]),
    finish_reason=st.sampled_from(["", "length"]),
    usage=st.builds(
        Usage,
        where=st.sampled_from(["always", "last", "every", "doubled", "none"]),
        values=st.sampled_from(["true", "null", "absent", "negative", "strings", "absurd", "contradictory", "list"]),
    ),
    frames=st.builds(
        Frames,
        tools=st.sampled_from(["deltas", "whole", "one_chunk"]),
        no_index=st.booleans(),
        repeat_ids=st.booleans(),
        finish_stop=st.booleans(),
    ),
)


def payloads(dialect: str, behaviour: Behaviour) -> list[bytes]:
    """Return the JSON payloads of a stream, the terminator last."""
    body = {"stream": True, "stream_options": {"include_usage": True}}
    call = Call(method="POST", path=PATHS[dialect], model="m", stream=True, body=b"x" * 40, parsed=body)
    made = [chunk.payload for chunk in dialects.dialect_of(call.path).stream(behaviour, call, WHO)]
    return [*made, b"[DONE]"] if dialect == "chat" else made


def framed(dialect: str, rows: list[bytes], end: bytes = b"\n") -> list[bytes]:
    """Return the frames of payloads, with the event lines that the dialect has; binary payloads are frames already."""
    if dialect in BINARY:
        return rows
    named = dialects.dialect_of(PATHS[dialect])
    return [
        (b"event: " + named.name(row) + end if named.name(row) else b"") + b"data: " + row + end + end for row in rows
    ]


odd: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 1e300, 2**70, "", "x", "tool_calls", "end_turn", [], {}, [None], [[]], {"type": "x"}, "\ud83d"]
)
FOREIGN = [
    b'{"type":"provider.telemetry","note":1}', b"{}", b"null", b"[]", b"7", b'"text"', b'{"choices":[]}', b'{"choices":[{}]}',
    b'{"type":"ping"}', b'{"candidates":[]}', b'{"type":"error"}', b'{"error":null}', b'{"error":{"message":"m","code":"c"}}',
    b'{"type":"content_block_stop","index":9}', b'{"type":"response.output_item.done","output_index":5,"item":{}}',
    b'{"choices":[{"index":0,"delta":{"tool_calls":[{"index":7,"function":{"arguments":"{"}}]}}]}',
]  # fmt: skip


def _message(kind: dict[str, str], payload: bytes) -> bytes:
    return eventstream.encode(kind, payload)


_EVENT = {":message-type": "event", ":event-type": "provider.telemetry"}
FOREIGN_MESSAGES = [
    _message(_EVENT, b"{}"), _message(_EVENT, b"null"), _message(_EVENT, b""), _message({}, b"{}"), b"\0" * 16, b"not one of them at all",
    _message(_EVENT | {":event-type": "contentBlockDelta"}, b'{"contentBlockIndex":7,"delta":{"toolUse":{"input":"{"}}}'),
    _message(_EVENT | {":event-type": "contentBlockStop"}, b'{"contentBlockIndex":9}'), _message(_EVENT, b'{"bytes":"bm8="}'),
    _message({":message-type": "exception", ":exception-type": "throttlingException"}, b'{"message":"slow down"}'),
    _message({":message-type": "error", ":error-code": "odd", ":error-message": "m"}, b"\xff"),
]  # fmt: skip


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to everything inside `value`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in inner for found in ([*path, key], *spots(each, (*path, key)))]  # type: ignore[misc]


def replaced(payload: bytes, pick: int, value: Any, remove: bool) -> bytes:
    """Return `payload` with one of its inner values replaced or removed; a binary message gets checksums that are right."""
    if payload[:1] != b"{" and len(payload) > 16 and payload[:2] == b"\0\0":
        try:
            (frame,) = eventstream.Decoder().feed(payload)
            inner = json.loads(frame.payload)
        except (WireError, ValueError):
            return payload  # it is broken already
        if isinstance(inner, dict) and "bytes" in inner:  # an event of Messages inside
            event = replaced(base64.b64decode(inner["bytes"]), pick, value, remove)
            return eventstream.encode(frame.headers, json.dumps({"bytes": base64.b64encode(event).decode()}).encode())
        return eventstream.encode(frame.headers, replaced(frame.payload, pick, value, remove))
    try:
        whole = json.loads(payload)
    except ValueError:
        return payload
    places = spots(whole)
    if not places:
        return payload
    *way, last = places[pick % len(places)]
    at = whole
    for key in way:
        at = at[key]
    if remove:
        del at[last]
    else:
        at[last] = value
    return json.dumps(whole, separators=(",", ":")).encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn, dialect: str) -> Stream:
    """A stream with some of its payloads damaged, its frames written oddly, and perhaps its end missing."""
    rows = payloads(dialect, draw(behaviours))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(rows) - 1))
        how = draw(st.sampled_from(["drop", "double", "swap", "break", "foreign", "replace", "remove", "later"]))
        if how == "drop" and len(rows) > 1:
            del rows[at]
        elif how == "double":
            rows.insert(at, rows[at])
        elif how == "swap":
            rows[at], rows[-1 - at] = rows[-1 - at], rows[at]
        elif how == "break":
            rows[at] = rows[at][: draw(st.integers(0, len(rows[at])))]
        elif how == "foreign":
            rows.insert(at, draw(st.sampled_from(FOREIGN_MESSAGES if dialect in BINARY else FOREIGN)))
        elif how == "later":
            rows.insert(draw(st.integers(0, len(rows))), rows[at])
        else:
            rows[at] = replaced(rows[at], draw(st.integers(0, 10_000)), draw(odd), how == "remove")
    frames = framed(dialect, rows, draw(st.sampled_from([b"\n", b"\r\n"])))
    if dialect not in BINARY and draw(st.booleans()):
        frames.insert(draw(st.integers(0, len(frames))), b": keep-alive\n\n")
    data = b"".join(frames)
    if dialect not in BINARY and draw(st.booleans()):
        data = data.rstrip(b"\r\n")
    if draw(st.booleans()):
        return Stream(data[: draw(st.integers(0, len(data)))], cut=True)
    return Stream(data, cut=False)


def split(data: bytes, step: int) -> list[bytes]:
    """Return `data` in pieces of `step` bytes."""
    return [data[i : i + step] for i in range(0, len(data), step)]


def decoded(body: bytes) -> list[Any]:
    """Return the JSON of a client's stream of events; raises when one of them is none."""
    lines = body.replace(b"\r\n", b"\n").split(b"\n")
    return [msgspec.json.decode(line[6:]) for line in lines if line.startswith(b"data: ") and line != b"data: [DONE]"]
