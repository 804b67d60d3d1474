"""From a behaviour and a request to the steps that put an answer on the wire: bytes, waits, damage, the end.

It knows no sockets and sends nothing; `server.py` plays the steps. Invariant: the sum of `tokens` over the steps played is what
the provider has generated, so that a cut answer is billed for what was made and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
from typing import NamedTuple

from suffice.testing import chat, embeddings
from suffice.testing.chat import Identity
from suffice.testing.dialects import Dialect, dialect_of
from suffice.testing.script import Behaviour, Call
from suffice.testing.seeded import Seeded
from suffice.wire import eventstream

KEEP, CLOSE, RESET, HANG = "keep", "close", "rst", "hang"
FOREIGN = b'{"type":"provider.telemetry","note":"clients must ignore this"}'
REASONS = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
}


class Step(NamedTuple):
    """One step: write `data`, having waited `wait_s` seconds (None: not at all, 0: let others run first); or the `end`."""

    data: bytes = b""
    tokens: int = 0
    wait_s: float | None = None
    end: str = ""


def steps(behaviour: Behaviour, call: Call, identity: Identity, *, now: float, chance: Seeded) -> Iterator[Step]:
    """Yield the steps of one answer. `now` is in seconds since the epoch (for Retry-After as a date)."""
    toxic, timing = behaviour.toxic, behaviour.timing
    if toxic.connection:
        yield Step(end={"rst": RESET, "close": CLOSE, "hang": HANG}[toxic.connection])
        return
    if timing.before_head_s:
        yield Step(wait_s=timing.before_head_s)
    whole = _whole_body(behaviour, call, identity)
    if whole is not None:
        made = _from_body(behaviour, call, identity, whole, now)
    else:
        made = _from_stream(behaviour, call, identity, now, chance)
    yield from _sliced(behaviour, made)


def _whole_body(behaviour: Behaviour, call: Call, identity: Identity) -> tuple[int, bytes, str, int] | None:
    """Return status, body, content type and tokens of an answer that is not a stream; None for a stream."""
    kind = behaviour.content_type or "application/json"
    if behaviour.body is not None:
        return behaviour.status, behaviour.body.encode(errors="surrogateescape"), kind, 0
    if behaviour.status != 200 or behaviour.error_in_200:
        return behaviour.status, dialect_of(call.path).error(behaviour.error, behaviour.status), kind, 0
    if call.path.endswith("/embeddings"):
        return 200, embeddings.body(behaviour, call, identity, chat.prompt_count(behaviour, call)), kind, 0
    if not call.stream:
        body = dialect_of(call.path).body(behaviour, call, identity)
        if behaviour.toxic.malformed_at_event is not None:
            body = body[: len(body) // 2]
        return 200, body, kind, chat.count(behaviour)[0]
    return None


def head(behaviour: Behaviour, status: int, kind: str, now: float, *more: tuple[str, str]) -> bytes:
    """Return the status line and the headers."""
    lines = [b"HTTP/1.1 %d %s" % (status, REASONS.get(status, b"Status")), b"content-type: " + kind.encode()]
    retry = list(behaviour.headers)
    if behaviour.retry_after:
        retry.append(("retry-after", behaviour.retry_after))
    if behaviour.retry_after_date_s is not None:
        retry.append(("retry-after", formatdate(now + behaviour.retry_after_date_s, usegmt=True)))
    if behaviour.retry_after_ms is not None:
        retry.append(("retry-after-ms", str(behaviour.retry_after_ms)))
    lines += [f"{name}: {value}".encode("latin-1") for name, value in (*retry, *more)]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _from_body(
    behaviour: Behaviour, call: Call, identity: Identity, whole: tuple[int, bytes, str, int], now: float
) -> Iterator[Step]:
    status, body, kind, tokens = whole
    toxic = behaviour.toxic
    more = dialect_of(call.path).headers(status) if status >= 400 else ()
    if toxic.pad_bytes:
        body += b" " * toxic.pad_bytes
    length = len(body) + toxic.content_length_delta
    framing = ("transfer-encoding", "chunked") if toxic.bad_chunking else ("content-length", str(max(0, length)))
    yield Step(head(behaviour, status, kind, now, framing, ("x-request-id", identity.id), *more), tokens)
    if toxic.bad_chunking:
        yield Step(b"zz\r\n" + body)
        yield Step(end=CLOSE)
        return
    if toxic.cut_after_bytes is not None or toxic.cut_after_events is not None:
        yield Step(body[: toxic.cut_after_bytes if toxic.cut_after_bytes is not None else len(body) // 2])
        yield Step(end=RESET if toxic.rst else CLOSE)
        return
    if toxic.stall_after_events is not None:
        yield Step(body[: len(body) // 2])
        yield Step(end=HANG)
        return
    if toxic.content_length_delta < 0:
        yield Step(body)
        yield Step(end=CLOSE)
        return
    yield Step(body)
    yield Step(end=CLOSE if toxic.close_after or toxic.content_length_delta else KEEP)


def _from_stream(behaviour: Behaviour, call: Call, identity: Identity, now: float, chance: Seeded) -> Iterator[Step]:
    toxic = behaviour.toxic
    dialect = dialect_of(call.path)
    usual = eventstream.CONTENT_TYPE if dialect.binary else "text/event-stream; charset=utf-8"
    kind = behaviour.content_type or usual
    more = (("transfer-encoding", "chunked"), ("cache-control", "no-cache"), ("x-request-id", identity.id))
    yield Step(head(behaviour, 200, kind, now, *more))
    sent = 0
    made = _binary(behaviour, call, identity) if dialect.binary else _events(behaviour, call, identity)
    for number, (event, tokens) in enumerate(made):
        if toxic.stall_after_events == number:
            yield Step(end=HANG)
            return
        if toxic.cut_after_events == number:
            yield Step(end=RESET if toxic.rst else CLOSE)
            return
        room = None if toxic.cut_after_bytes is None else toxic.cut_after_bytes - sent
        wait = _wait(behaviour, number, tokens, chance)
        if room is not None and room <= len(event):
            yield Step(_chunked(behaviour, event[:room]), tokens, wait)
            yield Step(end=RESET if toxic.rst else CLOSE)
            return
        sent += len(event)
        yield Step(_chunked(behaviour, event), tokens, wait)
    if toxic.bad_chunking:
        yield Step(b"zz\r\n", end=CLOSE)
        return
    if toxic.pad_bytes:
        yield Step(_chunked(behaviour, b":" + b" " * toxic.pad_bytes + b"\n\n"))
    yield Step(b"0\r\n\r\n", end=CLOSE if toxic.close_after else KEEP)


def _chunked(behaviour: Behaviour, data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _wait(behaviour: Behaviour, number: int, tokens: int, chance: Seeded) -> float | None:
    timing = behaviour.timing
    pause = timing.before_first_token_s if number == 0 else timing.between_tokens_s if tokens else 0.0
    if not pause:
        return None
    return pause * (1 + timing.jitter * (2 * chance.random() - 1)) if timing.jitter else pause


def _events(behaviour: Behaviour, call: Call, identity: Identity) -> Iterator[tuple[bytes, int]]:
    frames, toxic = behaviour.frames, behaviour.toxic
    end = b"\r\n" if frames.crlf else b"\n"
    dialect = dialect_of(call.path)
    before = (b": keepalive" + end + end if frames.comments else b"") + (
        b"event: message" + end if frames.event_lines else b""
    )
    failed = (dialect.failed or dialect.error)(behaviour.error, 500)
    for number, (payload, tokens) in enumerate(dialect.stream(behaviour, call, identity)):
        if toxic.error_after_events == number:
            yield _named(dialect, failed, end) + b"data: " + failed + end + end, 0
            return
        named = b"" if frames.no_event_lines else _named(dialect, payload, end)
        if toxic.malformed_at_event == number:
            payload = payload[: len(payload) // 2]
        yield before + named + b"data: " + payload + end + end, tokens
        if frames.unknown_event and number == 0:
            yield b"event: telemetry" + end + b"data: " + FOREIGN + end + end, 0
    if toxic.error_after_events is not None:
        yield _named(dialect, failed, end) + b"data: " + failed + end + end, 0
    elif dialect.done and not frames.no_done and not frames.no_terminal:
        yield before + b"data: " + dialect.done + (b"" if frames.no_final_newline else end + end), 0


def _binary(behaviour: Behaviour, call: Call, identity: Identity) -> Iterator[tuple[bytes, int]]:
    """Yield the messages of an AWS event stream; a malformed one has a wrong checksum."""
    dialect, toxic = dialect_of(call.path), behaviour.toxic
    failed = (dialect.failed or dialect.error)(behaviour.error, 500)
    for number, (message, tokens) in enumerate(dialect.stream(behaviour, call, identity)):
        if toxic.error_after_events == number:
            yield failed, 0
            return
        yield (message[:-1] + bytes([message[-1] ^ 1]) if toxic.malformed_at_event == number else message), tokens
    if toxic.error_after_events is not None:
        yield failed, 0


def _named(dialect: Dialect, payload: bytes, end: bytes) -> bytes:
    name = dialect.name(payload)
    return b"event: " + name + end if name else b""


def _sliced(behaviour: Behaviour, made: Iterator[Step]) -> Iterator[Step]:
    """Cut the writes into small ones where the behaviour asks for it."""
    size, pause = behaviour.timing.write_bytes, behaviour.timing.between_writes_s
    if not size:
        yield from made
        return
    for step in made:
        if step.wait_s is not None or step.tokens:
            yield Step(b"", step.tokens, step.wait_s)
        for start in range(0, len(step.data), size):
            yield Step(step.data[start : start + size], 0, pause)
        if step.end:
            yield Step(end=step.end)
