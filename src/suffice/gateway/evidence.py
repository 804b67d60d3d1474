"""What the next attempt is told about the one that was rejected: the findings of the checks, never the failed answer.

A retry of the same model gets what it needs to mend its own defect, a stronger model only a short note. The message goes
to the end of the conversation, so that every byte before it, and with it the provider's prompt cache, stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from suffice.values.verdict import Verdict
from suffice.verify.revise import APPROVED
from suffice.wire.prescan import TopLevel

# Characters; the second is what fits in a sentence or two for a model that did not make the mistake.
MOST_EVIDENCE = 2000
MOST_NOTE = 400

_AGAIN = "Your previous answer was checked automatically and not accepted:\n"
_MEND = "\nGive the complete answer again without this defect."
_NOTE = "An earlier attempt at this was rejected by an automatic check ("
_AVOID = "). Give a complete answer without this defect."

# Where a dialect keeps the conversation, and how a message of the user (or of the assistant: a draft) looks in it.
_PLACES: Mapping[str, tuple[str, Callable[[str, str], dict[str, Any]]]] = {
    "chat": ("messages", lambda role, text: {"role": role, "content": text}),
    "messages": ("messages", lambda role, text: {"role": role, "content": [{"type": "text", "text": text}]}),
    "responses": (
        "input",
        lambda role, text: {
            "type": "message",
            "role": role,
            "content": [{"type": "input_text" if role == "user" else "output_text", "text": text}],
        },
    ),
    "gemini": (
        "contents",
        lambda role, text: {"role": "user" if role == "user" else "model", "parts": [{"text": text}]},
    ),
}


def told(verdicts: tuple[Verdict, ...], *, same: bool) -> str:
    """Return rejections as a message of at most 2,000 characters for the same model, or 400 for another one."""
    rejected = [v for v in verdicts if v.rejected]
    if not rejected:
        return ""
    if not same:
        reasons = "; ".join(f"{v.gate}: {_line(v.reason)}" for v in rejected)
        return _NOTE + _cut(reasons, MOST_NOTE - len(_NOTE) - len(_AVOID)) + _AVOID
    return _AGAIN + _cut(_findings(rejected), MOST_EVIDENCE - len(_AGAIN) - len(_MEND)) + _MEND


_REVIEW = f"""\
The answer above is a draft. Review it against everything that was asked before it; do not answer anew.
If it is right and complete, reply with exactly {APPROVED} and nothing else.
If it needs a repair, reply with blocks of this form and nothing else, as few and as small as will do:
<<<<<<< SEARCH
(whole lines of the draft, copied exactly, that stand in it once)
=======
(the lines in their place)
>>>>>>> REPLACE"""
_UNACCEPTED = "\nThe draft was checked automatically and not accepted, so it needs a repair:\n"


def review_of(verdicts: tuple[Verdict, ...]) -> str:
    """Return what the reviewer of a draft is told: the form of its reply, and what the checks found."""
    rejected = [v for v in verdicts if v.rejected]
    return _REVIEW + (_UNACCEPTED + _cut(_findings(rejected), MOST_EVIDENCE) if rejected else "")


def with_evidence(
    top: TopLevel, evidence: str, dialect: str = "chat", given: bytes | None = None, draft: str = ""
) -> dict[str, bytes]:
    """Return the change that appends `evidence` as the user's message where `dialect` keeps the conversation.

    A `draft` that is to be reviewed goes before it, as the assistant's message. `given` is what already takes the place of that
    field. None when there is no conversation; a conversation that is one text (Responses) becomes a list of it and the evidence.
    """
    place = _PLACES.get(dialect)
    raw = given if given is not None else top.value(place[0]) if place is not None else None
    if place is None or raw is None:
        return {}
    name, made = place
    message = msgspec.json.encode(made("user", evidence))
    if draft:
        message = msgspec.json.encode(made("assistant", draft)) + b"," + message
    if raw[:1] == b'"' and dialect == "responses":
        raw = b'[{"type":"message","role":"user","content":' + raw + b"}]"
    if raw[:1] != b"[" or raw[-1:] != b"]":
        return {}
    separator = b"," if raw[1:-1].strip() else b""
    return {name: raw[:-1] + separator + message + b"]"}


def _findings(rejected: list[Verdict]) -> str:
    return "\n".join(f"- {v.gate}: {_line(v.reason)}" + (f"\n{v.evidence}" if v.evidence else "") for v in rejected)


def _line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
