"""Answers of providers, streamed and whole, that were damaged on their way: frames, values, single bytes, the end, the type."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.wire import mangling

from suffice.testing import dialects
from suffice.testing.script import Behaviour, Call, Frames, Timing, Usage

ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    1e300,
    2**70,
    "",
    "x",
    "tool_calls",
    "stop",
    [],
    {},
    [None],
    [[]],
    [7],
    {"type": "x"},
    1.5,
]
# What one byte becomes, and what comes in between.
BYTES = [0xFF, 0x80, 0xC3, 0, 10, 13, 34, 0x5C]
BETWEEN = [b"\xff", b"\0", b"\xe6\x9d", b"\\ud800", b"\n", b"\r", b"\xef\xbb\xbf", b"1e999"]
TYPES = ["text/html", "application/json", "text/event-stream; charset=utf-8", "application/octet-stream"]


def behaviour(rnd: Random) -> Behaviour:
    """What the provider meant to say."""
    return Behaviour(
        text=rnd.choice(["", mangling.TEXT]),
        reasoning=rnd.choice(["", "Hm. 東"]),
        tool_calls=rnd.choice([(), mangling.CALLS[:1], mangling.CALLS]),
        finish_reason=rnd.choice(["", "length"]),
        usage=Usage(
            where=rnd.choice(["always", "last", "every", "doubled", "none"]),
            values=rnd.choice(["true", "null", "absent", "negative", "strings", "absurd", "contradictory", "list"]),
        ),
        frames=Frames(
            tools=rnd.choice(["deltas", "whole", "one_chunk"]),
            no_index=rnd.random() < 0.5,
            repeat_ids=rnd.random() < 0.5,
            finish_stop=rnd.random() < 0.5,
        ),
    )


def stream(dialect: str, rnd: Random) -> bytes:
    """A stream of `dialect` with up to three of its payloads and two of its bytes damaged, and perhaps cut."""
    binary = dialect in mangling.BINARY
    rows = mangling.payloads(dialect, behaviour(rnd))
    for _ in range(rnd.randint(0, 3)):
        _payload(rows, rnd, mangling.FOREIGN_MESSAGES if binary else mangling.FOREIGN)
    frames = mangling.framed(dialect, rows, rnd.choice([b"\n", b"\r\n"]))
    if not binary and rnd.random() < 0.5:
        frames.insert(rnd.randint(0, len(frames)), b": keep-alive\n\n")
    data = b"".join(frames)
    if not binary and rnd.random() < 0.3:
        data = data.rstrip(b"\r\n")
    if rnd.random() < 0.3:
        data = data[: rnd.randint(0, len(data))]
    return _bytes(data, rnd, rnd.choice([0, 0, 0, 1, 2]))


def _payload(rows: list[bytes], rnd: Random, foreign: list[bytes]) -> None:
    at, how = (
        rnd.randrange(len(rows)),
        rnd.choice(["drop", "double", "swap", "break", "foreign", "later", "odd", "odd"]),
    )
    if how == "drop" and len(rows) > 1:
        del rows[at]
    elif how in ("double", "later"):
        rows.insert(at if how == "double" else rnd.randint(0, len(rows)), rows[at])
    elif how == "swap":
        rows[at], rows[-1 - at] = rows[-1 - at], rows[at]
    elif how == "break":
        rows[at] = rows[at][: rnd.randint(0, len(rows[at]))]
    elif how == "foreign":
        rows.insert(at, rnd.choice(foreign))
    elif how == "odd":
        rows[at] = mangling.replaced(rows[at], rnd.randrange(10_000), rnd.choice(ODD), rnd.random() < 0.3)


def _bytes(data: bytes, rnd: Random, times: int) -> bytes:
    out = bytearray(data)
    for _ in range(times if data else 0):
        at, how = rnd.randrange(len(out) or 1), rnd.random()
        if how < 0.4 and out:
            out[at] = rnd.choice(BYTES)
        elif how < 0.7:
            del out[at : at + rnd.randint(1, 4)]
        else:
            out[at:at] = rnd.choice(BETWEEN)
    return bytes(out)


def whole(dialect: str, rnd: Random) -> bytes:
    """A whole answer of `dialect`, damaged in the same ways."""
    call = Call(method="POST", path=mangling.PATHS[dialect], model="m", stream=False, body=b"x", parsed={})
    body = dialects.dialect_of(call.path).body(behaviour(rnd), call, mangling.WHO)
    for _ in range(rnd.randint(0, 3)):
        body = mangling.replaced(body, rnd.randrange(10_000), rnd.choice(ODD), rnd.random() < 0.2)
    if rnd.random() < 0.2:
        body = body[: rnd.randint(0, len(body))]
    return _bytes(body, rnd, rnd.choice([0, 0, 0, 1]))


def script(dialect: str, rnd: Random, streamed: bool) -> Behaviour:
    """What the scripted provider does: one such answer, cut into pieces of any size."""
    kind = "application/json"
    if streamed:
        kind = "application/vnd.amazon.eventstream" if dialect in mangling.BINARY else "text/event-stream"
    data = stream(dialect, rnd) if streamed else whole(dialect, rnd)
    return Behaviour(
        body=data.decode(errors="surrogateescape"),
        content_type=rnd.choice(TYPES) if rnd.random() < 0.06 else kind,
        timing=Timing(write_bytes=rnd.choice([0, 1, 3, 7, 50])),
    )
