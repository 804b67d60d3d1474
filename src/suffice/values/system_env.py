"""The real environment. The one place in Suffice that asks the operating system for time and chance."""

from __future__ import annotations

import os
import random
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]


def encode_id(milliseconds: int, entropy: int) -> str:
    """Return the 26-character identifier of a 48-bit millisecond time and 80 bits of entropy (the ULID layout)."""
    value = (milliseconds & (2**48 - 1)) << 80 | (entropy & (2**80 - 1))
    pairs = []
    for _ in range(13):
        pairs.append(_PAIRS[value & 1023])
        value >>= 10
    pairs.reverse()
    return "".join(pairs)


class SystemEnv:
    """`Env` on the machine's clocks and its entropy pool."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)
    random = staticmethod(random.random)
    token_bytes = staticmethod(os.urandom)

    def new_id(self) -> str:
        """Return a new identifier, unique among processes by 80 random bits."""
        return encode_id(time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big"))
