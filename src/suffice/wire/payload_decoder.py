"""What decoders of streams share whose events are payloads one after the other: bytes in, payload by payload, events out.

A dialect's decoder reads one payload; cutting the bytes is the framing's. Invariant: every byte is read once, in order, the rest of a
stream without its last blank line included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from suffice.wire.neutral import Event


class Framing(Protocol):
    """Bytes, split anywhere, into payloads."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the payloads that `chunk` completes. Raises WireError."""
        ...

    def close(self) -> list[bytes]:
        """Return the payload that the end of the bytes completes, if it is there."""
        ...


class PayloadDecoder(ABC):
    """`codec.StreamDecoder` but for the dialect: that is `_payload`, and `_at_end` where the end of the bytes completes an answer."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes. Raises WireError."""
        out: list[Event] = []
        for payload in self._framing.feed(chunk):
            self._payload(payload, out)
        return out

    def close(self) -> list[Event]:
        """Return the rest, with `Done` where the dialect has no terminator but a stop came. Raises WireError."""
        out: list[Event] = []
        for payload in self._framing.close():
            self._payload(payload, out)
        self._at_end(out)
        return out

    @abstractmethod
    def _payload(self, payload: bytes, out: list[Event]) -> None:
        """Add the events of one payload to `out`."""

    def _at_end(self, out: list[Event]) -> None:  # noqa: B027  (a dialect with a terminator of its own completes nothing here)
        """Add what the clean end of the bytes completes."""
