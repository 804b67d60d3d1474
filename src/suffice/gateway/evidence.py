"""What the next attempt is told about the one that was rejected: the findings of the checks, never the failed answer.

A retry of the same model gets what it needs to mend its own defect, a stronger model only a short note. The message goes
to the end of the conversation, so that every byte before it, and with it the provider's prompt cache, stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from suffice.values.verdict import Verdict
from suffice.wire.prescan import TopLevel

# Characters; the second is what fits in a sentence or two for a model that did not make the mistake.
MOST_EVIDENCE = 2000
MOST_NOTE = 400

_AGAIN = "Your previous answer was checked automatically and not accepted:\n"
_MEND = "\nGive the complete answer again without this defect."
_NOTE = "An earlier attempt at this was rejected by an automatic check ("
_AVOID = "). Give a complete answer without this defect."

# Where a dialect keeps the conversation, and how a message of the user looks in it.
_PLACES: Mapping[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "chat": ("messages", lambda text: {"role": "user", "content": text}),
    "messages": ("messages", lambda text: {"role": "user", "content": [{"type": "text", "text": text}]}),
    "responses": (
        "input",
        lambda text: {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]},
    ),
    "gemini": ("contents", lambda text: {"role": "user", "parts": [{"text": text}]}),
}


def told(verdicts: tuple[Verdict, ...], *, same: bool) -> str:
    """Return rejections as a message of at most 2,000 characters for the same model, or 400 for another one."""
    rejected = [v for v in verdicts if v.rejected]
    if not rejected:
        return ""
    if not same:
        reasons = "; ".join(f"{v.gate}: {_line(v.reason)}" for v in rejected)
        return _NOTE + _cut(reasons, MOST_NOTE - len(_NOTE) - len(_AVOID)) + _AVOID
    found = "\n".join(f"- {v.gate}: {_line(v.reason)}" + (f"\n{v.evidence}" if v.evidence else "") for v in rejected)
    return _AGAIN + _cut(found, MOST_EVIDENCE - len(_AGAIN) - len(_MEND)) + _MEND


def with_evidence(top: TopLevel, evidence: str, dialect: str = "chat", given: bytes | None = None) -> dict[str, bytes]:
    """Return the change that appends `evidence` as the user's message where `dialect` keeps the conversation.

    `given` is what already takes the place of that field. None when there is no conversation; a conversation that is one text
    (Responses) becomes a list of it and the evidence.
    """
    place = _PLACES.get(dialect)
    raw = given if given is not None else top.value(place[0]) if place is not None else None
    if place is None or raw is None:
        return {}
    name, made = place
    message = msgspec.json.encode(made(evidence))
    if raw[:1] == b'"' and dialect == "responses":
        raw = b'[{"type":"message","role":"user","content":' + raw + b"}]"
    if raw[:1] != b"[" or raw[-1:] != b"]":
        return {}
    separator = b"," if raw[1:-1].strip() else b""
    return {name: raw[:-1] + separator + message + b"]"}


def _line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
