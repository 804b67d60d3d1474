"""Whose opaque state of thinking is whose, where a client carries it unsealed: what passed through, remembered by digest.

A state that a client sends back goes to the provider that issued it and to no other, however often the session has changed between
them since. In memory and bounded: what is forgotten counts as of the provider that answered the session last. Nothing of the states
themselves is kept.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable

from suffice.wire import sealed

Note = Callable[[Iterable[str]], None]

_MOST = 50_000
# Where the dialects carry states; they are base64, so that no escape stands in them. Redacted thinking has its own in `data`, as images do.
_STATES = {
    "messages": re.compile(
        rb'"signature"\s*:\s*"([^"\\]+)"|"redacted_thinking"\s*,\s*"data"\s*:\s*"([^"\\]+)"'
        rb'|"data"\s*:\s*"([^"\\]+)"\s*,\s*"type"\s*:\s*"redacted_thinking"'
    ),
    "gemini": re.compile(rb'"thought_?[Ss]ignature"\s*:\s*"([^"\\]+)"'),
}
_MARKS = {"messages": (b'"signature"', b'"redacted_thinking"'), "gemini": (b'Signature"', b'_signature"')}


class Issuers(OrderedDict[str, str]):
    """Digests of opaque states and the providers that made them; the oldest is forgotten beyond the bound."""

    def note(self, states: Iterable[str], provider: str) -> None:
        """Remember whose states these are."""
        for state in states:
            self[sealed.digest(state)] = provider
        while len(self) > _MOST:
            self.popitem(last=False)

    def of(self, state: str) -> str:
        """Return the provider that issued `state`, "" when nobody remembers."""
        return self.get(sealed.digest(state), "") if state else ""


def states(dialect: str, body: bytes) -> list[str]:
    """Return the states in a request, an answer or an event of `dialect`."""
    if not any(mark in body for mark in _MARKS[dialect]):
        return []
    return [found[found.lastindex or 0].decode("utf-8", "replace") for found in _STATES[dialect].finditer(body)]


def foreign(dialect: str, body: bytes, issuers: Issuers, provider: str, last: str) -> bool:
    """Tell whether a request holds state of another provider than `provider`; what nobody remembers is of `last`, if it is known."""
    return any((issuers.of(state) or last or provider) != provider for state in states(dialect, body))
