"""The environment: the only source of time, chance and identifiers.

Everything that needs one of them takes an `Env` as an argument, so that a simulator can run the real code with a
clock and a seed of its own. `system_env.py` holds the only implementation that touches the operating system.
"""

from __future__ import annotations

from typing import Protocol


class Env(Protocol):
    """Clock, identifiers and randomness."""

    def now(self) -> float:
        """Wall clock: seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...

    def random(self) -> float:
        """A float in [0, 1)."""
        ...

    def token_bytes(self, n: int) -> bytes:
        """`n` unpredictable bytes, good enough for secrets."""
        ...

    def new_id(self) -> str:
        """A new identifier: 26 characters of Crockford base32, sortable by creation time."""
        ...
