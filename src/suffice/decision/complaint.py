"""Tells an ask that complains about the answer before it, from its first words.

Must not decide what follows from it. Only clear openings count: a complaint that is missed costs a little evidence, one that is
imagined teaches something false.
"""

from __future__ import annotations

import re

_OPENING_CHARS = 160
# Without white space: shorter than four or five words.
_LEAST_BYTES = 16
_SPACES = bytes(byte for byte in range(128) if chr(byte).isspace())
_COMPLAINT = re.compile(
    r"(?:no+\b[,.! ]*|sorry[,.! ]*|hm+[,.! ]*)?(?:"
    r"(?:that|this|it)(?:'s|’s| is| was)? (?:still |just |completely |totally )?(?:wrong|incorrect|not right|not correct|broken"
    r"|not what i (?:asked|meant|wanted)|not working)\b"
    r"|(?:that|this|it)(?: still)? (?:doesn'?t|doesn’t|does not|didn'?t|did not) (?:work|compile|help)\b"
    r"|still (?:wrong|broken|not working|failing|the same error)\b"
    r"|(?:please )?(?:undo|revert|roll back)(?: (?:that|this|it|your|these|those|all|the last|the change)|[.!]?$)"
    r"|das ist (?:immer noch )?falsch\b|mach(?:e)? das rückgängig\b"
    r")",
    re.I,
)


def complains(ask: str) -> bool:
    """Return whether `ask` opens with a complaint about the last answer, or asks to undo it."""
    return _COMPLAINT.match(ask.strip()[:_OPENING_CHARS]) is not None


def repeatable(ask: str) -> bytes:
    """Return an ask in the form in which a repetition is recognised; empty when too short to mean the same ("continue").

    Case and white space do not count. Plain text is stripped of the latter at once, which costs a tenth of splitting it.
    """
    lower = ask.lower()
    if lower.isascii():
        text = lower.encode().translate(None, _SPACES)
    else:
        text = "".join(lower.split()).encode("utf-8", "surrogatepass")
    return text if len(text) >= _LEAST_BYTES else b""
