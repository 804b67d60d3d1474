"""The text of a whole answer replaced by another one, in the body that the client gets; everything else of the answer stays.

Only for answers that are one text: of several choices, of tool calls, or where the text stands in several pieces, it says that it
cannot. It is pure. Invariant: a body comes out changed in that one text only, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec


def swapped(dialect: str, body: bytes, old: str, new: str) -> bytes | None:
    """Return `body` (of chat, messages or gemini) with its one text `old` as `new`; None where it is not that one text."""
    find = _FINDERS.get(dialect)
    try:
        decoded = msgspec.json.decode(body)
        place = find(decoded) if find is not None else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    if place is None or place[0].get(place[1]) != old:
        return None
    place[0][place[1]] = new
    return msgspec.json.encode(decoded)


# Where the text stands: the object that holds it, and its key there.
_Place = tuple[dict[str, Any], str]


def _chat(answer: Any) -> _Place | None:
    (choice,) = answer["choices"] if len(answer["choices"]) == 1 else (None,)
    if choice is None or choice.get("logprobs") or choice["message"].get("tool_calls"):
        return None
    return choice["message"], "content"


def _messages(answer: Any) -> _Place | None:
    texts = [block for block in answer["content"] if block["type"] == "text"]
    others = [b for b in answer["content"] if b["type"] not in ("text", "thinking", "redacted_thinking")]
    if len(texts) != 1 or others or texts[0].get("citations"):
        return None
    return texts[0], "text"


def _gemini(answer: Any) -> _Place | None:
    (candidate,) = answer["candidates"] if len(answer["candidates"]) == 1 else (None,)
    if candidate is None:
        return None
    said = [part for part in candidate["content"]["parts"] if not part.get("thought")]
    if len(said) != 1 or "text" not in said[0] or candidate.get("logprobsResult"):
        return None
    return said[0], "text"


_FINDERS: Mapping[str, Callable[[Any], _Place | None]] = {"chat": _chat, "messages": _messages, "gemini": _gemini}
DIALECTS = frozenset(_FINDERS)
