from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from suffice.testing.chat import Identity
from suffice.testing.reply import CLOSE, HANG, KEEP, RESET, Step, steps
from suffice.testing.script import Behaviour, Call, Error, Frames, Timing, Toxic
from suffice.testing.seeded import Seeded

TEXT = "abcd" * 5


def played(behaviour: Behaviour, *, stream: bool = True, path: str = "/v1/chat/completions") -> list[Step]:
    call = Call(method="POST", path=path, model="m", stream=stream, body=b"{}", parsed={})
    return list(steps(behaviour, call, Identity("i", 0, "m"), now=1000.0, chance=Seeded(1)))


def split(made: list[Step]) -> tuple[bytes, bytes, str]:
    head, _, body = b"".join(s.data for s in made).partition(b"\r\n\r\n")
    return head, body, made[-1].end


def payloads(behaviour: Behaviour, path: str = "/v1/chat/completions") -> bytes:
    body, out = split(played(behaviour, path=path))[1], b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        count = int(size, 16)
        out, body = out + rest[:count], rest[count + 2 :]
    return out


def toxic(**fields: Any) -> Behaviour:
    return Behaviour(text=TEXT, toxic=Toxic(**fields))


@pytest.mark.parametrize(("name", "end"), [("rst", RESET), ("close", CLOSE), ("hang", HANG)])
def test_connections_that_never_answer(name: Any, end: str) -> None:
    assert played(toxic(connection=name)) == [Step(end=end)]


def test_cut_after_bytes_is_exact() -> None:
    full = payloads(Behaviour(text=TEXT))
    for count in (1, 100, len(full) - 1):
        assert payloads(toxic(cut_after_bytes=count)) == full[:count]
    assert played(toxic(cut_after_bytes=10))[-1].end == CLOSE
    assert played(toxic(cut_after_bytes=10, rst=True))[-1].end == RESET


def test_cut_and_stall_bill_what_went_before() -> None:
    assert sum(s.tokens for s in played(toxic(cut_after_events=3))) == 2
    assert sum(s.tokens for s in played(toxic(stall_after_events=3))) == 2
    assert played(toxic(stall_after_events=3))[-1].end == HANG
    assert sum(s.tokens for s in played(Behaviour(text=TEXT))) == 5


def test_errors_in_a_stream_have_no_done() -> None:
    first = payloads(Behaviour(error=Error(code="x"), toxic=Toxic(error_after_events=0)))
    assert first.startswith(b'data: {"error"')
    assert b"[DONE]" not in first
    later = payloads(toxic(error_after_events=2))
    assert later.count(b"data: ") == 3
    assert b"[DONE]" not in later
    past = payloads(toxic(error_after_events=99))
    assert past.endswith(b"\n\n")
    assert b'"error"' in past


def test_frames() -> None:
    assert b"\r\n\r\n" in payloads(Behaviour(frames=Frames(crlf=True)))
    assert payloads(Behaviour(frames=Frames(comments=True))).startswith(b": keepalive\n\n")
    assert b"event: telemetry" in payloads(Behaviour(frames=Frames(unknown_event=True)))
    assert b"event: message" in payloads(Behaviour(frames=Frames(event_lines=True)))
    assert b"event: " in payloads(Behaviour(), path="/v1/messages")
    assert b"event: " not in payloads(Behaviour(frames=Frames(no_event_lines=True)), path="/v1/messages")
    assert b"[DONE]" not in payloads(Behaviour(frames=Frames(no_done=True)))
    assert b'"finish_reason":"stop"' in payloads(Behaviour(frames=Frames(no_done=True)))
    assert b'"finish_reason":"stop"' not in payloads(Behaviour(frames=Frames(no_terminal=True)))
    assert payloads(Behaviour(frames=Frames(no_final_newline=True))).endswith(b"[DONE]")


def test_malformed_frames_are_no_json() -> None:
    broken = payloads(toxic(malformed_at_event=1)).split(b"\n\n")[1][6:]
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken)
    with pytest.raises(json.JSONDecodeError):
        json.loads(split(played(toxic(malformed_at_event=0), stream=False))[1])


def test_wrong_lengths_and_bad_chunks() -> None:
    for delta in (-5, 5):
        head, body, end = split(played(toxic(content_length_delta=delta), stream=False))
        assert f"content-length: {len(body) + delta}".encode() in head
        assert end == CLOSE
    for stream in (True, False):
        assert b"zz\r\n" in split(played(toxic(bad_chunking=True), stream=stream))[1]


def test_padding_and_silent_close() -> None:
    assert len(split(played(toxic(pad_bytes=10_000), stream=False))[1]) > 10_000
    assert len(payloads(toxic(pad_bytes=10_000))) > 10_000
    assert played(toxic(close_after=True), stream=False)[-1].end == CLOSE
    assert played(Behaviour(), stream=False)[-1].end == KEEP


def test_whole_bodies_can_be_cut_and_stalled() -> None:
    full = split(played(Behaviour(text=TEXT), stream=False))[1]
    assert split(played(toxic(cut_after_bytes=10), stream=False))[1:] == (full[:10], CLOSE)
    assert split(played(toxic(cut_after_events=0, rst=True), stream=False))[1:] == (full[: len(full) // 2], RESET)
    assert split(played(toxic(stall_after_events=0), stream=False))[1:] == (full[: len(full) // 2], HANG)


def test_retry_after_in_its_three_forms() -> None:
    behaviour = Behaviour(
        status=429, retry_after="3", retry_after_date_s=60, retry_after_ms=250, headers=(("x-a", "b"),)
    )
    head, body, _ = split(played(behaviour))
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 429 Too Many Requests"
    assert {"retry-after: 3", "retry-after-ms: 250", "x-a: b"} <= set(lines)
    [date] = [line for line in lines if line.endswith("GMT")]
    assert parsedate_to_datetime(date.removeprefix("retry-after: ")).timestamp() == 1060
    assert json.loads(body)["error"]["message"]


def test_own_bodies_and_errors_in_200() -> None:
    head, body, _ = split(played(Behaviour(body="<html>", content_type="text/html")))
    assert b"content-type: text/html" in head
    assert body == b"<html>"
    head, body, _ = split(played(Behaviour(error_in_200=True, error=Error(code=429))))
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body)["error"]["code"] == 429


def test_waits_are_where_they_were_asked_for() -> None:
    timing = Timing(before_head_s=1, before_first_token_s=2, between_tokens_s=3)
    waits = [s.wait_s for s in played(Behaviour(text="abcdefgh", timing=timing)) if s.wait_s is not None]
    assert waits == [1, 2, 3, 3]
    jittered = Behaviour(text=TEXT, timing=Timing(between_tokens_s=1, jitter=0.5))
    waits = [s.wait_s for s in played(jittered) if s.wait_s is not None]
    assert waits == [s.wait_s for s in played(jittered) if s.wait_s is not None]
    assert len(set(waits)) == 5
    assert all(0.5 <= w <= 1.5 for w in waits)


def test_small_writes_change_no_byte() -> None:
    plain = Behaviour(text=TEXT)
    sliced = Behaviour(text=TEXT, timing=Timing(write_bytes=7))
    assert split(played(plain)) == split(played(sliced))
    assert max(len(s.data) for s in played(sliced)) == 7
    assert sum(s.tokens for s in played(sliced)) == 5


def test_a_body_may_hold_bytes_that_are_no_text():
    body = split(played(Behaviour(body=b"a\xff".decode(errors="surrogateescape"), content_type="text/plain")))[1]
    assert body == b"a\xff"
