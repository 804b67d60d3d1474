"""A small generator of its own for reproducible chance: the same seed gives the same numbers on every version of Python.

It is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Not for secrets.
Invariant: the stream of one `Seeded` depends on its seed and labels only, never on what other streams were asked.
"""

from __future__ import annotations

from zlib import crc32

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


class Seeded:
    """A stream of numbers from a seed and any number of labels, so that each request has a stream of its own."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, *labels: int | str) -> None:
        state = seed & _MASK
        for label in labels:
            number = crc32(label.encode()) if isinstance(label, str) else label
            state = _mix((state ^ _mix(number + _GOLDEN)) & _MASK)
        self._state = state

    def random(self) -> float:
        """Return a float in [0, 1)."""
        return (self._next() >> 11) * 2.0**-53

    def below(self, bound: int) -> int:
        """Return an integer in [0, bound). Raises ValueError when `bound` < 1."""
        if bound < 1:
            raise ValueError(f"bound must be at least 1, not {bound}")
        return int(self.random() * bound)

    def _next(self) -> int:
        self._state = (self._state + _GOLDEN) & _MASK
        return _mix(self._state)


def _mix(value: int) -> int:
    value &= _MASK
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)
