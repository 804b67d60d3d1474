"""OTLP in protobuf: the few fields of metrics and logs that are looked at, in the shape that OTLP's JSON has.

Reads the wire format by itself (varints, fixed 32 and 64 bits, length-delimited); unknown fields are skipped, as it asks for.
Pure. Invariant: linear in the body, and no more deeply nested than the messages named here.
Field numbers: opentelemetry-proto, collector, metrics, logs and common, version 1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MEDIA = "application/x-protobuf"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Message: {field number: (name in JSON, what it is)}; a message's name stands for itself, `+` for a repeated one.
_SHAPES: dict[str, dict[int, tuple[str, str]]] = {
    "metrics": {1: ("resourceMetrics", "+resource_metrics")},
    "resource_metrics": {2: ("scopeMetrics", "+scope_metrics")},
    "scope_metrics": {2: ("metrics", "+metric")},
    "metric": {1: ("name", "text"), 7: ("sum", "sum")},
    "sum": {1: ("dataPoints", "+point"), 2: ("aggregationTemporality", "int")},
    "point": {
        3: ("timeUnixNano", "fixed"),
        4: ("asDouble", "double"),
        6: ("asInt", "signed"),
        7: ("attributes", "+pair"),
    },
    "logs": {1: ("resourceLogs", "+resource_logs")},
    "resource_logs": {2: ("scopeLogs", "+scope_logs")},
    "scope_logs": {2: ("logRecords", "+record")},
    "record": {
        1: ("timeUnixNano", "fixed"),
        6: ("attributes", "+pair"),
        11: ("observedTimeUnixNano", "fixed"),
        12: ("eventName", "text"),
    },
    "pair": {1: ("key", "text"), 2: ("value", "value")},
    "value": {1: ("stringValue", "text")},
}
_WIRE = {"text": _BYTES, "int": _VARINT, "fixed": _FIXED64, "double": _FIXED64, "signed": _FIXED64}
_FORMATS = {"fixed": "<Q", "double": "<d", "signed": "<q"}


def decode(body: bytes, message: str) -> dict[str, object]:
    """Return `body` as the JSON form of `metrics` or `logs`. Raises ValueError for what is no protobuf of that message."""
    return _message(memoryview(body), message)


def partial_success(rejected: int, reason: str) -> bytes:
    """Return an answer that tells how many points were refused and why; empty when none were."""
    if not rejected:
        return b""
    text = reason.encode()
    inner = b"\x08" + _written(rejected) + b"\x12" + _written(len(text)) + text
    return b"\x0a" + _written(len(inner)) + inner


def _message(data: memoryview, name: str) -> dict[str, object]:
    shape = _SHAPES[name]
    out: dict[str, object] = {}
    for number, wire, value in _fields(data):
        known = shape.get(number)
        if known is None:
            continue
        key, kind = known
        repeated, kind = kind.startswith("+"), kind.removeprefix("+")
        if wire != _WIRE.get(kind, _BYTES):
            raise ValueError(f"field {number} of {name} has another type")
        if not repeated:
            out[key] = _value(value, kind)
            continue
        items = out.setdefault(key, [])
        assert isinstance(items, list)
        items.append(_value(value, kind))
    return out


def _value(value: int | memoryview, kind: str) -> object:
    if isinstance(value, int):
        return value
    if kind == "text":
        return str(value, "utf-8", "replace")
    if kind in _FORMATS:
        return struct.unpack(_FORMATS[kind], value)[0]
    return _message(value, kind)


def _fields(data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Yield (field number, wire type, value) of one message."""
    at = 0
    while at < len(data):
        tag, at = _read(data, at)
        wire = tag & 7
        if wire == _VARINT:
            value, at = _read(data, at)
            yield tag >> 3, wire, value
            continue
        if wire == _BYTES:
            size, at = _read(data, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} is none of protobuf's")
        if at + size > len(data):
            raise ValueError("it ends inside a field")
        yield tag >> 3, wire, data[at : at + size]
        at += size


def _read(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it ends inside a number")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number is too long")


def _written(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
