import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import RequestError
from suffice.telemetry import otlp_intake, otlp_protobuf


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def part(number: int, data: bytes | str | int) -> bytes:
    """One field: text and messages length-delimited, numbers as varints."""
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    raw = data.encode() if isinstance(data, str) else data
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def fixed(number: int, form: str, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack(form, value)


def pair(key: str, value: str) -> bytes:
    return part(1, key) + part(2, part(1, value))


def metrics(name: str, *, temporality: int = 1, count: int = 1, **said: str) -> bytes:
    """An ExportMetricsServiceRequest with fields that nobody asked for in it, as exporters write it."""
    point = fixed(2, "<Q", 5) + fixed(3, "<Q", 7_000_000_000) + fixed(6, "<q", count)
    point += b"".join(part(7, pair(key, value)) for key, value in said.items())
    total = part(1, point) + part(2, temporality) + part(3, 1)
    metric = part(1, name) + part(2, "how many") + part(3, "1") + part(7, total)
    scope = part(1, part(1, "scope") + part(2, "1.0")) + part(2, metric)
    return part(1, part(1, part(1, pair("service.name", "claude-code"))) + part(2, scope) + part(3, "schema"))


def logs(**said: str) -> bytes:
    record = fixed(1, "<Q", 9_000_000_000) + part(2, 9) + part(5, part(1, "body")) + fixed(11, "<Q", 1)
    record += b"".join(part(6, pair(key, value)) for key, value in said.items())
    return part(1, part(2, part(2, record)))


def test_metrics_are_read():
    (event,) = otlp_intake.metrics(metrics("claude_code.commit.count", **{"session.id": "s1"}), protobuf=True).events
    assert (event.agent, event.session, event.kind, event.at_s) == ("claude-code", "s1", "committed", 7.0)


def test_logs_are_read():
    said = {
        "event.name": "codex.tool_decision",
        "conversation.id": "c",
        "tool_name": "apply_patch",
        "decision": "approved",
    }
    (event,) = otlp_intake.logs(logs(**said), protobuf=True).events
    assert (event.agent, event.session, event.kind, event.at_s) == ("codex", "c", "accepted", 9.0)


def test_both_encodings_say_the_same():
    found = otlp_protobuf.decode(metrics("claude_code.commit.count", temporality=2, **{"session.id": "s"}), "metrics")
    in_json = otlp_intake.metrics(json.dumps(found).encode())
    in_protobuf = otlp_intake.metrics(metrics("claude_code.commit.count", temporality=2), protobuf=True)
    assert in_json.rejected == in_protobuf.rejected == 1 and in_json.problem == in_protobuf.problem


def test_an_empty_body_is_an_empty_export():
    assert otlp_protobuf.decode(b"", "logs") == {}


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a\x05ab",
        b"\x0a",
        b"\x0a\xff",
        b"\xff" * 12,
        b"\x0b",
        part(1, 5),
        part(1, part(2, part(2, part(1, 3)))),
        b"{}",
    ],
)
def test_what_is_no_such_message_is_refused(body: bytes):
    with pytest.raises(RequestError, match="no OTLP protobuf"):
        otlp_intake.metrics(body, protobuf=True)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(body: bytes):
    for read in (otlp_intake.metrics, otlp_intake.logs):
        try:
            read(body, protobuf=True)
        except RequestError as error:
            assert error.status == 400


def test_refused_points_are_told():
    assert otlp_protobuf.partial_success(0, "") == b""
    told = otlp_protobuf.partial_success(300, "no")
    assert told == part(1, part(1, 300) + part(2, "no"))
