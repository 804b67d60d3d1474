"""Secrets that cannot be printed by accident.

A `Secret` shows `***` wherever it is turned into text, refuses to be pickled, and gives its value only through
`reveal()`, which is called where a header is built and nowhere else. It remembers where the value came from
(`env:NAME`, `file:/path`, `literal`), so that a configuration can be shown and written without the value.
"""

from __future__ import annotations

import hmac
from typing import Any, NoReturn

MASK = "***"
LITERAL = "literal"


class Secret:
    """A text that hides itself. Equality takes constant time; a secret without text is false."""

    __slots__ = ("_value", "origin")

    _value: str
    origin: str

    def __init__(self, value: str, origin: str = LITERAL) -> None:
        object.__setattr__(self, "_value", value)
        object.__setattr__(self, "origin", origin)

    def reveal(self) -> str:
        """Return the value. For the line that sends it, never for one that logs, records or shows."""
        return self._value

    @property
    def reference(self) -> str:
        """How a configuration file names this secret: `${NAME}`, `file:/path`, or `***` for one written in plain text."""
        if self.origin.startswith("env:"):
            return "${" + self.origin.removeprefix("env:") + "}"
        return self.origin if self.origin.startswith("file:") else MASK

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")
