"""The real environment. The one place in Suffice that asks the operating system for time and chance."""

from __future__ import annotations

import os
import random
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Identifiers' entropy is drawn for so many at once: the system call costs ten times what the identifier does.
_DRAWN_AT_ONCE = 256
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]


def encode_id(milliseconds: int, entropy: int) -> str:
    """Return the 26-character identifier of a 48-bit millisecond time and 80 bits of entropy (the ULID layout)."""
    value = (milliseconds & (2**48 - 1)) << 80 | (entropy & (2**80 - 1))
    high, low, p = value >> 70, value & (2**70 - 1), _PAIRS
    return (
        f"{p[high >> 50]}{p[high >> 40 & 1023]}{p[high >> 30 & 1023]}{p[high >> 20 & 1023]}{p[high >> 10 & 1023]}"
        f"{p[high & 1023]}{p[low >> 60]}{p[low >> 50 & 1023]}{p[low >> 40 & 1023]}{p[low >> 30 & 1023]}"
        f"{p[low >> 20 & 1023]}{p[low >> 10 & 1023]}{p[low & 1023]}"
    )


class SystemEnv:
    """`Env` on the machine's clocks and its entropy pool."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)
    random = staticmethod(random.random)
    token_bytes = staticmethod(os.urandom)

    def new_id(self) -> str:
        """Return a new identifier, unique among processes by 80 random bits."""
        try:
            entropy = self._entropy.pop()
        except (AttributeError, IndexError):
            entropy = self._draw()
        return encode_id(time.time_ns() // 1_000_000, entropy)

    def _draw(self) -> int:
        drawn = os.urandom(10 * _DRAWN_AT_ONCE)
        first, *rest = [int.from_bytes(drawn[at : at + 10], "big") for at in range(0, len(drawn), 10)]
        # A forked process must not give out its parent's identifiers again.
        if not hasattr(self, "_entropy"):
            self._entropy: list[int] = []
            os.register_at_fork(after_in_child=self._entropy.clear)
        self._entropy += rest
        return first
