"""Streams of providers, made by the scripted provider (not by the codecs), and every way of damaging them that was seen or feared."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from suffice.testing import dialects
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, Frames, ToolCall, Usage

PATHS = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "gemini": "/v1beta/models/m:streamGenerateContent",
}
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
    """Return the frames of payloads, with the event lines that the dialect has."""
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


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to everything inside `value`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in inner for found in ([*path, key], *spots(each, (*path, key)))]  # type: ignore[misc]


def replaced(payload: bytes, pick: int, value: Any, remove: bool) -> bytes:
    """Return `payload` with one of its inner values replaced or removed."""
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
            rows.insert(at, draw(st.sampled_from(FOREIGN)))
        elif how == "later":
            rows.insert(draw(st.integers(0, len(rows))), rows[at])
        else:
            rows[at] = replaced(rows[at], draw(st.integers(0, 10_000)), draw(odd), how == "remove")
    frames = framed(dialect, rows, draw(st.sampled_from([b"\n", b"\r\n"])))
    if draw(st.booleans()):
        frames.insert(draw(st.integers(0, len(frames))), b": keep-alive\n\n")
    data = b"".join(frames)
    if draw(st.booleans()):
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
