"""Tells an ask that complains about the answer before it, from its first words.

Must not decide what follows from it. Only clear openings count: a complaint that is missed costs a little evidence, one that is
imagined teaches something false.
"""

from __future__ import annotations

import re

_OPENING_CHARS = 160
_LEAST_CHARS = 20
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


def repeatable(ask: str) -> str:
    """Return an ask in the form in which a repetition is recognised; empty when too short to mean the same ("continue")."""
    text = " ".join(ask.lower().split())
    return text if len(text) >= _LEAST_CHARS else ""
