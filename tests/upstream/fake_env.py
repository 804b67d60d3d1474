"""A clock that moves only when told."""

from __future__ import annotations


class FakeEnv:
    def __init__(self, start: float = 1000.0) -> None:
        self.at = start

    def now(self) -> float:
        return 1_700_000_000.0 + self.at

    def monotonic(self) -> float:
        return self.at

    def random(self) -> float:
        return 0.5

    def token_bytes(self, n: int) -> bytes:
        return bytes(n)

    def new_id(self) -> str:
        return "0" * 26
