"""Deadlines, timestamps and limits of one upstream request. Plain values; no clock is read here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds allowed per phase of one request; each must be positive.

    `queue_s`: for a free connection when the endpoint is at its maximum. `connect_s`: name, TCP, proxy and TLS together.
    `write_s`: for the operating system to take the whole request. `head_s`: from there to the end of the response head.
    `first_byte_s`: from the head to the first body byte, while somebody waits for it. `between_s`: silence between two
    pieces of body, while somebody waits. `total_s`: everything, waiting reader or not.
    """

    queue_s: float = 10.0
    connect_s: float = 3.0
    write_s: float = 60.0
    head_s: float = 60.0
    first_byte_s: float = 60.0
    between_s: float = 30.0
    total_s: float = 600.0

    def __post_init__(self) -> None:
        for name in ("queue_s", "connect_s", "write_s", "head_s", "first_byte_s", "between_s", "total_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Deadlines.{name} must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """Bounds that hold for every connection of a transport.

    `head_bytes` and `header_count` bound one response head, `informational` the 1xx answers before it, `body_bytes` the
    body after decoding, `high_water_bytes` what is buffered for a slow reader before reading pauses. `max_idle` kept
    connections per endpoint, each at most `idle_s` unused and `age_s` old; `max_waiting` requests queue per endpoint.
    """

    head_bytes: int = 65_536
    header_count: int = 256
    informational: int = 8
    body_bytes: int = 268_435_456
    high_water_bytes: int = 262_144
    max_idle: int = 128
    idle_s: float = 30.0
    age_s: float = 600.0
    max_waiting: int = 1024


class Timings:
    """Monotonic seconds at which one request reached each point; 0.0 means not reached.

    `start` → `connected` (a connection is in hand) → `written` (the operating system has the whole request) → `head`
    (response head complete) → `first_byte` → `last_byte` (of the body).
    """

    __slots__ = ("connected", "first_byte", "head", "last_byte", "start", "written")

    def __init__(self, start: float) -> None:
        self.start = start
        self.connected = 0.0
        self.written = 0.0
        self.head = 0.0
        self.first_byte = 0.0
        self.last_byte = 0.0
